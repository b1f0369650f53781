/*
 * The floor of the bench: keeps the given files open and re-reads each to its end, and nothing else. Prints the
 * nanoseconds of CPU that one turn over all files takes, as a median.
 *
 *   floor 0 FILE...    in a hot loop, per turn of several batches
 *   floor N FILE...    N turns, one a second, caches as cold as sonde finds them
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 512, BATCHES = 9, TURNS = 200, PACED_MAX = 100000 };

/* Not larger: the kernel zeroes a buffer of this size for every read below /proc/sys. */
static char buffer[32 << 10];
static int files[FILES_MAX], opened;
static double values[PACED_MAX];

static double cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static double turn_ns(int turns) {
  double before = cpu_ns();
  for (int turn = 0; turn < turns; turn++) {
    for (int at = 0; at < opened; at++) {
      off_t offset = 0;
      ssize_t length;
      while ((length = pread(files[at], buffer, sizeof buffer, offset)) > 0) offset += length;
    }
  }
  return (cpu_ns() - before) / turns;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int main(int count, char **words) {
  int paced = count > 1 ? atoi(words[1]) : 0;
  if (paced > PACED_MAX) paced = PACED_MAX;
  for (int at = 2; at < count && opened < FILES_MAX; at++) {
    int file = open(words[at], O_RDONLY | O_CLOEXEC);
    if (file >= 0) files[opened++] = file;
  }
  int samples = paced > 0 ? paced : BATCHES;
  for (int sample = 0; sample < samples; sample++) {
    if (paced > 0) sleep(1);
    values[sample] = turn_ns(paced > 0 ? 1 : TURNS);
  }
  qsort(values, samples, sizeof(double), ascending);
  printf("{\"files\":%d,\"ns\":%.0f}\n", opened, values[samples / 2]);
  return opened > 0 ? 0 : 1;
}
