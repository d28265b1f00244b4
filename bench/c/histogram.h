/* Latencies in nanoseconds: 128 linear steps per power of two, so that a quantile is off by less than 0.8 %. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>
#include <string.h>

#define STEP_BITS 7
#define STEPS (1 << STEP_BITS)

struct histogram {
    uint64_t total, most;
    uint64_t counts[(64 - STEP_BITS + 1) * STEPS];
};

static inline size_t bucket_of(uint64_t value) {
    int shift;
    if (value < STEPS) return (size_t)value;
    shift = 63 - __builtin_clzll(value) - STEP_BITS;
    return (size_t)(shift + 1) * STEPS + (size_t)((value >> shift) - STEPS);
}

/* The highest value that falls into a bucket. */
static inline uint64_t top_of(size_t bucket) {
    size_t shift;
    if (bucket < STEPS) return bucket;
    shift = bucket / STEPS - 1;
    return ((uint64_t)(STEPS + bucket % STEPS + 1) << shift) - 1;
}

static inline void record(struct histogram *histogram, uint64_t value) {
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
    if (value > histogram->most) histogram->most = value;
}

static inline uint64_t quantile(const struct histogram *histogram, double part) {
    uint64_t wanted = (uint64_t)(part * (double)histogram->total + 0.5), seen = 0;
    if (wanted < 1) wanted = 1;
    for (size_t bucket = 0; bucket < sizeof histogram->counts / sizeof *histogram->counts; bucket++) {
        seen += histogram->counts[bucket];
        if (histogram->total && seen >= wanted) return top_of(bucket) < histogram->most ? top_of(bucket) : histogram->most;
    }
    return 0;
}

#endif
