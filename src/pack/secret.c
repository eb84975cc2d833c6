/* One pass over a file's bytes.  Sixteen at a time: only where two of them can
 * begin a secret, or all of them are base64, is there more to do. */
#include "secret_form.h"

#include <string.h>

enum {
    BLOCK = 16, /* and the least of a line of base64 that is decoded */
    GAP = 32,   /* bytes between two such lines, at most */
    KEEP = 1024 /* of what was decoded: a secret may go on */
};

void secret_init(struct secret_scan *s)
{
    static const char starts[8] = {'E', 'd', 'R', '-', '<', 'P', 'A', 'm'};

    memset(s, 0, sizeof *s);
    for (unsigned k = 0; k < sizeof starts; k++)
        s->first[(uint8_t)starts[k]] = (uint8_t)(1u << k);
    s->first['>'] = s->first['<'];
    for (unsigned i = 0; i < 256; i++) {
        for (unsigned k = 0; k < sizeof starts; k++)
            if (secret_starts((uint8_t)starts[k], (uint8_t)i))
                s->second[i] |= (uint8_t)(1u << k);
        s->symbol[i] = secret_symbol((uint8_t)i) >= 0;
    }
    s->second['>'] |= s->first['>'];
}

void secret_begin(struct secret_scan *s)
{
    s->kind = SECRET_NONE;
    s->begun = s->wide = s->ours = s->theirs = false;
    s->at = s->offset = 0;
    s->len = s->done = 0;
    s->run.open = false;
}

/* ---- UTF-16 */

/* A byte order mark, or text in which each other byte is zero. */
static bool is_wide(const uint8_t *p, size_t len)
{
    unsigned zeros[2] = {0, 0};

    if (len < 4)
        return false;
    if ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))
        return true;
    for (size_t i = 0; i < len && i < 64; i++)
        zeros[i & 1] += p[i] == 0;
    return len >= 32 && zeros[0] + zeros[1] >= 15 && (!zeros[0] || !zeros[1]);
}

static size_t narrow(uint8_t *p, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++)
        if (p[i])
            p[out++] = p[i];
    return out;
}

/* ---- what was decoded */

static bool look(struct secret_scan *s, const struct secret_text *t,
                 const uint8_t *p)
{
    if (!(s->first[p[0]] & s->second[p[1]]))
        return false;
    s->kind = secret_form(s, t, p);
    return s->kind != SECRET_NONE;
}

static bool look_at_plain(struct secret_scan *s)
{
    struct secret_run *r = &s->run;
    size_t len = r->len;
    struct secret_text t = {r->plain, r->plain, true};
    bool ours = s->ours, theirs = s->theirs, found = false;

    if (is_wide(r->plain, len))
        len = narrow(r->plain, len);
    t.end = r->plain + len;
    for (size_t i = 0; i + 1 < len && !found; i++)
        found = look(s, &t, r->plain + i);
    s->at = found ? r->at : 0;
    s->ours = ours;
    s->theirs = theirs;
    return found;
}

static void open_run(struct secret_scan *s, const uint8_t *p)
{
    struct secret_run *r = &s->run;

    r->open = true;
    r->at = s->offset + (uint64_t)(p - s->bytes);
    r->bits = r->bit_count = 0;
    r->len = 0;
}

/* True: a secret. */
static bool decode_symbol(struct secret_scan *s, uint8_t byte)
{
    struct secret_run *r = &s->run;

    r->bits = r->bits << 6 | (uint32_t)secret_symbol(byte);
    r->bit_count += 6;
    if (r->bit_count < 8)
        return false;
    r->bit_count -= 8;
    r->plain[r->len++] = (uint8_t)(r->bits >> r->bit_count);
    if (r->len < sizeof r->plain)
        return false;
    if (look_at_plain(s))
        return true;
    memmove(r->plain, r->plain + r->len - KEEP, KEEP);
    r->len = KEEP;
    return false;
}

static bool close_run(struct secret_scan *s)
{
    if (!s->run.open)
        return false;
    s->run.open = false;
    return look_at_plain(s);
}

static size_t symbols_at(const struct secret_scan *s, const uint8_t *p,
                         const uint8_t *end)
{
    size_t n = 0;

    while (p + n < end && s->symbol[p[n]])
        n++;
    return n;
}

