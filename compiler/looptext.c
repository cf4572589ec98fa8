// looptext.c - prints loop IR as text; the form is described in loopread.h.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "irtext.h"
#include "loopread.h"

typedef struct Printer {
    Text *out;
    const Prog *p;
    Arena *scratch;
    const char **scope;  // label by id
} Printer;

// ---- expressions: fully in brackets, so that the text has one reading ------------------

static void put_number(const LExpr *e, Text *out)
{
    if (isnan(e->num) || isinf(e->num)) {
        text_puts(out, isnan(e->num) ? "#nan" : e->num < 0 ? "-#inf" : "#inf");
    } else {
        Text t;
        text_init(&t, out->arena);
        ir_put_number(&t, e->num);
        text_puts(out, t.p);
        if (!strpbrk(t.p, ".e"))
            text_puts(out, ".0");
    }
    text_puts(out, e->dtype == DT_COUNT ? ":f64" : "");
}

static void put_int(const LExpr *e, Text *out)
{
    char plain[24];
    snprintf(plain, sizeof plain, "%" PRId64, e->i);
    if (e->name && strcmp(e->name, plain) != 0) {
        text_puts(out, "{");
        ir_put_name(out, e->name);
        text_printf(out, "=%s}", plain);
    } else {
        text_puts(out, plain);
    }
    if (e->dtype != DT_i64)
        text_printf(out, ":%s", dtype_info[e->dtype].name);
}

static void put_expr(const LExpr *e, Text *out);

static void put_operands(const LExpr *e, Text *out)
{
    text_puts(out, "(");
    for (int i = 0; i < e->n; i++) {
        text_puts(out, i ? ", " : "");
        put_expr(e->arg[i], out);
    }
    text_puts(out, ")");
}

static void put_negation(const LExpr *e, Text *out)
{
    bool number = e->arg[0]->kind == LX_NUM || e->arg[0]->kind == LX_INT;
    text_puts(out, "-");
    if (number)
        put_operands(e, out);
    else
        put_expr(e->arg[0], out);
}

static void put_expr(const LExpr *e, Text *out)
{
    switch (e->kind) {
    case LX_INT:
        put_int(e, out);
        return;
    case LX_NUM:
        put_number(e, out);
        return;
    case LX_SIZE:
        text_puts(out, "{");
        size_print(e->size, out);
        text_puts(out, "}");
        return;
    case LX_VAR:
        text_puts(out, e->name);
        return;
    case LX_LOAD:
        text_printf(out, "%s[", e->buf->name);
        put_expr(e->arg[0], out);
        text_puts(out, "]");
        return;
    case LX_NEG:
        put_negation(e, out);
        return;
    case LX_BIN:
        text_puts(out, "(");
        put_expr(e->arg[0], out);
        text_printf(out, " %c ", e->op);
        put_expr(e->arg[1], out);
        text_puts(out, ")");
        return;
    case LX_CALL:
    case LX_CAST:
        text_puts(out, e->kind == LX_CAST ? dtype_info[e->dtype].name : e->name);
        put_operands(e, out);
        return;
    }
}

// ---- statements ------------------------------------------------------------------------

static void indent(Text *out, int depth)
{
    for (int i = 0; i < depth; i++)
        text_puts(out, "    ");
}

static void put_arg(const LArg *a, Text *out)
{
    if (a->name)
        text_printf(out, "%s = ", a->name);
    switch (a->kind) {
    case ARG_ADDR:
        text_printf(out, "%s %s[", !a->writes ? "in" : a->reads ? "inout" : "out",
                    a->buf->name);
        put_expr(a->index, out);
        text_puts(out, "]");
        return;
    case ARG_EXPR:
        put_expr(a->expr, out);
        return;
    case ARG_PAR:
        text_puts(out, "@par");
        return;
    case ARG_WORK:
        text_puts(out, "@work");
        return;
    case ARG_NULL:
        text_puts(out, "@null");
        return;
    }
}

static void put_kernel(const LStmt *s, Text *out)
{
    text_printf(out, "kernel %s(", s->name);
    for (int i = 0; i < s->args.n; i++) {
        text_puts(out, i ? ", " : "");
        put_arg(&s->args.p[i], out);
    }
    text_puts(out, ")");
    if (s->arg_struct)
        text_printf(out, " struct %s", s->arg_struct);
    text_puts(out, s->fails ? " fails\n" : "\n");
}

