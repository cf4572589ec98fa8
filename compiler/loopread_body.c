// loopread_body.c - reads the statements of textual loop IR.

#include <string.h>

#include "loopread.h"

static LStmt *stmt_new(LoopReader *l, LStmts *body, LStmtKind kind, size_t start)
{
    return ls_new(l->p, body, kind, rd_loc(&l->r, start));
}

// A new variable, in scope to the end of the block.
static void define(LoopReader *l, const char *name, DType d)
{
    Name n = {name, d};
    vec_push(l->p->arena, &l->vars, n);
    map_set(l->f->taken, name, l->f);
}

static bool read_dtype(LoopReader *l, DType *d)
{
    rd_space(&l->r);
    size_t start = l->r.at;
    const char *word;
    if (!rd_word(&l->r, &word))
        return false;
    return dtype_find(word, d) || rd_fail(&l->r, start, "expected an element type");
}

// ---- kernels ---------------------------------------------------------------------------

// in b[i], out b[i], inout b[i], last b[i]; false with *found unset: it is something else.
static bool read_address(LoopReader *l, LArg *a, bool *found)
{
    static const char *const words[] = {"in", "out", "inout", "last"};
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    *found = false;
    for (int i = 0; i < COUNT(words); i++) {
        if (!rd_take(r, words[i]))
            continue;
        rd_space(r);
        if (!rd_is_letter(rd_peek(r))) {  // a variable of that name
            r->at = start;
            return true;
        }
        *found = true;
        a->kind = ARG_ADDR;
        a->reads = i == 0 || i == 2;
        a->writes = i != 0;
        a->last = i == 3;
        return rd_buf(l, &a->buf) && rd_expect(r, "[") &&
               rd_expr(l, false, &a->index) && rd_expect(r, "]");
    }
    return true;
}

static bool read_arg(LoopReader *l, LArg *a)
{
    static const ArgKind kinds[] = {ARG_PAR, ARG_WORK, ARG_NULL};
    static const char *const words[] = {"@par", "@work", "@null"};
    Reader *r = &l->r;
    bool found;
    rd_space(r);
    size_t start = r->at;
    *a = (LArg){.kind = ARG_EXPR};
    if (rd_is_letter(rd_peek(r))) {
        if (!rd_word(r, &a->name))
            return false;
        if (!rd_take(r, "=")) {
            a->name = NULL;
            r->at = start;
        }
    }
    for (int i = 0; i < COUNT(words); i++)
        if (rd_take(r, words[i])) {
            a->kind = kinds[i];
            return true;
        }
    if (!read_address(l, a, &found))
        return false;
    return found || rd_expr(l, true, &a->expr);
}

static bool read_kernel(LoopReader *l, LStmt *s)
{
    Reader *r = &l->r;
    if (!rd_word(r, &s->name) || !rd_expect(r, "("))
        return false;
    while (!rd_take(r, ")")) {
        LArg a;
        if ((s->args.n && !rd_expect(r, ",")) || !read_arg(l, &a))
            return false;
        l->p->has_par |= a.kind == ARG_PAR;
        vec_push(l->p->arena, &s->args, a);
    }
    if (rd_take(r, "struct") && !rd_word(r, &s->arg_struct))
        return false;
    s->fails = rd_take(r, "fails");
    return true;
}

// ---- calls -----------------------------------------------------------------------------

static bool read_callee(LoopReader *l, LStmt *s)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const char *name;
    if (!rd_word(r, &name))
        return false;
    s->callee = map_get(l->funcs, name);
    if (s->callee)
        return true;
    diag_error(r->d, rd_loc(r, start), E0902, "no function `%s` above", name);
    return false;
}

static bool read_callee_record(LoopReader *l, LStmt *s)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const char *name;
    const Record *own = l->f->record;
    if (!rd_word(r, &name))
        return false;
    for (int i = 0; i < own->fields.n; i++)
        if (strcmp(own->fields.p[i]->name, name) == 0)
            s->record = own->fields.p[i];
    if (!s->record || s->record->kind != FIELD_RECORD) {
        diag_error(r->d, rd_loc(r, start), E0902, "%s has no record `%s`", own->type,
                   name);
        return false;
    }
    if (!s->record->index)
        return true;
    return rd_expect(r, "[") && rd_expr(l, false, &s->turn) && rd_expect(r, "]");
}

static bool read_call(LoopReader *l, LStmt *s)
{
    Reader *r = &l->r;
    if (!read_callee(l, s) || !rd_expect(r, "("))
        return false;
    while (!rd_take(r, ")")) {
        Buf *b;
        if ((s->actuals.n && !rd_expect(r, ",")) || !rd_buf(l, &b))
            return false;
        vec_push(l->p->arena, &s->actuals, b);
    }
    if (rd_take(r, "record") && !read_callee_record(l, s))
        return false;
    if (!rd_expect(r, "at") || !rd_bytes(l, &s->frame_at))
        return false;
    Func *c = s->callee;
    if (!c->caller && !c->entry) {
        c->caller = l->f;
        for (int i = 0; i < c->params.n && i < s->actuals.n; i++)
            c->params.p[i]->outer = s->actuals.p[i];
    }
    return true;
}

