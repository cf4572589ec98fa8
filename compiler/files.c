// files.c - what a compilation leaves: C, header, runtime, packed weights, make rule.

#include "stages.h"

#include "compiler/embed/embed.h"
#include "compiler/emit.h"
#include "compiler/outfile.h"
#include "compiler/runtime_text.h"
#include "compiler/tfxc.h"
#include "compiler/tune.h"

#include <stdio.h>
#include <string.h>

bool job_write(Job *job, const char *path, const char *text, size_t n)
{
    for (int i = 0; i < job->inputs.n; i++)
        if (file_is_same(path, job->inputs.p[i])) {
            diag_error(job->diag, (Loc){0, 0}, E0802, "%s is also read", path);
            return false;
        }
    return outfile_write(job->diag, path, text, n);
}

// The names of all files of a compilation.
typedef struct Names {
    const char *stem;  // without folder and ending
    const char *source, *header, *runtime, *packed, *depend;
} Names;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static Names names_for(Job *job, const char *output)
{
    Arena *a = job->arena;
    Names n = {.source = output};
    const char *base = base_name(output);
    const char *dot = strrchr(base, '.');
    int stem = (int)(dot && dot != base ? (size_t)(dot - output) : strlen(output));
    n.stem = arena_printf(a, "%.*s", stem - (int)(base - output), base);
    n.header = arena_printf(a, "%.*s.h", stem, output);
    n.packed = arena_printf(a, "%.*s.packed.safetensors", stem, output);
    n.runtime = arena_printf(a, "%.*stfx_rt.h", (int)(base - output), output);
    n.depend = job->set->depend_file ? job->set->depend_file
                                     : arena_printf(a, "%.*s.d", stem, output);
    return n;
}

static EmitOptions emit_options(Job *job, const Names *names)
{
    Source s = {"", 0};
    const char *path = job->path;
    EmitOptions o = {.version = TFXC_VERSION,
                     .embed = job->set->pack != PACK_FILE,
                     .dispatch = job->set->dispatch,
                     .tiles = settings_have_tiles(job->set),
                     .target = job->set->target,
                     .stem = names->stem,
                     .file = base_name(names->source)};
    if (job->tune) {
        o.tune = base_name(job->tune->file);
        o.defines = tune_defines(job->tune, job->arena);
    }
    job_read(job, path, &s);
    o.source = strcmp(path, "-") == 0 ? "(standard input)" : base_name(path);
    o.source_hash = hash_bytes(s.text, s.n);
    return o;
}

static bool no_sink(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    (void)bytes;
    (void)n;
    return true;
}

bool job_c(Job *job, Text *out)
{
    Names names = names_for(job, job_beside(job, ".c"));
    if (!job_lower(job))
        return false;
    Layout *y = layout_make(job->arena, job->prog, job->diag, names.packed);
    if (!y || (job->weights && !pack_to(y, job->weights, job->diag, no_sink, NULL)))
        return false;
    EmitOptions o = emit_options(job, &names);
    emit_source(job->prog, y, &o, out);
    return true;
}

// ---- weights inside C --------------------------------------------------------------------------

// The carrier of embedded weights: bytes as a string literal, which compilers read ten
// times faster than numbers, one line of C for each 32 bytes.
typedef struct Literal {
    OutFile *file;
    int column;
} Literal;

static bool put_literal(void *ctx, const void *bytes, size_t n)
{
    Literal *l = ctx;
    const unsigned char *p = bytes;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        char s[12];
        int k = snprintf(s, sizeof(s), "%s\\%03o%s", l->column == 0 ? "    \"" : "",
                         p[i], l->column == 31 ? "\"\n" : "");
        l->column = (l->column + 1) % 32;
        ok = outfile_put(l->file, s, (size_t)k);
    }
    return ok;
}

static bool put_text(OutFile *f, const char *s)
{
    return outfile_put(f, s, strlen(s));
}

static bool end_literal(Literal *l)
{
    return put_text(l->file, l->column ? "\";\n" : "    ;\n");
}

