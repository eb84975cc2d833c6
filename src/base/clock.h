/* Time that passes. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment, whatever is done to the time of day. */
uint64_t clock_ms(void);

#endif
