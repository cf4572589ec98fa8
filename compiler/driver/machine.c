// machine.c - whether the machine that tfxc runs on is of a target.

#include "machine.h"

#include "runtime/cpu.h"

#include <string.h>

static const char *const machine =
#if defined(__x86_64__)
    "x86-64";
#elif defined(__aarch64__)
    "aarch64";
#else
    "";
#endif

bool machine_is(const Target *t)
{
#define TARGET(row, machine, flags, doc)
#define LEVEL(row, machine, over, adds, use, flags, doc)                               \
    if (strcmp(t->name, #row) == 0)                                                    \
        return (tfx_cpu() & TFX_CPU_##row) != 0;
#include "compiler/targets.def"
#undef TARGET
#undef LEVEL
    return strcmp(t->machine, "any") == 0 || strcmp(t->machine, machine) == 0;
}