// <prefix>_weights.c: the packed file as an array, as a string or by the assembler.
static bool write_carrier(Job *job, Layout *y, const Names *names, const char *path)
{
    Arena *a = job->arena;
    const char *p = job->prog->prefix;
    OutFile *f = outfile_open(a, job->diag, path);
    if (!f)
        return false;
    Literal l = {f, 0};
    bool ok =
        put_text(f, arena_printf(a,
                                 "// %s_weights.c - the packed weights of %s.c.\n\n"
                                 "#include \"%s.h\"\n\n",
                                 names->stem, names->stem, names->stem));
    if (ok && job->set->pack == PACK_EMBED) {
        ok = put_text(f, arena_printf(a,
                                      "_Alignas(64) const unsigned char "
                                      "%s_weights[%s_WEIGHTS_BYTES] =\n",
                                      p, job->prog->upper)) &&
             pack_to(y, job->weights, job->diag, put_literal, &l) && end_literal(&l);
    } else if (ok) {
        ok = put_text(
            f, arena_printf(a,
                            "#if defined(__ELF__)\n"
                            "__asm__(\".section .rodata\\n\"\n"
                            "        \".balign 64\\n\"\n"
                            "        \".globl %s_weights\\n\"\n"
                            "        \"%s_weights:\\n\"\n"
                            "        \".incbin \\\"%s\\\"\\n\"\n"
                            "        \".byte 0\\n\"\n"
                            "        \".previous\\n\");\n"
                            "#else\n"
                            "#error \"--pack=incbin is for ELF; use --pack=embed\"\n"
                            "#endif\n",
                            p, p, base_name(names->packed)));
    }
    if (!ok && diag_errors(job->diag) > 0) {
        outfile_drop(f);
        return false;
    }
    return outfile_close(f) && ok;  // a write that failed is reported here
}

// ---- all files -----------------------------------------------------------------------------------

static bool write_text(Job *job, const char *header, const char *ending,
                       void (*make)(Text *out))
{
    Text t;
    text_init(&t, job->arena);
    make(&t);
    const char *path =
        arena_printf(job->arena, "%.*s%s", (int)strlen(header) - 2, header, ending);
    return job_write(job, path, t.p, t.n);
}

// tfx_rt.h and tfx_rt.c beside it; tfx_rt_q.h for compressed weights, tfx_rt_amx.h for targets
// that may have AMX, tfx_cpu.h for --dispatch.
static bool write_runtime(Job *job, const char *header)
{
    const char *cpu = arena_printf(job->arena, "%.*scpu.h",
                                   (int)(strlen(header) - strlen("rt.h")), header);
    return write_text(job, header, ".h", runtime_header) &&
           write_text(job, header, ".c", runtime_source) &&
           (!emit_has_compressed(job->prog) ||
            write_text(job, header, "_q.h", runtime_packed_header)) &&
           (!settings_have_tiles(job->set) ||
            write_text(job, header, "_amx.h", runtime_tiles_header)) &&
           (!job->set->dispatch || write_text(job, cpu, ".h", runtime_levels));
}

static void put_make_name(Text *t, const char *name)
{
    for (; *name; name++) {
        if (*name == ' ' || *name == '#' || *name == '\\')
            text_puts(t, "\\");
        else if (*name == '$')
            text_puts(t, "$");
        text_put(t, name, 1);
    }
}

static bool write_depend(Job *job, const Names *names)
{
    Text t;
    text_init(&t, job->arena);
    put_make_name(&t, names->source);
    text_puts(&t, " ");
    put_make_name(&t, names->header);
    text_puts(&t, ":");
    for (int i = 0; i < job->inputs.n; i++) {
        text_puts(&t, " \\\n  ");
        put_make_name(&t, job->inputs.p[i]);
    }
    text_puts(&t, "\n");
    return job_write(job, names->depend, t.p, t.n);
}

static const char *level_path(Job *job, const Names *names, const Target *t)
{
    int stem = (int)strlen(names->header) - (int)strlen(".h");
    return arena_printf(job->arena, "%.*s_%s.c", stem, names->header, t->name);
}

// Every output is refused before the first is written.
static bool check_outputs(Job *job, const char *const *outputs, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < job->inputs.n; k++)
            if (file_is_same(outputs[i], job->inputs.p[k])) {
                diag_error(job->diag, (Loc){0, 0}, E0802, "%s is also read",
                           outputs[i]);
                return false;
            }
    return true;
}

// model_<level>.c of --dispatch, each pushed to *sources.
static bool write_levels(Job *job, const EmitOptions *o, const Names *names,
                         StrList *sources)
{
    for (int i = 0; job->set->dispatch && target_row(i); i++) {
        const Target *t = target_row(i);
        Text text;
        if (!emit_has_level(job->prog, t))
            continue;
        text_init(&text, job->arena);
        emit_level_source(job->prog, o, t, &text);
        const char *path = level_path(job, names, t);
        if (!job_write(job, path, text.p, text.n))
            return false;
        vec_push(job->arena, sources, path);
    }
    return true;
}

