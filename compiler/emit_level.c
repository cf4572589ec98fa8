// emit_level.c - --dispatch: the entries as a table for each level, and the choice.
//
// model.c is compiled once for each level: by itself for the least, and by model_avx2.c and
// the others, which include it between the pragmas of their level. Each of these leaves
// one struct of entries; model.c alone has the functions that callers see.

#include "compiler/emit.h"

#include <string.h>

bool emit_has_level(const Prog *p, const Target *t)
{
    return target_is_level(t) && (!t->for_bytes || emit_has_compressed(p));
}

static const char *emit_struct(Emit *e, const Target *t)
{
    return arena_printf(e->p->arena, "%s_level_%s", e->p->prefix, t->name);
}

static void put_entries(Text *out, const Prog *p, const char *name)
{
    text_printf(out, "{\n    .name = \"%s\",\n", name);
    for (int i = 0; i < p->entries.n; i++)
        text_printf(out, "    .%s = %s,\n", p->entries.p[i]->entry->name,
                    p->entries.p[i]->name);
    text_puts(out, "};\n\n");
}

// ---- in model.c --------------------------------------------------------------------------

static void emit_level_type(Emit *e)
{
    const Prog *p = e->p;
    Text *out = e->out;
    text_printf(
        out,
        "// The entries at one level. This file is compiled for each: by itself "
        "for the least,\n"
        "// and by %s_avx2.c and the like, which define TFX_LEVEL.\n",
        emit_stem(p, e->options));
    for (int i = 0; i < p->entries.n; i++) {
        const Func *f = p->entries.p[i];
        emit_line(e, "typedef %s %s_%s_fn(%s);", f->fails ? "int" : "void", p->prefix,
                  f->entry->name, emit_func_params(e, f));
    }
    text_printf(out, "\nstruct %s_level {\n    const char *name;\n", p->prefix);
    for (int i = 0; i < p->entries.n; i++)
        text_printf(out, "    %s_%s_fn *%s;\n", p->prefix, p->entries.p[i]->entry->name,
                    p->entries.p[i]->entry->name);
    text_puts(out, "};\n\n");
    for (int i = 0; target_row(i); i++)
        if (emit_has_level(p, target_row(i)))
            text_printf(out, "extern const struct %s_level %s;\n", p->prefix,
                        emit_struct(e, target_row(i)));
}

static void emit_level_list(Emit *e)
{
    const Prog *p = e->p;
    Text *out = e->out;
    int n = 0;
    while (target_row(n))
        n++;
    text_printf(out, "static const struct %s_level level_base = ", p->prefix);
    put_entries(out, p, "base");
    text_printf(out,
                "// The best first.\n"
                "static const struct {\n"
                "    int cpu;  // what it needs of tfx_cpu()\n"
                "    const struct %s_level *level;\n"
                "} levels[] = {\n",
                p->prefix);
    while (n-- > 0) {
        const Target *t = target_row(n);
        if (emit_has_level(p, t))
            text_printf(out,
                        "#    if TFX_LEVEL_%s\n    {TFX_CPU_%s, &%s},\n#    endif\n",
                        t->name, t->name, emit_struct(e, t));
    }
    text_puts(out, "    {0, &level_base},\n};\n\n");
}

static void emit_choice(Emit *e)
{
    const Prog *p = e->p;
    text_printf(e->out,
                "int %s_set_level(%s *m, const char *name)\n{\n"
                "    int cpu = tfx_cpu();\n"
                "    if (!m)\n"
                "        return %s_E_ALIGN;\n"
                "    for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {\n"
                "        const struct %s_level *level = levels[i].level;\n"
                "        if ((levels[i].cpu & ~cpu) == 0 && "
                "(!name || tfx_is_name(name, level->name))) {\n"
                "            m->level = level;\n"
                "            return %s_OK;\n"
                "        }\n"
                "    }\n"
                "    return %s_E_LEVEL;\n}\n\n",
                p->prefix, p->prefix, p->upper, p->prefix, p->upper, p->upper);
    text_printf(e->out,
                "const char *%s_level_name(const %s *m)\n{\n"
                "    return m->level->name;\n}\n\n",
                p->prefix, p->prefix);
}

void emit_levels(Emit *e)
{
    emit_level_type(e);
    text_puts(e->out, "\n#ifndef TFX_LEVEL\n\n");
    emit_level_list(e);
    emit_choice(e);
}

// ---- model_<level>.c ---------------------------------------------------------------------

void emit_level_source(Prog *p, const EmitOptions *o, const Target *t, Text *out)
{
    Emit e = {.p = p, .options = o, .out = out};
    const char *stem = emit_stem(p, o), *words = target_words(p->arena, t);
    bool arm = strcmp(t->machine, "aarch64") == 0;
    text_printf(out,
                "// %s_%s.c - %s compiled for a level; made by tfxc, do not edit.\n//\n"
                "// %s.\n// It needs no flags of the compiler for that.\n\n",
                stem, t->name, o->file, t->doc);
    text_printf(out, "#include \"tfx_cpu.h\"\n\n#if TFX_LEVEL_%s\n\n", t->name);
    text_printf(out,
                "#    include <%s>\n#    include <math.h>\n#    include <string.h>\n\n",
                arm ? "arm_neon.h" : "immintrin.h");
    text_puts(out, "// clang-format off\n#ifdef __clang__\n");
    text_printf(
        out,
        "#pragma clang attribute push(__attribute__((target(\"%s\"))), apply_to "
        "= function)\n// which does not define the macros, as flags would\n",
        words);
    for (int i = 0; target_macro(p->arena, t, i); i++)
        text_printf(out, "#define %s 1\n", target_macro(p->arena, t, i));
    text_printf(out, "#else\n#pragma GCC target(\"%s\")\n#endif\n", words);
    text_printf(out,
                "// clang-format on\n\n#    define TFX_LEVEL\n#    include \"%s\"\n\n",
                o->file);
    text_printf(out, "const struct %s_level %s = ", p->prefix, emit_struct(&e, t));
    put_entries(out, p, t->name);
    text_puts(out, "#    ifdef __clang__\n#        pragma clang attribute pop\n"
                   "#    endif\n#endif\n");
}
