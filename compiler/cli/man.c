// man.c - prints docs/tfxc.1; a program of the build only.

#include "cli.h"
#include "compiler/tfxc.h"

#include <stdio.h>

int main(void)
{
    Guard g;
    if (GUARD_SET(&g)) {
        fprintf(stderr, "%s\n", g.message);
        return 70;
    }
    Text out;
    Arena *a = arena_new();
    text_init(&out, a);
    help_man(&out, TFXC_VERSION);
    bool ok = fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
    arena_free(a);
    guard_drop(&g);
    return ok ? 0 : 1;
}
