// test_emit.c - golden C: what tests/emit/*.tfx become is tests/emit/*.c.
//
// A model with the words "stored as bf16" gets a checkpoint that is, one with "made with
// --dispatch" is, and a `recipe small` of its own is used. UPDATE=1 rewrites the
// C files; read the diff like any other change.

#define _POSIX_C_SOURCE 200809L

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "compiler/driver/spawn.h"

// The program's text; its version is not what these files are about.
static const char *emitted(Arena *a, const char *folder, const char *name)
{
    static const char by[] = "by tfxc ";
    const char *why, *at = temp_folder(a, &why);
    StrList argv = {0};
    Text out;
    text_init(&out, a);
    cr_assert(at, "%s", why);
    split_words(a, &argv, "sh -c");
    vec_push(a, &argv,
             arena_printf(a,
                          "set -e; cd '%s'; W=\n"
                          "if grep -q '// stored as bf16' %s.tfx; then\n"
                          "    '%s' init %s.tfx --dtype bf16 -o '%s/w.safetensors'\n"
                          "    W='--weights=%s/w.safetensors'\n"
                          "fi\n"
                          "if grep -q '^recipe small' %s.tfx; then\n"
                          "    W='--recipe=small'\n"
                          "fi\n"
                          "D=$(grep -o '^// made with --dispatch' %s.tfx || :)\n"
                          "'%s' %s.tfx --emit=c $W ${D#// made with }",
                          folder, name, getenv("TFXC"), name, at, at, name, name,
                          getenv("TFXC"), name));
    int status = spawn(a, &argv, &out);
    temp_remove(a, at);
    cr_expect(status == 0, "%s: status %d\n%s", name, status, out.p);
    char *version = strstr(out.p, by), *end = version ? strstr(version, ". ") : NULL;
    if (end) {
        version += sizeof(by) - 2;
        memmove(version, end, strlen(end) + 1);
    }
    return out.p;
}

static int line_of_difference(const char *a, const char *b)
{
    int line = 1;
    for (; *a && *a == *b; a++, b++)
        line += *a == '\n';
    return line;
}

static void check(const char *folder, const char *name)
{
    Arena *a = arena_new();
    size_t n;
    const char *path = arena_printf(a, "%s/%s.c", folder, name);
    const char *got = emitted(a, folder, name), *want = cases_read(a, path, &n);
    if (getenv("UPDATE")) {
        FILE *f = fopen(path, "w");
        cr_assert(f && fputs(got, f) >= 0 && fclose(f) == 0);
        want = got;
    }
    cr_expect(want && strcmp(got, want) == 0,
              "%s:%d differs from what is emitted; UPDATE=1 rewrites it", path,
              want ? line_of_difference(got, want) : 0);
    arena_free(a);
}

Test(emit, programs_are_their_golden_files)
{
    char folder[4096];
    int checked = 0;
    cr_assert(getenv("TFXC") && getenv("TFXC_ROOT"), "run this by meson test");
    setenv("LC_ALL", "C.UTF-8", 1);
    snprintf(folder, sizeof(folder), "%s/tests/emit", getenv("TFXC_ROOT"));
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n <= 4 || strcmp(e->d_name + n - 4, ".tfx") != 0)
            continue;
        e->d_name[n - 4] = '\0';
        check(folder, e->d_name);
        checked++;
    }
    if (d)
        closedir(d);
    cr_expect(checked >= 6, "only %d models in %s", checked, folder);
}
