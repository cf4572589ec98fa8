// runtime_text.c - tfx_rt.h, tfx_rt_q.h and tfx_rt.c, as they are written beside a program.
//
// All parts, whatever the program uses (those of compressed weights and those for AMX in files
// of their own, for programs that have some): then every program of one version has the same
// files, and several programs in one folder or one binary share them. What a program does
// not use are static functions, of which compilers leave nothing.

#include "runtime_text.h"

#include "compiler/embed/embed.h"

#include <string.h>

typedef enum File { ALWAYS, PACKED, TILES } File;  // tfx_rt.h, tfx_rt_q.h, tfx_rt_amx.h

typedef struct Part {
    const char *name, *file;
    File in;
} Part;

static const Part parts_table[] = {
#define KERNEL(name, file, needs, doc)   {#name, file, ALWAYS},
#define PACKED(name, file, needs, doc)   {#name, file, PACKED},
#define TILES(name, file, needs, doc)    {#name, file, TILES},
#define TEMPLATE(name, file, needs, doc) {#name, file, ALWAYS},
#include "runtime/kernels.def"
#undef KERNEL
#undef PACKED
#undef TILES
#undef TEMPLATE
};

enum { PARTS = COUNT(parts_table) };

static const char *text_of(const char *file)
{
    const Embedded *e = embedded_find(file);
    if (!e)
        bug("%s is not embedded", file);
    return e->text;
}

// The text without its lines `#include "..."`: what they name stands above.
static void put_part(Text *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        n += text[n] == '\n';
        const char *s = text + strspn(text, " \t");
        bool is_include =
            strncmp(s, "#include \"", 10) == 0 ||
            (*s == '#' && strncmp(s + 1 + strspn(s + 1, " "), "include \"", 9) == 0);
        if (!is_include)
            text_put(out, text, n);
        text += n;
    }
}

// Where the first part for tiles would stand, tfx_rt.h includes all of them.
static void put_parts(Text *out, File in)
{
    bool done = in != ALWAYS;
    for (int i = 0; i < PARTS; i++) {
        if (parts_table[i].in == TILES && !done) {
            text_puts(out, "\n#if TFX_AMX\n#    include \"tfx_rt_amx.h\"\n#endif\n");
            done = true;
        }
        if (parts_table[i].in != in)
            continue;
        text_puts(out, "\n");
        put_part(out, text_of(parts_table[i].file));
    }
}

void runtime_header(Text *out)
{
    put_part(out, text_of("tfx.h"));
    put_parts(out, ALWAYS);
}

void runtime_packed_header(Text *out)
{
    text_puts(
        out,
        "// SPDX-License-Identifier: 0BSD\n"
        "// tfx_rt_q.h - products with compressed weights; include tfx_rt.h first.\n");
    put_parts(out, PACKED);
}

void runtime_tiles_header(Text *out)
{
    text_puts(out,
              "// SPDX-License-Identifier: 0BSD\n"
              "// tfx_rt_amx.h - products by the tiles of Intel AMX; tfx_rt.h includes "
              "it.\n");
    put_parts(out, TILES);
}

void runtime_levels(Text *out)
{
    put_part(out, text_of("cpu.h"));
}

void runtime_source(Text *out)
{
    static const char from[] = "#include \"tfx.h\"";
    const char *text = text_of("tfx_rt.c"), *at = strstr(text, from);
    if (!at)
        bug("tfx_rt.c does not include tfx.h");
    text_put(out, text, (size_t)(at - text));
    text_puts(out, "#include \"tfx_rt.h\"");
    text_puts(out, at + sizeof(from) - 1);
}
