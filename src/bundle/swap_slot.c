/* The passes over slots.  A slot's entry has the number of its new image in
 * the place of a mode.  ota-install(7), Steps 11, 13 and 18. */
#include "install.h"

static int active(struct ota_install *i, const struct ota_entry *e)
{
    const struct ota_port *p = i->port;

    return p->slot_active && p->slot_switch
               ? p->slot_active(p->ctx, e->file.path)
               : OTA_ERR_SLOT;
}

static int start(struct ota_install *i, const struct ota_entry *e, int image)
{
    return i->port->slot_switch(i->port->ctx, e->file.path, image);
}

static int each_new(struct ota_install *i, const struct ota_entry *e)
{
    int image;

    if (e->file.type != OTA_SLOT)
        return OTA_OK;
    image = active(i, e);
    if (image < 0 || image == e->file.mode)
        return image < 0 ? image : OTA_OK;
    i->result = OTA_RESTART;
    return start(i, e, e->file.mode);
}

/* Also where the old image runs: the new one may be the next to start. */
static int each_old(struct ota_install *i, const struct ota_entry *e)
{
    int image;

    if (e->file.type != OTA_SLOT)
        return OTA_OK;
    image = active(i, e);
    if (image < 0)
        return image;
    if (image == e->file.mode)
        i->result = OTA_RESTART;
    return start(i, e, 1 - e->file.mode);
}

int ota_slot_switch(struct ota_install *i, bool back)
{
    i->result = OTA_OK;
    return TWICE(ota_pass(i, back ? each_old : each_new, false));
}

static int each_runs(struct ota_install *i, const struct ota_entry *e)
{
    int image;

    if (e->file.type != OTA_SLOT)
        return OTA_OK;
    image = active(i, e);
    if (image >= 0 && image != e->file.mode)
        i->skip = true;
    return image < 0 ? image : OTA_OK;
}

int ota_slot_runs(struct ota_install *i, bool *all)
{
    int err;

    i->skip = false;
    err = TWICE(ota_pass(i, each_runs, false));
    *all = !i->skip;
    return err;
}

static int each_confirm(struct ota_install *i, const struct ota_entry *e)
{
    const struct ota_port *p = i->port;

    return e->file.type == OTA_SLOT && p->slot_confirm
               ? p->slot_confirm(p->ctx, e->file.path)
               : OTA_OK;
}

int ota_slot_confirm(struct ota_install *i)
{
    return TWICE(ota_pass(i, each_confirm, false));
}
