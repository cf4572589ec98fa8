// SPDX-License-Identifier: 0BSD
// cpu.h - the levels of a program made with --dispatch, which compiles one text for several
// instruction sets: those that this compiler can, and those that this processor can.
//
//     TFX_LEVEL_name  1: the program has the level. -DTFX_LEVEL_amx=0 for all of its files
//                     leaves one out
//     TFX_CPU_name    its bit in tfx_cpu()
//
// tfx_cpu() asks the processor each time, some hundred cycles: nothing is kept.

#ifndef TFX_CPU_H
#define TFX_CPU_H

// ---- what the compiler can -----------------------------------------------------------

// gcc for Windows does not align the stack for wider vectors.
#if defined(__GNUC__) && !defined(__TINYC__) && !defined(TFX_SCALAR) &&                \
    defined(__x86_64__) && (!defined(_WIN32) || defined(__clang__))
#    define TFX_LEVELS_X86_64 1
#else
#    define TFX_LEVELS_X86_64 0
#endif

#if defined(__GNUC__) && !defined(__TINYC__) && !defined(TFX_SCALAR) &&                \
    defined(__aarch64__) && defined(__linux__)
#    define TFX_LEVELS_AARCH64 1
#else
#    define TFX_LEVELS_AARCH64 0
#endif

#if defined(__clang__) ? __clang_major__ >= 12 : defined(__GNUC__) && __GNUC__ >= 11
#    define TFX_COMPILER_2021 1  // knows AMX and AVX-VNNI
#else
#    define TFX_COMPILER_2021 0
#endif

#ifndef TFX_LEVEL_avx2
#    define TFX_LEVEL_avx2 TFX_LEVELS_X86_64
#endif
#ifndef TFX_LEVEL_avxvnni
#    define TFX_LEVEL_avxvnni (TFX_LEVELS_X86_64 && TFX_COMPILER_2021)
#endif
#ifndef TFX_LEVEL_avx512
#    define TFX_LEVEL_avx512 TFX_LEVELS_X86_64
#endif
#ifndef TFX_LEVEL_vnni
#    define TFX_LEVEL_vnni TFX_LEVELS_X86_64
#endif
#ifndef TFX_LEVEL_amx
#    define TFX_LEVEL_amx (TFX_LEVELS_X86_64 && TFX_COMPILER_2021)
#endif
#ifndef TFX_LEVEL_dotprod
#    define TFX_LEVEL_dotprod TFX_LEVELS_AARCH64
#endif

// ---- what the processor can ----------------------------------------------------------

enum {
    TFX_CPU_avx2 = 1,
    TFX_CPU_avxvnni = 2,
    TFX_CPU_avx512 = 4,
    TFX_CPU_vnni = 8,
    TFX_CPU_amx = 16,
    TFX_CPU_dotprod = 32
};

#if TFX_LEVELS_X86_64
#    include <cpuid.h>

static inline int tfx_has_bits(unsigned word, unsigned bits)
{
    return (word & bits) == bits;
}

// The registers that the system keeps when it changes threads.
static inline unsigned tfx_kept_registers(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

// A level counts only with all below it, and if the system keeps its registers.
static inline int tfx_cpu(void)
{
    enum {
        // leaf 1, ecx: SSE3, SSSE3, FMA, SSE4.1, SSE4.2, POPCNT, OSXSAVE, AVX, F16C
        AVX = 1 | 1 << 9 | 1 << 12 | 1 << 19 | 1 << 20 | 1 << 23 | 1 << 27 | 1 << 28 |
              1 << 29,
        AVX2 = 1 << 5,                                       // leaf 7, ebx
        AVX512_LOW = 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30,  // F, DQ, CD, BW
        VNNI = 1 << 11,                                      // ecx
        AMX = 1 << 22 | 1 << 24 | 1 << 25,                   // edx: bf16, tile, int8
        AVXVNNI = 1 << 4,                                    // leaf 7.1, eax
        BF16 = 1 << 5,
        KEEPS_YMM = 6,  // xgetbv
        KEEPS_ZMM = 0xe6,
        KEEPS_TILES = 0x60000
    };
    const unsigned vl = 1u << 31;
    unsigned a, b, c, d, a71 = 0, keeps;
    int cpu = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !tfx_has_bits(c, AVX))
        return 0;
    keeps = tfx_kept_registers();
    __get_cpuid_count(7, 1, &a71, &b, &c, &d);
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !tfx_has_bits(b, AVX2) ||
        !tfx_has_bits(keeps, KEEPS_YMM))
        return 0;
    cpu |= TFX_CPU_avx2;
    if (a >= 1 && tfx_has_bits(a71, AVXVNNI))
        cpu |= TFX_CPU_avxvnni;
    if (!tfx_has_bits(b, AVX512_LOW | vl) || !tfx_has_bits(keeps, KEEPS_ZMM))
        return cpu;
    cpu |= TFX_CPU_avx512;
    if (!tfx_has_bits(c, VNNI))
        return cpu;
    cpu |= TFX_CPU_vnni;
    if (a >= 1 && tfx_has_bits(a71, BF16) && tfx_has_bits(d, AMX) &&
        tfx_has_bits(keeps, KEEPS_TILES))
        cpu |= TFX_CPU_amx;
    return cpu;
}

#elif TFX_LEVELS_AARCH64
#    include <sys/auxv.h>

static inline int tfx_cpu(void)
{
    enum { HWCAP = 16, ASIMDDP = 1 << 20 };  // Linux: AT_HWCAP, HWCAP_ASIMDDP
    return getauxval(HWCAP) & ASIMDDP ? TFX_CPU_dotprod : 0;
}

#else

static inline int tfx_cpu(void)
{
    return 0;
}

#endif

static inline int tfx_is_name(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

#endif