// ---- statements ------------------------------------------------------------------------

// for i in 0 .. {T} { ... }; the word is read.
static bool read_for(LoopReader *l, LStmt *s, int depth)
{
    Reader *r = &l->r;
    if (!rd_word(r, &s->name) || !rd_expect(r, "in") || !rd_expr(l, false, &s->lo) ||
        !rd_expect(r, "..") || !rd_expr(l, false, &s->hi) || !rd_expect(r, "{"))
        return false;
    int outside = l->vars.n;
    define(l, s->name, DT_i64);
    if (!rd_body(l, &s->body, depth + 1))
        return false;
    l->vars.n = outside;
    return true;
}

static bool read_definition(LoopReader *l, LStmt *s)
{
    Reader *r = &l->r;
    if (!rd_word(r, &s->name) || !rd_expect(r, ":") || !read_dtype(l, &s->dtype) ||
        !rd_expect(r, "=") || !rd_expr(l, false, &s->value))
        return false;
    define(l, s->name, s->dtype);
    return true;
}

// tap b[i] value 3: of the value it keeps the number.
static bool read_tap(LoopReader *l, LStmt *s)
{
    int id;
    if (!rd_buf(l, &s->buf) || !rd_expect(&l->r, "[") ||
        !rd_expr(l, false, &s->index) || !rd_expect(&l->r, "]") ||
        !rd_expect(&l->r, "value") || !rd_small_int(&l->r, INT32_MAX, &id))
        return false;
    Value *v = NEW(l->p->arena, Value);
    v->op = OP_param;
    v->id = id;
    v->type = s->buf->shape;
    s->tap = v;
    return true;
}

// b[i] = x or x = y; the name is read.
static bool read_assignment(LoopReader *l, LStmts *body, size_t start, const char *name)
{
    Reader *r = &l->r;
    LStmt *s = stmt_new(l, body, LS_SET, start);
    s->name = name;
    if (rd_peek(r) == '[') {
        s->kind = LS_STORE;
        s->name = NULL;
        r->at = start;
        if (!rd_buf(l, &s->buf) || !rd_expect(r, "[") ||
            !rd_expr(l, false, &s->index) || !rd_expect(r, "]"))
            return false;
    } else {
        int i = l->vars.n - 1;
        while (i >= 0 && strcmp(l->vars.p[i].name, name) != 0)
            i--;
        if (i < 0) {
            diag_error(r->d, rd_loc(r, start), E0902, "no variable `%s`", name);
            return false;
        }
        s->dtype = l->vars.p[i].dtype;
    }
    return rd_expect(r, "=") && rd_expr(l, false, &s->value);
}

static bool read_stmt(LoopReader *l, LStmts *body, int depth)
{
    Reader *r = &l->r;
    rd_space(r);
    size_t start = r->at;
    const char *word;
    if (!rd_word(r, &word))
        return false;
    rd_space(r);
    if (rd_peek(r) == '[' || rd_peek(r) == '=')
        return read_assignment(l, body, start, word);
    if (strcmp(word, "for") == 0 || strcmp(word, "turns") == 0) {
        LStmt *s = stmt_new(l, body, LS_FOR, start);
        s->turns = *word == 't';
        return read_for(l, s, depth);
    }
    if (strcmp(word, "let") == 0)
        return read_definition(l, stmt_new(l, body, LS_LET, start));
    if (strcmp(word, "var") == 0)
        return read_definition(l, stmt_new(l, body, LS_VAR, start));
    if (strcmp(word, "kernel") == 0)
        return read_kernel(l, stmt_new(l, body, LS_KERNEL, start));
    if (strcmp(word, "call") == 0)
        return read_call(l, stmt_new(l, body, LS_CALL, start));
    if (strcmp(word, "tap") == 0)
        return read_tap(l, stmt_new(l, body, LS_TAP, start));
    if (strcmp(word, "note") == 0) {
        LStmt *s = stmt_new(l, body, LS_NOTE, start);
        return rd_name(r, &s->name) && rd_string(r, &s->why);
    }
    return rd_fail(r, start, "expected a statement");
}

bool rd_body(LoopReader *l, LStmts *body, int depth)
{
    if (depth > LOOP_MAX_DEPTH) {
        diag_error(l->r.d, rd_loc(&l->r, l->r.at), E0905, "nested deeper than %d",
                   LOOP_MAX_DEPTH);
        return false;
    }
    while (!rd_take(&l->r, "}"))
        if (!read_stmt(l, body, depth))
            return false;
    return true;
}
