/* What a server answered in place of what was asked for, in words. */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include "fetch.h"

enum { ANSWER_WORDS = 2 * FETCH_URL };

/* Whether it is a web page or came compressed, whatever was asked for. */
bool answer_is_foreign(const struct fetch_answer *a);

/* One line for an answer that is not `whole` bytes (0: nobody knows) of a
 * `what`: what it is, its headers, where it came from, what to do. */
const char *answer_words(const struct fetch_answer *a, const char *what,
                         uint64_t whole, char out[ANSWER_WORDS]);

/* The same for a status that is none of 200, 206, 304: "answered 403 ...". */
const char *answer_status(const struct fetch_answer *a, char out[ANSWER_WORDS]);

#endif
