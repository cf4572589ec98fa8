// plan_check.c - does the memory plan hold? Told apart from plan.c on purpose.
//
// No intervals here: the statements are walked as they would run, with one bit a buffer:
// does it still hold what was last written to it? A write makes every buffer that lies over
// the same bytes stale; a read of a stale buffer is a breach.
//
// What a statement does to a bit (sets it, clears it, leaves it) does not depend on any bit.
// So the second turn of a loop leaves the bits as the first did, and one walk that begins
// with what holds before both turns sees what either would; a silent walk before it finds
// out what holds before the second.

#include "compiler/loop.h"

#include <string.h>

typedef struct Check {
    const Func *f;
    bool *fresh;   // by index in f->bufs
    int64_t work;  // where in its frame the kernels' scratch may begin
    Text *why;
    bool ok;
    bool silent;  // only the bits change
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
    if (c->silent)
        return;
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

static void below_work(Check *c, const Buf *b)
{
    if (b && b->kind == BUF_LOCAL && b->offset + b->bytes > c->work)
        breach(c, b, "lies under the kernels' scratch");
}

// The kernels' scratch has no end here: it grows with the threads.
static void clobber_work(Check *c, const LStmt *s)
{
    for (int i = 0; i < s->args.n; i++)
        below_work(c, s->args.p[i].buf);
    for (int i = 0; i < s->actuals.n; i++)
        below_work(c, s->actuals.p[i]);
    clobber(c, c->work, INT64_MAX, NULL);
}

static bool has_work(const LStmt *s)
{
    bool has = s->kind == LS_CALL && s->callee->uses_work;
    for (int i = 0; i < s->args.n; i++)
        has = has || s->args.p[i].kind == ARG_WORK;
    return has;
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
    if (to > c->f->frame_bytes && !c->silent) {
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

// By then the operands have been read, and what else is written must stay.
static void write_last(Check *c, const LStmt *s)
{
    for (int i = 0; i < s->args.n; i++)
        if (s->args.p[i].last)
            write_buf(c, s->args.p[i].buf);
    for (int i = 0; i < s->args.n; i++)
        if (s->args.p[i].writes)
            read_buf(c, s->args.p[i].buf);
}

static void check_body(Check *c, const LStmts *body);

static void check_loop(Check *c, const LStmts *body)
{
    if (c->silent) {
        check_body(c, body);
        return;
    }
    const int n = c->f->bufs.n;
    bool *before = NEWN(c->f->prog->arena, bool, n + 1);
    memcpy(before, c->fresh, (size_t)n * sizeof *before);
    c->silent = true;
    check_body(c, body);
    c->silent = false;
    for (int i = 0; i < n; i++)
        c->fresh[i] = c->fresh[i] && before[i];
    check_body(c, body);
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
        if (has_work(s))
            clobber_work(c, s);
        if (s->kind == LS_STORE)
            write_buf(c, s->buf);
        for (int k = 0; k < s->args.n; k++)
            if (s->args.p[k].writes && !s->args.p[k].last)
                write_buf(c, s->args.p[k].buf);
        for (int k = 0; k < s->args.n; k++)
            if (s->args.p[k].reads)
                read_buf(c, s->args.p[k].buf);
        write_last(c, s);
        if (s->kind == LS_CALL)
            check_call(c, s);
        if (s->kind == LS_FOR)
            check_loop(c, &s->body);
    }
}

// The highest place at which the frame of a function may lie, in the whole region.
typedef struct Bases {
    const Prog *p;
    int64_t *base;  // by index in p->funcs
    int64_t own;
} Bases;

static void base_of_call(LStmt *s, void *ctx)
{
    Bases *b = ctx;
    for (int i = 0; s->kind == LS_CALL && i < b->p->funcs.n; i++)
        if (b->p->funcs.p[i] == s->callee && b->own + s->frame_at > b->base[i])
            b->base[i] = b->own + s->frame_at;
}

bool plan_check(const Prog *p, Text *why)
{
    bool ok = true;
    Bases bases = {p, NEWN(p->arena, int64_t, p->funcs.n + 1), 0};
    for (int i = p->funcs.n - 1; i >= 0; i--) {  // callers first
        bases.own = bases.base[i];
        lstmts_walk(&p->funcs.p[i]->body, base_of_call, &bases);
    }
    for (int i = 0; i < p->funcs.n; i++) {
        const Func *f = p->funcs.p[i];
        Check c = {.f = f,
                   .fresh = NEWN(p->arena, bool, f->bufs.n + 1),
                   .work = p->work_at - bases.base[i],
                   .why = why,
                   .ok = true};
        check_body(&c, &f->body);
        ok = ok && c.ok;
    }
    return ok;
}
