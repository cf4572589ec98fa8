// looptext.c - loop IR as text.

#include "compiler/loop.h"

#include <string.h>

// ---- expressions: fully in brackets, so that the text has one reading -----------------------

static void print_expr(const LExpr *e, Text *out)
{
    switch (e->kind) {
    case LX_INT:
        text_printf(out, "%lld", (long long)e->i);
        return;
    case LX_NUM:
        text_printf(out, "%.17g", e->num);
        if (e->num == (double)(long long)e->num && e->num > -1e15 && e->num < 1e15)
            text_puts(out, ".0");
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
        print_expr(e->arg[0], out);
        text_puts(out, "]");
        return;
    case LX_NEG:
        text_puts(out, "-");
        print_expr(e->arg[0], out);
        return;
    case LX_BIN:
        text_puts(out, "(");
        print_expr(e->arg[0], out);
        text_printf(out, " %c ", e->op);
        print_expr(e->arg[1], out);
        text_puts(out, ")");
        return;
    case LX_CALL:
    case LX_CAST:
        text_puts(out, e->kind == LX_CAST ? dtype_info[e->dtype].name : e->name);
        text_puts(out, "(");
        for (int i = 0; i < e->n; i++) {
            text_puts(out, i ? ", " : "");
            print_expr(e->arg[i], out);
        }
        text_puts(out, ")");
        return;
    }
}

// ---- statements -------------------------------------------------------------------------------

static void indent(Text *out, int depth)
{
    for (int i = 0; i < depth; i++)
        text_puts(out, "    ");
}

static void print_arg(const LArg *a, Text *out)
{
    if (a->name)
        text_printf(out, "%s = ", a->name);
    switch (a->kind) {
    case ARG_ADDR:
        text_printf(out, "%s %s[", a->writes ? "out" : "in", a->buf->name);
        print_expr(a->index, out);
        text_puts(out, "]");
        return;
    case ARG_EXPR:
        print_expr(a->expr, out);
        return;
    case ARG_PAR:
        text_puts(out, "par");
        return;
    case ARG_WORK:
        text_puts(out, "work");
        return;
    case ARG_NULL:
        text_puts(out, "null");
        return;
    }
}

static void print_body(const LStmts *body, int depth, Text *out);

static void print_call(const LStmt *s, Text *out)
{
    text_printf(out, "call %s", s->callee->name);
    if (s->record) {
        text_printf(out, " record %s", s->record->name);
        if (s->record->index) {
            text_puts(out, "[");
            print_expr(s->turn, out);
            text_puts(out, "]");
        }
    }
    text_puts(out, " (");
    for (int i = 0; i < s->actuals.n; i++)
        text_printf(out, "%s%s", i ? ", " : "", s->actuals.p[i]->name);
    text_printf(out, ") at %lld\n", (long long)s->frame_at);
}

static void print_stmt(const LStmt *s, int depth, Text *out)
{
    indent(out, depth);
    switch (s->kind) {
    case LS_FOR:
        text_printf(out, "for %s in ", s->name);
        print_expr(s->lo, out);
        text_puts(out, " .. ");
        print_expr(s->hi, out);
        text_puts(out, " {\n");
        print_body(&s->body, depth + 1, out);
        indent(out, depth);
        text_puts(out, "}\n");
        return;
    case LS_LET:
    case LS_VAR:
    case LS_SET:
        text_printf(out, "%s%s = ",
                    s->kind == LS_LET   ? "let "
                    : s->kind == LS_VAR ? "var "
                                        : "",
                    s->name);
        print_expr(s->value, out);
        text_puts(out, "\n");
        return;
    case LS_STORE:
        text_printf(out, "%s[", s->buf->name);
        print_expr(s->index, out);
        text_puts(out, "] = ");
        print_expr(s->value, out);
        text_puts(out, "\n");
        return;
    case LS_KERNEL:
        text_printf(out, "kernel %s(", s->name);
        for (int i = 0; i < s->args.n; i++) {
            text_puts(out, i ? ", " : "");
            print_arg(&s->args.p[i], out);
        }
        text_printf(out, ")%s\n", s->fails ? " fails" : "");
        return;
    case LS_CALL:
        print_call(s, out);
        return;
    case LS_TAP:
        text_printf(out, "tap %s\n", s->buf->name);
        return;
    case LS_NOTE:
        text_printf(out, "// %s: %s\n", s->name, s->why);
        return;
    }
}

static void print_body(const LStmts *body, int depth, Text *out)
{
    for (int i = 0; i < body->n; i++)
        print_stmt(body->p[i], depth, out);
}

// ---- functions ------------------------------------------------------------------------------------

static void print_buf(const Buf *b, Text *out)
{
    static const char *const kind[] = {"in", "out", "param", "local", "state", "weight"};
    indent(out, 1);
    text_printf(out, "%s %s: ", kind[b->kind], b->name);
    type_print(&b->shape, out);
    if (b->kind == BUF_LOCAL)
        text_printf(out, " at %lld", (long long)b->offset);
    if (b->field)
        text_printf(out, " from %s%s", b->field->name,
                    b->kind == BUF_WEIGHT && b->field->packed->format == PACK_PANEL
                        ? " in panels"
                        : "");
    text_puts(out, "\n");
}

static void print_func(const Func *f, Text *out)
{
    text_printf(out, "%s %s record %s frame %lld {\n", f->entry ? "entry" : "func", f->name,
                f->record->type, (long long)f->frame_bytes);
    for (int i = 0; i < f->bufs.n; i++)
        print_buf(f->bufs.p[i], out);
    print_body(&f->body, 1, out);
    text_puts(out, "}\n\n");
}

void loop_print(const Prog *p, Text *out)
{
    text_printf(out, "program %s\n\n", p->prefix);
    for (int i = 0; i < p->templates.n; i++) {
        const Template *t = p->templates.p[i];
        text_printf(out, "template %s %s extras %d = ", t->name, dtype_info[t->weight].name,
                    t->nextra);
        print_expr(t->epilogue, out);
        text_puts(out, "\n");
    }
    text_puts(out, "\n");
    for (int i = 0; i < p->funcs.n; i++)
        print_func(p->funcs.p[i], out);
}
