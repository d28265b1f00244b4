/* Guidance for libFuzzer out of gcc's -fsanitize-coverage=trace-pc,trace-cmp, so that no clang is needed.
 *
 * Each traced place of the extension bumps one of N counters; libFuzzer is shown the counters and a table of as many
 * made-up places. Comparisons are handed on: by a tail call, since libFuzzer tells them apart by the return address.
 * libFuzzer is the one inside atheris, found by `guide_by`, which the driver calls once with its functions. */
#include <stdint.h>

#define N 65536
#define QUIET __attribute__((no_sanitize_coverage))

typedef void range(const void *start, const void *stop);
typedef void compare1(uint8_t, uint8_t);
typedef void compare2(uint16_t, uint16_t);
typedef void compare4(uint32_t, uint32_t);
typedef void compare8(uint64_t, uint64_t);
typedef void choose(uint64_t, uint64_t *);

static uint8_t counters[N];
static uintptr_t places[2 * N];
static compare1 *cmp1, *const_cmp1;
static compare2 *cmp2, *const_cmp2;
static compare4 *cmp4, *const_cmp4;
static compare8 *cmp8, *const_cmp8;
static choose *chosen;

QUIET void guide_by(range *show_counters, range *show_places, void **compare)
{
    for (uintptr_t i = 0; i < N; i++)
        places[2 * i] = (uintptr_t)counters + i;
    show_counters(counters, counters + N);
    show_places(places, places + 2 * N);
    cmp1 = compare[0], cmp2 = compare[1], cmp4 = compare[2], cmp8 = compare[3];
    const_cmp1 = compare[4], const_cmp2 = compare[5], const_cmp4 = compare[6], const_cmp8 = compare[7];
    chosen = compare[8];
}

QUIET void __sanitizer_cov_trace_pc(void)
{
    uintptr_t at = (uintptr_t)__builtin_return_address(0) - (uintptr_t)counters;
    counters[(at * 0x9E3779B97F4A7C15ull) >> 48]++;
}

#define HAND_ON(name, pointer, type)               \
    QUIET void __sanitizer_cov_trace_##name(type a, type b) \
    {                                              \
        if (pointer)                               \
            pointer(a, b);                         \
    }

HAND_ON(cmp1, cmp1, uint8_t)
HAND_ON(cmp2, cmp2, uint16_t)
HAND_ON(cmp4, cmp4, uint32_t)
HAND_ON(cmp8, cmp8, uint64_t)
HAND_ON(const_cmp1, const_cmp1, uint8_t)
HAND_ON(const_cmp2, const_cmp2, uint16_t)
HAND_ON(const_cmp4, const_cmp4, uint32_t)
HAND_ON(const_cmp8, const_cmp8, uint64_t)

QUIET void __sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases)
{
    if (chosen)
        chosen(value, cases);
}

/* libFuzzer has no use for floating point numbers. */
QUIET void __sanitizer_cov_trace_cmpf(float a, float b)
{
    (void)a, (void)b;
}

QUIET void __sanitizer_cov_trace_cmpd(double a, double b)
{
    (void)a, (void)b;
}
