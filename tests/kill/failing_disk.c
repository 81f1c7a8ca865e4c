/*
 * Loaded into the server by LD_PRELOAD: while the file named by FAILING_DISK_FLAG exists, whatever
 * changes a file whose name has ".db" in it fails with the error number that the flag file holds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int failure(void) {
  const char *flag = getenv("FAILING_DISK_FLAG");
  char text[16] = "";
  int file;
  long got;
  if (!flag || (file = (int) syscall(SYS_openat, AT_FDCWD, flag, O_RDONLY)) < 0) return 0;
  got = syscall(SYS_read, file, text, sizeof text - 1);
  syscall(SYS_close, file);
  return got > 0 ? atoi(text) : 0;
}

static int fails(int file) {
  char link[64], path[4096];
  long length;
  int error = failure();
  if (!error) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  /* The index of the log is shared memory, and no matter of the disk. */
  if (!strstr(path, ".db") || strstr(path, "-shm")) return 0;
  errno = error;
  return 1;
}

#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  return fails(file) ? -1 : REAL(pwrite64)(file, bytes, count, offset);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  return fails(file) ? -1 : REAL(pwrite)(file, bytes, count, offset);
}
int fsync(int file) { return fails(file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails(file) ? -1 : REAL(fdatasync)(file); }
int ftruncate64(int file, off64_t size) { return fails(file) ? -1 : REAL(ftruncate64)(file, size); }
int ftruncate(int file, off_t size) { return fails(file) ? -1 : REAL(ftruncate)(file, size); }
