// plan_check.c - does the memory plan hold? Told apart from plan.c on purpose.
//
// No intervals here: the statements are walked as they would run, loops twice, with one bit
// a buffer: does it still hold what was last written to it? A write makes every buffer that
// lies over the same bytes stale; a read of a stale buffer is a breach.

#include "compiler/loop.h"

typedef struct Check {
    const Func *f;
    bool *fresh;  // by index in f->bufs
    Text *why;
    bool ok;
} Check;

static int number_of(const Check *c, const Buf *b)
{
    for (int i = 0; i < c->f->bufs.n; i++)
        if (c->f->bufs.p[i] == b)
            return i;
    return -1;
}

static void breach(Check *c, const Buf *b, const char *what)
{
    c->ok = false;
    text_printf(c->why, "%s: %s %s\n", c->f->name, b->name, what);
}

static void read_buf(Check *c, const Buf *b)
{
    if (!b || b->kind != BUF_LOCAL)
        return;
    int i = number_of(c, b);
    if (i < 0 || b->offset < 0)
        breach(c, b, "is read but has no place");
    else if (!c->fresh[i])
        breach(c, b, "is read after something else was written over it");
}

static void clobber(Check *c, int64_t from, int64_t to, const Buf *by)
{
    for (int i = 0; i < c->f->bufs.n; i++) {
        const Buf *b = c->f->bufs.p[i];
        if (b != by && b->kind == BUF_LOCAL && b->offset >= 0 && b->offset < to &&
            from < b->offset + b->bytes)
            c->fresh[i] = false;
    }
}

static void write_buf(Check *c, const Buf *b)
{
    if (!b || b->kind != BUF_LOCAL)
        return;
    int i = number_of(c, b);
    if (i < 0 || b->offset < 0 || b->offset + b->bytes > c->f->frame_bytes) {
        breach(c, b, "is written outside the frame");
        return;
    }
    clobber(c, b->offset, b->offset + b->bytes, b);
    c->fresh[i] = true;
}

static void read_expr(Check *c, const LExpr *e)
{
    if (!e)
        return;
    read_buf(c, e->buf);
    for (int i = 0; i < e->n; i++)
        read_expr(c, e->arg[i]);
}

// What a kernel or a callee reads must still be there when it has begun to write.
static void check_call(Check *c, const LStmt *s)
{
    for (int i = 0; i < s->actuals.n; i++)
        if (!s->callee->params.p[i]->written)
            read_buf(c, s->actuals.p[i]);
    int64_t from = s->frame_at, to = from + s->callee->frame_bytes;
    for (int i = 0; i < s->actuals.n; i++) {
        const Buf *b = s->actuals.p[i];
        if (b->kind == BUF_LOCAL && b->offset < to && from < b->offset + b->bytes)
            breach(c, b,
                   arena_printf(c->f->prog->arena, "lies under the frame of %s",
                                s->callee->name));
    }
    clobber(c, from, to, NULL);
    if (s->frame_at + s->callee->frame_bytes > c->f->frame_bytes) {
        c->ok = false;
        text_printf(c->why, "%s: the frame of %s is outside\n", c->f->name,
                    s->callee->name);
    }
    for (int i = 0; i < s->actuals.n; i++)
        if (s->callee->params.p[i]->written)
            write_buf(c, s->actuals.p[i]);
    for (int i = 0; i < s->actuals.n; i++)
        read_buf(c, s->actuals.p[i]);
}

static void check_body(Check *c, const LStmts *body)
{
    for (int i = 0; i < body->n; i++) {
        const LStmt *s = body->p[i];
        read_expr(c, s->value);
        read_expr(c, s->index);
        for (int k = 0; k < s->args.n; k++)
            if (s->args.p[k].reads)
                read_buf(c, s->args.p[k].buf);
        if (s->kind == LS_STORE)
            write_buf(c, s->buf);
        for (int k = 0; k < s->args.n; k++)
            if (s->args.p[k].writes)
                write_buf(c, s->args.p[k].buf);
        for (int k = 0; k < s->args.n; k++)
            if (s->args.p[k].reads)
                read_buf(c, s->args.p[k].buf);
        if (s->kind == LS_CALL)
            check_call(c, s);
        if (s->kind == LS_FOR) {
            check_body(c, &s->body);
            check_body(c, &s->body);
        }
    }
}

bool plan_check(const Prog *p, Text *why)
{
    bool ok = true;
    for (int i = 0; i < p->funcs.n; i++) {
        const Func *f = p->funcs.p[i];
        Check c = {f, NEWN(p->arena, bool, f->bufs.n + 1), why, true};
        check_body(&c, &f->body);
        ok = ok && c.ok;
    }
    return ok;
}
