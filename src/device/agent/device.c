/* Device ids: as given, or the first interface's MAC. */
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#ifdef __linux__
#include <linux/if_packet.h>
#include <net/if_arp.h>
#endif

#include "device.h"

void device_text(const uint8_t *id, uint8_t len, char out[DEVICE_TEXT])
{
    unsigned i;

    for (i = 0; i < len; i++)
        snprintf(out + 2 * (size_t)i, 3, "%02x", id[i]);
}

#ifdef __linux__
/* Below another in order: given by a maker before made up by software, then
 * the lower index.  -1: no Ethernet address. */
static long rank(const struct ifaddrs *a)
{
    const struct sockaddr_ll *l = (const void *)a->ifa_addr;
    static const uint8_t none[6];

    if (!l || l->sll_family != AF_PACKET || l->sll_halen != 6 ||
        l->sll_hatype != ARPHRD_ETHER || memcmp(l->sll_addr, none, 6) == 0)
        return -1;
    return l->sll_ifindex + (l->sll_addr[0] & 2 ? 1L << 24 : 0);
}

uint8_t device_first_mac(uint8_t id[8])
{
    struct ifaddrs *all = NULL, *a;
    long best = -1, r;

    memset(id, 0, 8);
    if (getifaddrs(&all) != 0)
        return 0;
    for (a = all; a; a = a->ifa_next) {
        r = rank(a);
        if (r < 0 || (best >= 0 && best <= r))
            continue;
        best = r;
        memcpy(
            id,
            ((const struct sockaddr_ll *)(const void *)a->ifa_addr)->sll_addr,
            6);
    }
    freeifaddrs(all);
    return best < 0 ? 0 : 6;
}
#else
uint8_t device_first_mac(uint8_t id[8])
{
    memset(id, 0, 8);
    return 0;
}
#endif
