/* The least that publishing can cost: zlib once over the content, a signature
 * a device, a small file a device written, renamed and made durable by one
 * syncfs.  floor FOLDER DEVICES FILE...: prints the processor seconds that it
 * took, user and system. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { MANIFEST = 224, SIGNED = MANIFEST - 64 };

static int fail(const char *what)
{
    perror(what);
    exit(1);
}

static void compress_file(z_stream *z, const char *path)
{
    static uint8_t in[65536], out[65536];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        fail(path);
    while ((n = fread(in, 1, sizeof in, f)) > 0) {
        z->next_in = in;
        z->avail_in = (uInt)n;
        do {
            z->next_out = out;
            z->avail_out = sizeof out;
            deflate(z, Z_NO_FLUSH);
        } while (!z->avail_out);
    }
    fclose(f);
}

static void compress_all(char **paths, int count)
{
    static uint8_t out[65536];
    z_stream z;
    int i;

    memset(&z, 0, sizeof z);
    if (deflateInit(&z, 9) != Z_OK)
        fail("zlib");
    for (i = 0; i < count; i++)
        compress_file(&z, paths[i]);
    do {
        z.next_out = out;
        z.avail_out = sizeof out;
    } while (deflate(&z, Z_FINISH) == Z_OK);
    deflateEnd(&z);
}

/* One device: a folder, a file in .part, a rename. */
static void write_manifest(int devices, int part, long number,
                           const uint8_t *bytes)
{
    char folder[32], name[48];
    int fd;

    snprintf(folder, sizeof folder, "246f28%06lx", number);
    snprintf(name, sizeof name, "%s/manifest", folder);
    fd = openat(part, folder, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, bytes, MANIFEST) != MANIFEST || close(fd))
        fail("write");
    if (mkdirat(devices, folder, 0755) || renameat(part, folder, devices, name))
        fail(name);
}

static int open_folder(const char *base, const char *name)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s%s", base, name);
    if (mkdir(path, 0755) ||
        (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return fail(path);
    return fd;
}

static void write_all(const char *base, long count)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {1};
    uint8_t public[crypto_sign_PUBLICKEYBYTES], bytes[MANIFEST] = "OTAB";
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    int top = open_folder(base, ""), part = open_folder(base, "/.part");
    int devices = open_folder(base, "/devices");
    long i;

    crypto_sign_seed_keypair(public, secret, seed);
    for (i = 0; i < count; i++) {
        memcpy(bytes + 16, &i, sizeof i);
        crypto_sign_detached(bytes + SIGNED, NULL, bytes, SIGNED, secret);
        write_manifest(devices, part, i, bytes);
    }
    if (syncfs(top))
        fail("syncfs");
    close(devices);
    close(part);
    close(top);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct rusage used;
    long count = argc > 3 ? strtol(argv[2], NULL, 10) : 0;

    if (count < 1 || sodium_init() < 0) {
        fprintf(stderr, "usage: floor FOLDER DEVICES FILE...\n");
        return 2;
    }
    compress_all(argv + 3, argc - 3);
    write_all(argv[1], count);
    getrusage(RUSAGE_SELF, &used);
    printf("%.3f\n", seconds(used.ru_utime) + seconds(used.ru_stime));
    return 0;
}
