/* Many objects in turn: each takes a round trip, and they do not wait for one
 * another. */
#ifndef STORE_EACH_H
#define STORE_EACH_H

#include <stddef.h>

enum {
    STORE_HOPELESS = 20,   /* so many failures in a row are the server's */
    STORE_ASKED = 32 << 20 /* bytes that are asked for at once */
};

struct store_each {
    /* Asks ahead (store_ahead()) for what `take` of that item needs; returns
     * how many bytes will come, 0: few. */
    size_t (*ask)(void *ctx, size_t i);
    /* 0; 1: this one failed (reported); -1: it ends here. */
    int (*take)(void *ctx, size_t i);
    /* Those from `first` up to `end`, at most STORE_AHEAD, were asked for
     * together and all are taken; or NULL.  0, or -1: it ends here. */
    int (*taken)(void *ctx, size_t first, size_t end);
    void *ctx;
    size_t objects; /* that one item asks for at most, 0: one */
};

/* Asks for some of the items from `first` up to `end`, takes these in order,
 * and so on.  0; 1: STORE_HOPELESS in a row have failed, and the rest was not
 * tried; -1: a function said so. */
int store_each(const struct store_each *e, size_t first, size_t end);

#endif
