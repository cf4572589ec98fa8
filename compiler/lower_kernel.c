// lower_kernel.c - kernel calls: arguments in order, and what each touches.

#include "compiler/lower.h"

LStmt *kernel(Lower *l, const Value *v, const char *part, const char *name)
{
    LStmt *s = ls_new(l->p, l->out, LS_KERNEL, v->loc);
    s->name = name;
    map_set(l->p->kernels, part, s);
    return s;
}

static LArg *arg_new(Lower *l, LStmt *s, ArgKind kind, const char *name)
{
    LArg a = {.kind = kind, .name = name};
    vec_push(l->p->arena, &s->args, a);
    return &s->args.p[s->args.n - 1];
}

void karg_par(Lower *l, LStmt *s)
{
    arg_new(l, s, ARG_PAR, NULL);
    l->p->has_par = true;
}

void karg_read(Lower *l, LStmt *s, const char *name, Buf *b, LExpr *index)
{
    LArg *a = arg_new(l, s, ARG_ADDR, name);
    a->buf = b;
    a->index = index;
    a->reads = true;
}

void karg_write(Lower *l, LStmt *s, const char *name, Buf *b, LExpr *index)
{
    LArg *a = arg_new(l, s, ARG_ADDR, name);
    a->buf = b;
    a->index = index;
    a->writes = true;
}

// It may lie over operands, which are not needed any more.
void karg_write_last(Lower *l, LStmt *s, const char *name, Buf *b, LExpr *index)
{
    karg_write(l, s, name, b, index);
    s->args.p[s->args.n - 1].last = true;
}

void karg_expr(Lower *l, LStmt *s, const char *name, LExpr *e)
{
    arg_new(l, s, ARG_EXPR, name)->expr = e;
}

void karg_size(Lower *l, LStmt *s, const char *name, const Size *n)
{
    karg_expr(l, s, name, lx_size(l->p, n));
}

void karg_dim(Lower *l, LStmt *s, const char *name, const Dim *d)
{
    LExpr *e = lx_size(l->p, d->size);
    e->name = d->name;
    karg_expr(l, s, name, e);
}

void karg_ld(Lower *l, LStmt *s, const char *name, const Buf *b, const Size *ld)
{
    const Type *t = &b->shape;
    LExpr *e = lx_size(l->p, ld);
    if (t->rank > 0 && t->dim[t->rank - 1].size == ld)
        e->name = t->dim[t->rank - 1].name;
    karg_expr(l, s, name, e);
}

void karg_null(Lower *l, LStmt *s, const char *name)
{
    arg_new(l, s, ARG_NULL, name);
}

void karg_work(Lower *l, LStmt *s, const char *name, const Size *floats)
{
    arg_new(l, s, ARG_WORK, name);
    int64_t bytes = (size_max_value(floats) * 4 + 63) / 64 * 64;
    s->work_bytes = bytes;
    if (bytes > l->p->work_bytes)
        l->p->work_bytes = bytes;
}
