// looptext.c - prints loop IR as text; the form is described in loopread.h.

#include <inttypes.h>
#include <string.h>

#include "irtext.h"
#include "loopread.h"

typedef struct Printer {
    Text *out;
    const Prog *p;
    Arena *scratch;
    const char **scope;  // label by id
} Printer;

// ---- functions -------------------------------------------------------------------------

// The name that the source has, where it is not the one in C.
static void put_source_name(const char *name, const char *in_c, Text *out)
{
    if (name && strcmp(name, in_c) == 0)
        return;
    text_puts(out, " as ");
    ir_put_name(out, name ? name : "");
}

static const char *source_name(const Func *f, const Buf *b)
{
    const Graph *g = f->entry;
    if (!g)
        bug("%s of %s is an argument, but not of an entry", b->name, f->name);
    int in = 0, result = 0;
    for (int i = 0; i < f->params.n && f->params.p[i] != b; i++) {
        in += f->params.p[i]->kind == BUF_IN;
        result += f->params.p[i]->kind == BUF_OUT;
    }
    return b->kind == BUF_IN ? g->body->params.p[in]->name : g->result_names.p[result];
}

static void put_buf(const Func *f, const Buf *b, Text *out)
{
    static const char *const kind[] = {"in",    "out",   "param",
                                       "local", "state", "weight"};
    loop_indent(out, 1);
    text_printf(out, "%s %s: ", kind[b->kind], b->name);
    ir_put_type(out, &b->shape);
    if (b->kind == BUF_IN || b->kind == BUF_OUT)
        put_source_name(source_name(f, b), b->name, out);
    if (b->kind == BUF_LOCAL && b->offset >= 0)
        text_printf(out, " at %" PRId64, b->offset);
    if (b->field)
        text_printf(out, " from %s", b->field->name);
    text_puts(out, "\n");
}

// The fields on the way from the root.
static void put_record_path(const Record *r, Text *out)
{
    const Record *above = r->parent;
    if (above->parent) {
        put_record_path(above, out);
        text_puts(out, ".");
    }
    for (int i = 0; i < above->fields.n; i++)
        if (above->fields.p[i]->record == r)
            text_puts(out, above->fields.p[i]->name);
}

static void put_entry(const Graph *g, const char *name, Text *out)
{
    put_source_name(g->name, name, out);
    if (g->cursor) {
        text_puts(out, " at ");
        ir_put_name(out, g->cursor->name);
    }
    if (g->advance) {
        text_puts(out, " advance {");
        size_print(g->advance, out);
        text_puts(out, "}");
    }
}

static void put_func(Printer *p, const Func *f)
{
    Text *out = p->out;
    text_printf(out, "\n%s %s", f->entry ? "entry" : "func", f->name);
    if (f->entry)
        put_entry(f->entry, f->name, out);
    if (f->record->parent) {
        text_puts(out, " of ");
        put_record_path(f->record, out);
    }
    if (f->scope->id > 0)
        text_printf(out, " @%s", p->scope[f->scope->id]);
    for (int i = 0; i < f->turns.n; i++) {
        text_puts(out, i ? ", " : " turns ");
        text_puts(out, f->turns.p[i]);
    }
    text_printf(out, " frame %" PRId64 " {\n", f->frame_bytes);
    for (int i = 0; i < f->bufs.n; i++)
        put_buf(f, f->bufs.p[i], out);
    loop_put_body(&f->body, 1, out);
    text_puts(out, "}\n");
}

// ---- programs --------------------------------------------------------------------------

static void put_keys(const Map *m, const char *word, Text *out)
{
    for (int i = 0; i < map_count(m); i++)
        text_printf(out, "%s%s", i ? " " : word, map_key(m, i));
    text_puts(out, map_count(m) ? "\n" : "");
}

static void put_packed(Printer *p)
{
    Text *out = p->out;
    if (p->p->packed.n) {
        text_puts(out, "\nconstants ");
        ir_print_body(loop_constants(p->p, p->scratch), out);
    }
    for (int i = 0; i < p->p->packed.n; i++) {
        const Packed *k = p->p->packed.p[i];
        text_printf(out, "packed %d ", i);
        ir_put_string(out, k->name);
        text_printf(out, " %s", dtype_info[k->storage].name);
        if (k->format != FORMAT_plain)
            text_printf(out, " %s %" PRId64 " %" PRId64,
                        k->format == format_dense(k->storage)
                            ? "panels"
                            : format_info[k->format].name,
                        k->n, k->k);
        if (k->format != FORMAT_plain && k->kept != format_blocks(k->n, k->k))
            text_printf(out, " kept %" PRId64, k->kept);
        text_printf(out, " count %" PRId64 "\n", k->count);
    }
}