/* Where base64 goes on after a line of it, which ends at p; NULL: not. */
static const uint8_t *next_line(const struct secret_scan *s, const uint8_t *p,
                                const uint8_t *end)
{
    const uint8_t *from = p;

    while (p < end && p - from < GAP && *p != '=' && !s->symbol[*p])
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    return p < end && p - from < GAP && s->symbol[*p] ? p : NULL;
}

/* Decodes from p up to `limit` at most, while there is base64.  Returns where
 * it ended; *found: a secret was. */
static const uint8_t *take_run(struct secret_scan *s, const uint8_t *p,
                               const uint8_t *limit, const uint8_t *end,
                               bool *found)
{
    for (;;) {
        const uint8_t *line = p, *next;

        while (p < limit && s->symbol[*p])
            if (decode_symbol(s, *p++)) {
                *found = true;
                return p;
            }
        if (p >= limit)
            return p;
        next = p - line >= BLOCK ? next_line(s, p, end) : NULL;
        if (!next) {
            *found = close_run(s);
            return p;
        }
        p = next;
    }
}

/* ---- the pass */

static bool has_base64(const struct secret_scan *s, const uint8_t *p)
{
    return s->symbol[p[BLOCK - 1]] && s->symbol[p[0]] &&
           symbols_at(s, p, p + BLOCK) == BLOCK;
}

/* The first of the symbols that p is one of. */
static const uint8_t *run_start(const struct secret_scan *s,
                                const struct secret_text *t, const uint8_t *p)
{
    while (p > t->begin && s->symbol[p[-1]])
        p--;
    return p;
}

static bool look_at_block(struct secret_scan *s, const struct secret_text *t,
                          const uint8_t *p)
{
    uint8_t any = 0;

    for (unsigned i = 0; i < BLOCK; i++)
        any |= s->first[p[i]] & s->second[p[i + 1]];
    for (unsigned i = 0; any && i < BLOCK; i++)
        if (look(s, t, p + i)) {
            s->at = s->offset + (uint64_t)(p + i - s->bytes);
            return true;
        }
    return false;
}

/* Looks for what begins before `limit`, in blocks: up to 15 bytes more. */
static bool search(struct secret_scan *s, const uint8_t *limit)
{
    struct secret_text t = {s->bytes, s->bytes + s->len, s->offset == 0};
    const uint8_t *p = s->bytes + s->done, *run = p;
    bool found = false;

    if (s->run.open)
        run = take_run(s, p, limit, t.end, &found);
    for (; p < limit && !found; p += BLOCK) {
        found = look_at_block(s, &t, p);
        if (!found && p >= run && has_base64(s, p)) {
            open_run(s, p);
            run = take_run(s, run_start(s, &t, p), limit, t.end, &found);
        }
    }
    s->done = (size_t)(p - s->bytes);
    return found;
}

/* Makes room; keeps what a line's begin is known from. */
static void shift(struct secret_scan *s)
{
    size_t gone = s->done > SECRET_BEHIND ? s->done - SECRET_BEHIND : 0;

    memmove(s->bytes, s->bytes + gone, s->len - gone);
    s->offset += gone;
    s->len -= gone;
    s->done -= gone;
}

bool secret_feed(struct secret_scan *s, const uint8_t *bytes, size_t len,
                 bool end)
{
    uint8_t *to = s->bytes + s->len;
    size_t limit;

    if (s->kind != SECRET_NONE)
        return true;
    memcpy(to, bytes, len);
    if (!s->begun) {
        s->wide = is_wide(bytes, len);
        memcpy(s->head, bytes, len < sizeof s->head ? len : sizeof s->head);
    }
    s->begun = s->begun || len;
    s->len += s->wide ? narrow(to, len) : len;
    if (end) {
        /* Blocks end on zeros. */
        memset(s->bytes + s->len, 0, BLOCK + 1);
        if (!search(s, s->bytes + s->len))
            close_run(s);
        return s->kind != SECRET_NONE;
    }
    limit = s->len > SECRET_AHEAD ? (s->len - SECRET_AHEAD) / BLOCK * BLOCK : 0;
    if (s->done < limit && !search(s, s->bytes + limit))
        shift(s);
    return s->kind != SECRET_NONE;
}
