import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'

/**
 * keepalived does not start where the kernel has no IPVS, and on a kernel that emulates its machine nothing of what it
 * costs would be true. So its calls to IPVS (the old get- and setsockopt ones, which it takes where there is no netlink
 * family) are answered by "done" before they reach the kernel. Nothing else of it is touched.
 */
const source = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>
enum { FIRST = 1152, LAST = 1184 };
int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  static int (*real)(int, int, int, const void *, socklen_t);
  if (level == 0 && name >= FIRST && name < LAST) return 0;
  if (real == 0) *(void **)&real = dlsym(RTLD_NEXT, "setsockopt");
  return real(fd, level, name, value, length);
}
int getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  static int (*real)(int, int, int, void *, socklen_t *);
  if (level == 0 && name >= FIRST && name < LAST) {
    memset(value, 0, *length);
    return 0;
  }
  if (real == 0) *(void **)&real = dlsym(RTLD_NEXT, "getsockopt");
  return real(fd, level, name, value, length);
}
`

/** Compiles it into the folder; undefined where there is no compiler. */
export function buildShim(folder: string): string | undefined {
  const [text, library] = [join(folder, 'shim.c'), join(folder, 'shim.so')]
  writeFileSync(text, source)
  const made = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, text, '-ldl'])
  return made.status === 0 ? library : undefined
}
