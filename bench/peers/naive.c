/* Max-plus product C[i,j] = max_k A[i,k] + B[k,j], as a textbook has it and with the loops interchanged so that a
   compiler can use vectors.  naive ORDER N A.raw B.raw C.raw: each line on stdin is a number of calls, answered by
   their milliseconds; at the end of the input the result is written. */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void ijk(long n, const float *restrict A, const float *restrict B, float *restrict C) {
  for (long i = 0; i < n; i++)
    for (long j = 0; j < n; j++) {
      float best = -INFINITY;
      for (long k = 0; k < n; k++) {
        float sum = A[i * n + k] + B[k * n + j];
        best = sum > best ? sum : best;
      }
      C[i * n + j] = best;
    }
}

static void ikj(long n, const float *restrict A, const float *restrict B, float *restrict C) {
  for (long i = 0; i < n; i++) {
    for (long j = 0; j < n; j++) C[i * n + j] = -INFINITY;
    for (long k = 0; k < n; k++)
      for (long j = 0; j < n; j++) {
        float sum = A[i * n + k] + B[k * n + j];
        C[i * n + j] = sum > C[i * n + j] ? sum : C[i * n + j];
      }
  }
}

static float *values(const char *path, long count) {
  float *data = malloc(count * sizeof(float));
  FILE *file = fopen(path, "rb");
  if (!data || !file || fread(data, sizeof(float), count, file) != (size_t)count) exit(1);
  fclose(file);
  return data;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  long n = atol(argv[2]), calls;
  float *A = values(argv[3], n * n), *B = values(argv[4], n * n), *C = malloc(n * n * sizeof(float));
  while (scanf("%ld", &calls) == 1) {
    double start = now();
    for (long call = 0; call < calls; call++) (strcmp(argv[1], "ikj") ? ijk : ikj)(n, A, B, C);
    printf("%.6f\n", now() - start);
    fflush(stdout);
  }
  FILE *file = fopen(argv[5], "wb");
  if (!file || fwrite(C, sizeof(float), n * n, file) != (size_t)(n * n)) return 1;
  return fclose(file) ? 1 : 0;
}
