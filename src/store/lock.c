/* The lock on a server: made, taken over, renewed and released. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "curl.h"
#include "lock.h"

enum { POLL_MS = 1000 };

static int write_text(struct store_lock *l)
{
    char text[STORE_LOCK_TEXT];

    store_lock_compose(text, l->mark, l->ops->now(l->store) + STORE_LOCK_LIFE);
    l->renewed = store_curl_ms();
    return l->ops->write(l->store, text);
}

int store_lock_read(struct store_lock *l, struct store_lock_text *t)
{
    char text[STORE_LOCK_TEXT] = "";
    size_t len;
    uint8_t *bytes;
    int result =
        store_get(l->store, l->name, STORE_LOCK_TEXT - 1, &bytes, &len);

    if (result == 0) {
        memcpy(text, bytes, len);
        free(bytes);
    }
    store_lock_parse(text, t);
    return result == 0 && len == 0 ? STORE_MISSING : result;
}

static void nap(unsigned ms)
{
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* Takes one that is there over: whoever wrote last has it. */
static int take_over(struct store_lock *l)
{
    struct store_lock_text t;
    int result = write_text(l);

    if (result)
        return -1;
    nap(POLL_MS);
    result = store_lock_read(l, &t);
    if (result)
        return result < 0 ? -1 : 1;
    return strcmp(t.mark, l->mark) == 0 ? 0 : 1;
}

static int refuse(const struct store_lock *l)
{
    return diag_error(DIAG_SERVER,
                      "'lock' in '%s' holds what ota-pack did not write, and "
                      "is left as it is: if it is yours, move it elsewhere; "
                      "that name is needed there",
                      l->store->where);
}

/* One try: 0 it is ours, 1 *t has it, -1 (reported).  *bare_ms: since when it
 * is there without a text, 0: it is not. */
static int try_once(struct store_lock *l, bool break_it, uint64_t *bare_ms,
                    struct store_lock_text *t)
{
    int result = l->ops->make(l->store);

    if (result == 0 && write_text(l)) {
        l->ops->remove(l->store);
        return -1;
    }
    if (result <= 0)
        return result;
    result = store_lock_read(l, t);
    if (result < 0)
        return -1;
    if (result == STORE_MISSING || !t->whole || t->foreign) {
        if (!*bare_ms)
            *bare_ms = store_curl_ms();
        if (store_curl_ms() - *bare_ms < STORE_LOCK_SETTLE)
            return 1;
        l->forced = true;
        return t->foreign ? refuse(l) : take_over(l);
    }
    *bare_ms = 0;
    if (store_lock_is_dead(t))
        return take_over(l);
    if (!break_it && t->until >= l->ops->now(l->store))
        return 1;
    l->forced = true;
    return take_over(l);
}

static int held(const struct store_lock *l, const struct store_lock_text *t)
{
    return diag_error(DIAG_LOCK,
                      "'%s' is being published to by %s: try again later, wait "
                      "longer with '--lock-timeout 2m', or, if that publisher "
                      "is gone, take its lock with '--break-lock': should it "
                      "still run, it fails, and must be run again",
                      l->store->where, t->holder);
}

int store_lock_take(struct store_lock *l, unsigned wait_ms, bool break_it,
                    volatile const sig_atomic_t *stop)
{
    uint64_t start = store_curl_ms(), bare = 0, waited;
    bool told = false;
    struct store_lock_text t;
    int result;

    if (l->held)
        return 0;
    l->forced = false;
    store_dice(l->mark, (sizeof l->mark - 1) / 2);
    while ((result = try_once(l, break_it, &bare, &t)) == 1) {
        waited = store_curl_ms() - start;
        if ((!bare && waited >= wait_ms) || (stop && *stop))
            return held(l, &t);
        if (!told && !bare && waited >= POLL_MS) {
            diag_note("waiting for %s, who publishes to '%s'", t.holder,
                      l->store->where);
            told = true;
        }
        nap(!bare && wait_ms - waited < POLL_MS ? (unsigned)(wait_ms - waited)
                                                : POLL_MS);
    }
    l->held = result == 0;
    return result;
}

/* 1: the text is ours; 0: another's, or none; -1 (reported). */
static int is_ours(struct store_lock *l)
{
    struct store_lock_text t;
    int result = store_lock_read(l, &t);

    return result < 0 ? -1 : result == 0 && strcmp(t.mark, l->mark) == 0;
}

void store_lock_renew(struct store_lock *l)
{
    if (!l->held || store_curl_ms() - l->renewed <= STORE_LOCK_RENEW * 1000)
        return;
    if (is_ours(l) == 1)
        write_text(l);
    else
        l->renewed = store_curl_ms();
}

bool store_lock_lost(struct store_lock *l)
{
    return l->held && is_ours(l) == 0;
}

bool store_lock_release(struct store_lock *l)
{
    int ours;

    if (!l->held)
        return true;
    l->held = false;
    ours = is_ours(l);
    if (ours == 1)
        l->ops->remove(l->store);
    return ours != 0;
}
