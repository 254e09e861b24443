/* What the native parts measure with: clocks, and a histogram of durations.
 *
 * The histogram has 64 steps in every power of two, so a percentile is right to 1.6 %, whatever the range.
 */
#ifndef RMOS_BENCH_MEASURE_H
#define RMOS_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STEPS = 64, STEP_BITS = 6, BUCKETS = STEPS * (64 - STEP_BITS + 1) };

typedef struct {
    uint64_t count;
    uint64_t largest;
    uint64_t buckets[BUCKETS];
} histogram;

static inline uint64_t clock_ns(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void histogram_clear(histogram *h)
{
    memset(h, 0, sizeof *h);
}

static inline void histogram_add(histogram *h, uint64_t value)
{
    h->count++;
    if (value > h->largest)
        h->largest = value;
    if (value < STEPS) {
        h->buckets[value]++;
        return;
    }
    int power = 63 - __builtin_clzll(value);
    int step = (int)((value >> (power - STEP_BITS)) & (STEPS - 1));
    h->buckets[(power - STEP_BITS + 1) * STEPS + step]++;
}

/* Lower edge of the bucket that holds the given share (0 … 1) of all values; 0 when there are none. */
static inline uint64_t histogram_quantile(const histogram *h, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)h->count), seen = 0;
    for (int i = 0; i < BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > wanted)
            return i < STEPS ? (uint64_t)i : (uint64_t)(STEPS + i % STEPS) << (i / STEPS - 1);
    }
    return h->largest;
}

/* Writes `"name":{...},`: the count and the usual percentiles, in nanoseconds. */
static inline void histogram_print(FILE *out, const char *name, const histogram *h)
{
    fprintf(out, "\"%s\":{\"count\":%llu,\"p50_ns\":%llu,\"p90_ns\":%llu,\"p99_ns\":%llu,\"max_ns\":%llu},", name,
            (unsigned long long)h->count, (unsigned long long)histogram_quantile(h, 0.50),
            (unsigned long long)histogram_quantile(h, 0.90), (unsigned long long)histogram_quantile(h, 0.99),
            (unsigned long long)h->largest);
}

#endif