// The C files of a program whose weights are packed; those to compile are pushed to
// *sources.
static bool write_sources(Job *job, Layout *y, const Names *names, StrList *sources)
{
    Text source, header;
    EmitOptions o = emit_options(job, names);
    text_init(&source, job->arena);
    text_init(&header, job->arena);
    emit_source(job->prog, y, &o, &source);
    emit_header(job->prog, y, &o, &header);
    vec_push(job->arena, sources, names->source);
    if (job->set->pack != PACK_FILE) {
        const char *stem =
            arena_strndup(job->arena, names->header, strlen(names->header) - 2);
        const char *carrier = arena_printf(job->arena, "%s_weights.c", stem);
        if (!write_carrier(job, y, names, carrier))
            return false;
        vec_push(job->arena, sources, carrier);
    }
    return job_write(job, names->source, source.p, source.n) &&
           job_write(job, names->header, header.p, header.n) &&
           write_levels(job, &o, names, sources) && write_runtime(job, names->runtime);
}

// job->prog and the weights, as files: the packed weights get their name last, when all
// else is written. NULL after reporting.
static Layout *write_all(Job *job, const Names *names, StrList *sources)
{
    const char *outputs[] = {names->source, names->header, names->runtime,
                             names->packed};
    bool in_c = job->set->pack == PACK_EMBED;
    if (!check_outputs(job, outputs, COUNT(outputs)))
        return NULL;
    Layout *y = layout_make(job->arena, job->prog, job->diag, names->packed);
    if (!y || !(in_c ? pack_to(y, job->weights, job->diag, no_sink, NULL)
                     : pack_begin(y, job->weights, job->diag)))
        return NULL;
    bool ok = write_sources(job, y, names, sources);
    if (in_c)
        return ok ? y : NULL;
    if (ok)
        return pack_commit(y) ? y : NULL;
    pack_drop(y);
    return NULL;
}

bool job_compile(Job *job, const char *path)
{
    StrList sources = {0};
    if (!job_build(job, path) || !job_open_weights(job, true) ||
        !job_check_weights(job) || !job_lower(job))
        return false;
    const char *output =
        job->set->output ? job->set->output : base_name(job_beside(job, ".c"));
    Names names = names_for(job, output);
    return write_all(job, &names, &sources) &&
           (!job->set->depend || write_depend(job, &names));
}

// What `tfxc bench` needs beside: the pool, and the machine's limits.
static bool write_timed(Job *job, const Names *names, const char *folder, Emitted *e)
{
    Arena *a = job->arena;
    const Embedded *roof = embedded_find("driver/roof.c");
    const char *path = arena_printf(a, "%s/tfx_roof.c", folder);
    if (!roof || !job_write(job, path, roof->text, roof->size))
        return false;
    vec_push(a, &e->sources, path);
    vec_push(a, &e->sources,
             arena_printf(a, "%.*sc", (int)strlen(names->runtime) - 1, names->runtime));
    return true;
}

bool job_emit_program(Job *job, const char *folder, Emitted *e)
{
    Text glue;
    Arena *a = job->arena;
    Layout *y;
    StrList sources = {0};
    const Embedded *door = embedded_find("driver/glue.h");
    if (!job_lower(job) || !door)
        return false;
    Names names = names_for(job, arena_printf(a, "%s/%s.c", folder, job->prog->prefix));
    y = write_all(job, &names, &sources);
    if (!y)
        return false;
    text_init(&glue, a);
    emit_glue(job->prog, job->set->dispatch, &glue);
    const char *glue_path = arena_printf(a, "%s/tfx_glue.c", folder);
    if (!job_write(job, glue_path, glue.p, glue.n) ||
        !job_write(job, arena_printf(a, "%s/tfx_glue.h", folder), door->text,
                   door->size))
        return false;
    *e = (Emitted){.sources = sources,
                   .weights = job->set->pack == PACK_FILE ? names.packed : NULL,
                   .array = arena_printf(a, "%s_weights", job->prog->prefix),
                   .weights_bytes = y->file_bytes};
    vec_push(a, &e->sources, glue_path);
    return !job->set->timed || write_timed(job, &names, folder, e);
}
