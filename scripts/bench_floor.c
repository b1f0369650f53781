/*
 * The floor of the bench: keeps the given files open and re-reads each to its end, and nothing else. Prints the
 * nanoseconds of CPU that one turn over all files takes, the median of several batches.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 512, BATCHES = 9, TURNS = 200 };

/* Not larger: the kernel zeroes a buffer of this size for every read below /proc/sys. */
static char buffer[32 << 10];

static double cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int main(int count, char **paths) {
  int files[FILES_MAX], opened = 0;
  for (int at = 1; at < count && opened < FILES_MAX; at++) {
    int file = open(paths[at], O_RDONLY | O_CLOEXEC);
    if (file >= 0) files[opened++] = file;
  }
  double batches[BATCHES];
  for (int batch = 0; batch < BATCHES; batch++) {
    double before = cpu_ns();
    for (int turn = 0; turn < TURNS; turn++) {
      for (int at = 0; at < opened; at++) {
        off_t offset = 0;
        ssize_t length;
        while ((length = pread(files[at], buffer, sizeof buffer, offset)) > 0) offset += length;
      }
    }
    batches[batch] = (cpu_ns() - before) / TURNS;
  }
  qsort(batches, BATCHES, sizeof(double), ascending);
  printf("{\"files\":%d,\"ns\":%.0f}\n", opened, batches[BATCHES / 2]);
  return opened > 0 ? 0 : 1;
}
