/* All of a buffer from or to a descriptor, whatever interrupts. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads on from where `fd` stands, which need not be a file: the bytes read,
 * fewer than `len` only at its end, or -1 and errno. */
ssize_t file_read(int fd, void *buf, size_t len);

/* The same at `offset`, of a file. */
ssize_t file_read_at(int fd, uint64_t offset, void *buf, size_t len);

/* Writes all of `len` bytes.  0, or -1 and errno: then some may be there. */
int file_write(int fd, const void *buf, size_t len);

#endif
