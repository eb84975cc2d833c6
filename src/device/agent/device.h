/* Which device this is. */
#ifndef AGENT_DEVICE_H
#define AGENT_DEVICE_H

#include <stddef.h>
#include <stdint.h>

enum { DEVICE_TEXT = 17 }; /* 16 hex digits and NUL */

/* The MAC of the first interface.  6, or 0: there is none. */
uint8_t device_first_mac(uint8_t id[8]);

/* As in names: lower-case hex without separators. */
void device_text(const uint8_t *id, uint8_t len, char out[DEVICE_TEXT]);

#endif
