/* What a path on a device may be. */
#ifndef CONFIG_PATH_H
#define CONFIG_PATH_H

/* Why `path` cannot be a path on a device, to follow "'PATH' cannot be a path
 * on the device: ", or NULL if it can: ota_path_check() and what the host
 * refuses besides (ota-bundle(5), Paths). */
const char *path_problem(const char *path);

#endif