static void put_call(const LStmt *s, Text *out)
{
    text_printf(out, "call %s(", s->callee->name);
    for (int i = 0; i < s->actuals.n; i++)
        text_printf(out, "%s%s", i ? ", " : "", s->actuals.p[i]->name);
    text_puts(out, ")");
    if (s->record) {
        text_printf(out, " record %s", s->record->name);
        if (s->record->index) {
            text_puts(out, "[");
            put_expr(s->turn, out);
            text_puts(out, "]");
        }
    }
    text_printf(out, " at %" PRId64 "\n", s->frame_at);
}

static void put_body(const LStmts *body, int depth, Text *out);

static void put_for(const LStmt *s, int depth, Text *out)
{
    text_printf(out, "%s %s in ", s->turns ? "turns" : "for", s->name);
    put_expr(s->lo, out);
    text_puts(out, " .. ");
    put_expr(s->hi, out);
    text_puts(out, " {\n");
    put_body(&s->body, depth + 1, out);
    indent(out, depth);
    text_puts(out, "}\n");
}

static void put_assignment(const LStmt *s, Text *out)
{
    if (s->kind == LS_STORE) {
        text_printf(out, "%s[", s->buf->name);
        put_expr(s->index, out);
        text_puts(out, "] = ");
    } else if (s->kind == LS_SET) {
        text_printf(out, "%s = ", s->name);
    } else {
        text_printf(out, "%s %s: %s = ", s->kind == LS_LET ? "let" : "var", s->name,
                    dtype_info[s->dtype].name);
    }
    put_expr(s->value, out);
    text_puts(out, "\n");
}

static void put_stmt(const LStmt *s, int depth, Text *out)
{
    indent(out, depth);
    switch (s->kind) {
    case LS_FOR:
        put_for(s, depth, out);
        return;
    case LS_LET:
    case LS_VAR:
    case LS_SET:
    case LS_STORE:
        put_assignment(s, out);
        return;
    case LS_KERNEL:
        put_kernel(s, out);
        return;
    case LS_CALL:
        put_call(s, out);
        return;
    case LS_TAP:
        text_printf(out, "tap %s[", s->buf->name);
        put_expr(s->index, out);
        text_printf(out, "] value %d\n", s->tap->id);
        return;
    case LS_NOTE:
        text_puts(out, "note ");
        ir_put_name(out, s->name);
        text_puts(out, " ");
        ir_put_string(out, s->why);
        text_puts(out, "\n");
        return;
    }
}

static void put_body(const LStmts *body, int depth, Text *out)
{
    for (int i = 0; i < body->n; i++)
        put_stmt(body->p[i], depth, out);
}

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
    int in = 0, result = 0;
    for (int i = 0; i < f->params.n && f->params.p[i] != b; i++) {
        in += f->params.p[i]->kind == BUF_IN;
        result += f->params.p[i]->kind == BUF_OUT;
    }
    return b->kind == BUF_IN ? g->body->params.p[in]->name : g->result_names.p[result];
}

static void put_buf(const Func *f, const Buf *b, Text *out)
{
    static const char *const kind[] = {"in", "out", "param", "local", "state", "weight"};
    indent(out, 1);
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
    put_body(&f->body, 1, out);
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
                        k->format == format_dense(k->storage) ? "panels"
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
    indent(out, depth);
    text_printf(out, "%s = ", f->name);
    if (f->kind == FIELD_WEIGHT) {
        text_printf(out, "packed %d  // ", packed_number(p->p, f->packed));
        ir_put_string(out, f->packed->name);
        text_puts(out, "\n");
    } else if (f->kind == FIELD_STATE) {
        text_puts(out, "state ");
        ir_put_string(out, f->state->path);
        text_puts(out, "\n");
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
    indent(p->out, depth);
    text_puts(p->out, "}\n");
}

static void put_templates(const Prog *p, Text *out)
{
    for (int i = 0; i < p->templates.n; i++) {
        const Template *t = p->templates.p[i];
        text_printf(out, "%stemplate %s %s extras %d = ", i ? "" : "\n", t->name,
                    format_info[t->weight].name, t->nextra);
        put_expr(t->epilogue, out);
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
                " work %" PRId64 "\n",
                q->weights_bytes, q->state_bytes, q->scratch_bytes, q->work_bytes);
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