static void put_places(const Prog *p, Text *out)
{
    for (int i = 0; i < p->states.n; i++) {
        const StatePlace *s = &p->states.p[i];
        text_puts(out, i ? "place " : "\nplace ");
        ir_put_string(out, s->path);
        text_puts(out, " of ");
        ir_put_string(out, s->state->path);
        text_printf(out, " at %" PRId64 " bytes %" PRId64 "\n", s->offset, s->bytes);
    }
}

static int packed_number(const Prog *p, const Packed *k)
{
    for (int i = 0; i < p->packed.n; i++)
        if (p->packed.p[i] == k)
            return i;
    return -1;
}

static void put_record(Printer *p, const Record *r, int depth);

static void put_field(Printer *p, const Field *f, int depth)
{
    Text *out = p->out;
    loop_indent(out, depth);
    text_printf(out, "%s = ", f->name);
    if (f->kind == FIELD_WEIGHT) {
        text_printf(out, "packed %d  // ", packed_number(p->p, f->packed));
        ir_put_string(out, f->packed->name);
        text_puts(out, "\n");
    } else if (f->kind == FIELD_STATE) {
        text_puts(out, "state ");
        ir_put_string(out, f->state->path);
        text_puts(out, "\n");
    } else if (f->kind == FIELD_SIZE) {
        text_printf(out, "size %s\n", f->size->name);
    } else {
        text_printf(out, "record %s ", f->record->type);
        ir_put_string(out, f->record->path);
        if (f->index) {
            text_puts(out, " turns ");
            ir_put_name(out, f->index);
            text_printf(out, " in %" PRId64 "..%" PRId64, f->lo, f->lo + f->turns);
        }
        put_record(p, f->record, depth);
    }
}

static void put_record(Printer *p, const Record *r, int depth)
{
    text_puts(p->out, " {\n");
    for (int i = 0; i < r->fields.n; i++)
        put_field(p, r->fields.p[i], depth + 1);
    loop_indent(p->out, depth);
    text_puts(p->out, "}\n");
}

static void put_templates(const Prog *p, Text *out)
{
    for (int i = 0; i < p->templates.n; i++) {
        const Template *t = p->templates.p[i];
        text_printf(out, "%stemplate %s %s extras %d", i ? "" : "\n", t->name,
                    format_info[t->weight].name, t->nextra);
        if (t->heads)
            text_printf(out, " heads %d", t->heads);
        text_puts(out, t->rounds ? " rounded = " : " = ");
        loop_put_expr(t->epilogue, out);
        text_puts(out, "\n");
    }
}

static void put_program(Printer *p)
{
    const Prog *q = p->p;
    Text *out = p->out;
    text_puts(out, "program ");
    ir_put_name(out, q->prefix);
    text_puts(out, q->taps ? " taps\n" : "\n");
    ir_print_header(q->module, out);
    text_puts(out, "\n");
    put_keys(q->kernels, "kernels ", out);
    put_keys(q->maps, "maps ", out);
    text_printf(out,
                "memory weights %" PRId64 " state %" PRId64 " scratch %" PRId64
                " work %" PRId64,
                q->weights_bytes, q->state_bytes, q->scratch_bytes, q->work_bytes);
    if (q->work_bytes)
        text_printf(out, " at %" PRId64, q->work_at);
    text_puts(out, "\n");
    put_packed(p);
    put_places(q, out);
    text_printf(out, "\nrecord %s ", q->root->type);
    ir_put_string(out, q->root->path);
    put_record(p, q->root, 0);
    put_templates(q, out);
    for (int i = 0; i < q->funcs.n; i++)
        put_func(p, q->funcs.p[i]);
}

void loop_print(const Prog *p, Text *out)
{
    Arena *scratch = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_free(scratch);
        guard_again(&guard);
    }
    Printer own = {.out = out, .p = p, .scratch = scratch};
    own.scope = scope_labels(p->module, scratch);
    put_program(&own);
    guard_drop(&guard);
    arena_free(scratch);
}
