/* What a kernel defines, and what harness.c gives it.
 *
 * A kernel writes its results only into what output() gave: the harness clears that before
 * each configuration and sums it up afterwards. Results must not depend on the number of
 * threads or the schedule, so what is added up across iterations is an integer. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Make the input; returns the number of iterations of the (largest) parallel loop. */
long prepare(long size);

/* Run the parallel loops once; a second call gives the same. */
void kernel(void);

void *input(size_t bytes);         /* memory, zeroed */
void *output(size_t bytes);        /* the same, for results */
uint32_t draw(void);               /* 32 random bits, the same in every run */
void fill(double *values, long n); /* random numbers in [0, 1) */

#endif
