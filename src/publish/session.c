/* The head is read before the lock, so that who has nothing to do waits for
 * nobody and writes nothing; what is decided then is decided again under it,
 * as somebody else may have published meanwhile. */
#include "session.h"

bool session_stopped(const struct session *s)
{
    return s->stop && *s->stop;
}

static int read_head(struct session *s)
{
    const uint8_t *key = signer_public(s->signer);

    index_free(s->index);
    s->index = NULL;
    index_old_release(&s->old);
    if (s->new_base) {
        if (index_read_old(s->store, key, &s->old) || index_new(&s->index))
            return -1;
        index_replace(s->index, &s->old);
        return 0;
    }
    return index_read_head(s->store, key, &s->index);
}

static int look_at_head(struct session *s, const struct session_verb *v)
{
    if (read_head(s))
        return -1;
    return v->look ? v->look(v->ctx) : 1;
}

static int work_on_index(struct session *s, const struct session_verb *v)
{
    if (index_read_shards(s->index, s->store))
        return -1;
    return v->work(v->ctx) ? -1 : 0;
}

/* Before the lock: somebody may be asked, and take his time. */
static int ask_password(struct session *s, const struct session_verb *v)
{
    int signs = 1;

    if (!signer_is_locked(s->signer))
        return 0;
    if (v->signs)
        signs = v->signs(v->ctx);
    return signs > 0 ? signer_unlock(s->signer) : signs;
}

static int run_locked(struct session *s, const struct session_verb *v)
{
    int result;

    if (s->store->ops->lock(s->store, s->lock_wait_ms, s->break_lock))
        return -1;
    s->locked = true;
    result = look_at_head(s, v);
    if (result > 0)
        result = work_on_index(s, v);
    if (s->old.index && s->index && s->index->exists)
        index_replaced(s->store, s->old.index->base_id, s->now);
    return index_unlock(s->index, s->store, result != 0, s->signer, s->now);
}

int session_run(struct session *s, const struct session_verb *v)
{
    int result = look_at_head(s, v);

    if (result <= 0)
        return result;
    if (s->dry_run)
        return work_on_index(s, v);
    return ask_password(s, v) || run_locked(s, v) ? -1 : 0;
}

void session_end(struct session *s)
{
    meter_end(s->meter);
    index_old_release(&s->old);
    index_free(s->index);
    s->index = NULL;
    s->locked = false;
}
