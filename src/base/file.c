/* All of a buffer from or to a descriptor. */
#include "file.h"

#include <errno.h>
#include <unistd.h>

ssize_t file_read(int fd, void *buf, size_t len)
{
    size_t have = 0;
    ssize_t n = 1;

    while (have < len && n) {
        n = read(fd, (uint8_t *)buf + have, len - have);
        if (n < 0 && errno != EINTR)
            return -1;
        have += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)have;
}

ssize_t file_read_at(int fd, uint64_t offset, void *buf, size_t len)
{
    size_t have = 0;
    ssize_t n = 1;

    while (have < len && n) {
        n = pread(fd, (uint8_t *)buf + have, len - have,
                  (off_t)(offset + have));
        if (n < 0 && errno != EINTR)
            return -1;
        have += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)have;
}

int file_write(int fd, const void *buf, size_t len)
{
    const uint8_t *at = buf;

    while (len) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return 0;
}
