// lower.c - graph IR to loop IR: the walk over a graph; ops lower themselves.
//
// For each entry: outline its scopes into functions, decide for each value which function
// must own its buffer (the innermost one around its definition and all of its uses), then
// lower the ops in order, each to a few statements over views.

#include "compiler/lower.h"

#include <ctype.h>
#include <string.h>

// ---- small things ops ask for -----------------------------------------------------------------

Low *low_of(Lower *l, const Value *v)
{
    return &l->low[v->id];
}

bool op_is_view(Op op)
{
    return op == OP_reshape || op == OP_transpose || op == OP_slice || op == OP_expand;
}

void lower_set(Lower *l, const Value *v, View view)
{
    low_of(l, v)->view = view;
    low_of(l, v)->done = true;
}

void lower_refuse(Lower *l, const Value *v, const char *what, const char *hint)
{
    diag_error(l->diag, v->loc, E0810, "%s: %s", op_info[v->op].name, what);
    if (hint)
        diag_hint(l->diag, (Loc){0, 0}, "%s", hint);
}

static const char *shape_words(Lower *l, const Value *v)
{
    Text t;
    text_init(&t, l->p->arena);
    if (v->op == OP_linear) {
        type_print(&v->in[0]->type, &t);
        text_puts(&t, " @ ");
        type_print(&v->in[1]->type, &t);
        text_puts(&t, "' -> ");
    }
    type_print(&v->type, &t);
    return t.p;
}

// Where the user's own text stands: of a block of the library, its call.
static Loc user_loc(const Diag *d, const Value *v)
{
    Loc loc = v->loc;
    for (const Scope *s = v->scope; s && s->library; s = s->parent)
        loc = s->call.end ? s->call : loc;
    Place at = diag_place(d, loc);
    bool library = at.file && !strncmp(at.file, "std/", 4);
    return library && v->scope ? v->scope->loc : loc;
}

void lower_note(Lower *l, const Value *v)
{
    LStmt *s = ls_new(l->p, l->out, LS_NOTE, user_loc(l->diag, v));
    s->name = v->name ? v->name : op_info[v->op].name;
    s->why = shape_words(l, v);
    s->tap = l->p->marks ? v : NULL;
    l->note = s;
    l->noted = v;
}

// ---- one op ----------------------------------------------------------------------------------------------

// 16-bit floats are how weights are stored: at run time there is none to compute with.
static bool is_half(const Value *v)
{
    bool is =
        v->type.rank >= 0 && (v->type.dtype == DT_f16 || v->type.dtype == DT_bf16);
    for (int i = 0; v->body && v->op != OP_repeat && i < v->body->ops.n; i++)
        is = is || is_half(v->body->ops.p[i]);
    return is;
}

static void refuse_half(Lower *l, const Value *v)
{
    lower_refuse(l, v, "a 16-bit float at run time",
                 "use f32; weights declared f32 may be stored as bf16 or f16");
}

static void lower_op(Lower *l, const Value *v)
{
    if (low_of(l, v)->placed)
        return;
    if (is_half(v)) {
        refuse_half(l, v);
        return;
    }
    switch (v->op) {
    case OP_param:
    case OP_weight:
    case OP_const:
    case OP_size:
    case OP_turn:
        return;
    case OP_state:
        lower_state(l, v);
        return;
    case OP_map:
        lower_map(l, v);
        return;
    case OP_item:
        lower_set(
            l, v,
            view_dense(l, low_of(l, v->in[0])->carried[attr_int(v, "i", 0)], &v->type));
        return;
#define CORE(name, arity, doc)
#define MAP1(name, expr, doc)                                                          \
    case OP_##name:                                                                    \
        lower_map(l, v);                                                               \
        return;
#define MAP2 MAP1
#define OP(name, arity, doc)                                                           \
    case OP_##name:                                                                    \
        lower_##name(l, v);                                                            \
        return;
#include "compiler/ops.def"
#undef CORE
#undef MAP1
#undef MAP2
#undef OP
    default:
        bug("%s cannot be lowered here", op_info[v->op].name);
    }
}

// verify --taps: the program shows every value that has a name in the source.
static void lower_tap(Lower *l, const Value *v)
{
    if (!l->p->taps || !v->name || v->scope->library || !low_of(l, v)->done)
        return;
    View x = lower_dense(l, lower_value(l, v), "tapped");
    LStmt *s = ls_new(l->p, l->out, LS_TAP, v->loc);
    s->buf = x.buf;
    s->index = lx_size(l->p, x.offset);
    s->tap = v;
}

static bool needs_lowering(Lower *l, const Value *v)
{
    if (is_packable(v) || diag_errors(l->diag))
        return false;
    // A scalar that is an expression of sizes is written where it is used.
    return !(v->type.rank == 0 && !low_of(l, v)->yielded &&
             lower_scalar(l, v, v->type.dtype));
}

// ---- repeats -----------------------------------------------------------------------------------------------

static Buf *carried_buffer(Lower *l, const Value *v, int i)
{
    const Value *init = v->in[i];
    if (!is_packable(init)) {
        View x = low_of(l, init)->view;
        View dense = view_dense(l, x.buf, &init->type);
        bool taken = false;
        for (int k = 0; k < i; k++)
            taken = taken || low_of(l, v)->carried[k] == x.buf;
        for (int k = 0; k < v->nin; k++)
            taken = taken || (k != i && v->in[k] == init);
        if (!taken && x.buf->kind == BUF_LOCAL && view_same(&x, &dense) &&
            func_common(x.buf->func, low_of(l, v)->home) == x.buf->func &&
            buf_free_at(l, x.buf, v, ~0u))
            return x.buf;
    }
    const Value *param = v->body->params.p[i];
    const char *name = param->name ? param->name : init->name ? init->name : "x";
    Buf *b = buf_new(l, low_of(l, v)->home, BUF_LOCAL, name, &param->type);
    View own = view_dense(l, reach(l, l->f, b), &param->type);
    lower_copy(l, own, view_broadcast(l, lower_value(l, init), &param->type));
    return b;
}

// Values carried on reach their buffers; when some yield lies in another's buffer, all of
// them go through copies first.
static void carry_on(Lower *l, const Value *v)
{
    const Region *r = v->body;
    View from[64], to[64];
    bool crossed = false;
    for (int i = 0; i < r->yields.n; i++) {
        from[i] = lower_value(l, r->yields.p[i]);
        Buf *b = low_of(l, v)->carried[i];
        to[i] = view_dense(l, reach(l, l->f, b), &r->yields.p[i]->type);
        for (int k = 0; k < r->yields.n; k++)
            crossed =
                crossed ||
                (k != i && from[i].buf == reach(l, l->f, low_of(l, v)->carried[k]));
    }
    for (int i = 0; crossed && i < r->yields.n; i++) {
        Buf *t = lower_temp(l, "next", from[i].buf->dtype, from[i].rank, from[i].dim);
        View copy = view_dense(l, t, &t->shape);
        lower_copy(l, copy, from[i]);
        from[i] = copy;
    }
    for (int i = 0; i < r->yields.n; i++)
        lower_copy(l, to[i], from[i]);
}

static void lower_items(Lower *l, const Items *items);

static LStmt *call_of(Lower *l, Func *callee, LStmts *into, Loc loc)
{
    LStmt *s = ls_new(l->p, into, LS_CALL, loc);
    s->callee = callee;
    for (int i = 0; i < callee->params.n; i++)
        vec_push(l->p->arena, &s->actuals, callee->params.p[i]->outer);
    for (int i = 0; i < l->f->record->fields.n; i++)
        if (l->f->record->fields.p[i]->record == callee->record)
            s->record = l->f->record->fields.p[i];
    return s;
}

static void enter(Lower *l, Func *f, const Items *inside, const Value *repeat)
{
    Func *f0 = l->f;
    LStmts *out0 = l->out;
    l->f = f;
    l->out = &f->body;
    for (int i = 0; i < l->nturns; i++)  // a parameter of f, should it ask for the turn
        map_set(f->taken, l->turn[i], f);
    lower_items(l, inside);
    if (repeat && !diag_errors(l->diag))
        carry_on(l, repeat);
    l->f = f0;
    l->out = out0;
}

static void lower_repeat(Lower *l, const Item *item)
{
    Prog *p = l->p;
    const Value *v = item->value;
    if (v->nin > 64) {
        lower_refuse(l, v, "more than 64 values carried from turn to turn", NULL);
        return;
    }
    lower_save_before(l, v);
    Low *lo = low_of(l, v);
    lo->carried = NEWN(p->arena, Buf *, v->nin + 1);
    for (int i = 0; i < v->nin; i++)
        lo->carried[i] = carried_buffer(l, v, i);
    for (int i = 0; i < v->nin; i++) {
        const Value *param = v->body->params.p[i];
        lower_set(l, param, view_dense(l, lo->carried[i], &param->type));
    }
    lo->done = true;
    const Attr *range = attr_find(v, "range");
    LStmt *loop = ls_new(p, l->out, LS_FOR, v->loc);
    loop->name = func_name(l->f, attr_str(v, "index", "i"));
    loop->turns = true;
    loop->lo = lx_size(p, range->sizes[0]);
    loop->hi = lx_size(p, range->sizes[1]);
    if (l->nturns == COUNT(l->turn)) {
        lower_refuse(l, v, "loops nested this deep", NULL);
        return;
    }
    l->turn[l->nturns++] = attr_str(v, "index", "i");
    enter(l, item->call, item->inside, v);
    l->nturns--;
    LStmt *call = call_of(l, item->call, &loop->body, v->loc);
    call->turn = lx_bin(p, '-', lx_var(p, loop->name, DT_i64), loop->lo);
    map_set(l->f->taken, loop->name, NULL);
}

static void lower_items(Lower *l, const Items *items)
{
    for (int i = 0; i < items->n && !diag_errors(l->diag); i++) {
        const Item *item = &items->p[i];
        if (item->value && item->call) {
            lower_repeat(l, item);
        } else if (item->call) {
            enter(l, item->call, item->inside, NULL);
            call_of(l, item->call, l->out, item->call->scope->loc);
        } else if (!item->value) {
            bug("an item is neither a value nor a call");
        } else if (needs_lowering(l, item->value)) {
            lower_op(l, item->value);
            lower_tap(l, item->value);
        }
    }
}

// ---- side tables ---------------------------------------------------------------------------------------------

static void note_region(Lower *l, const Region *r)
{
    for (int i = 0; i < r->params.n; i++) {
        l->values[r->params.p[i]->id] = r->params.p[i];
        low_of(l, r->params.p[i])->at = -1;
    }
    for (int i = 0; i < r->ops.n; i++) {
        Value *v = r->ops.p[i];
        l->values[v->id] = v;
        low_of(l, v)->at = i;
        for (int k = 0; k < v->nin; k++)
            vec_push(l->arena, &low_of(l, v->in[k])->users, v);
        if (v->op == OP_repeat) {
            map_set(l->indices, attr_str(v, "index", "i"), v);
            note_region(l, v->body);
        }
        if (v->op == OP_linear)
            map_set(l->panels, const_key(l->arena, v->in[1]), v);
    }
    for (int i = 0; i < r->yields.n; i++)
        low_of(l, r->yields.p[i])->yielded = true;
}

// The function that must own a value's buffer, users first.
static void find_homes(Lower *l, const Region *r)
{
    for (int i = r->ops.n - 1; i >= 0; i--) {
        const Value *v = r->ops.p[i];
        if (v->op == OP_repeat)
            find_homes(l, v->body);
        Low *lo = low_of(l, v);
        lo->home = lo->func;
        for (int k = 0; k < lo->users.n; k++) {
            const Value *u = lo->users.p[k];
            bool same_buffer = op_is_view(u->op) || u->op == OP_set_slice ||
                               u->op == OP_item || u->op == OP_repeat;
            Func *f = low_of(l, u)->func;
            if (f && lo->home)
                lo->home = func_common(lo->home, same_buffer ? low_of(l, u)->home : f);
        }
    }
}

static void lower_results(Lower *l, Func *f)
{
    const Region *top = l->g->body;
    for (int i = 0; i < top->yields.n; i++) {
        Buf *b = l->results.p[i];
        if (!b)
            continue;  // written where it was made
        const Value *v = top->yields.p[i];
        View to = view_dense(l, b, &v->type);
        LExpr *e = lower_scalar(l, v, v->type.dtype);
        if (e) {
            LStmt *s = ls_new(l->p, &f->body, LS_STORE, v->loc);
            s->buf = b;
            s->index = lx_int(l->p, 0);
            s->value = e;
        } else {
            lower_copy(l, to, lower_value(l, v));
        }
    }
}

static void lower_graph(Lower *l, Graph *g)
{
    Prog *p = l->p;
    l->g = g;
    l->low = NEWN(l->arena, Low, g->nvalues + 1);
    l->values = NEWN(l->arena, Value *, g->nvalues + 1);
    l->results.n = 0;
    l->indices = map_new(l->arena);
    note_region(l, g->body);
    Func *f = func_new(l, NULL, p->module->scopes.p[0], g->name);
    f->entry = g;
    f->record = p->root;
    l->f = f;
    l->out = &f->body;
    for (int i = 0; i < g->body->params.n; i++) {
        Value *v = g->body->params.p[i];
        if (is_half(v))
            refuse_half(l, v);
        Buf *b = buf_new(l, f, BUF_IN, v->name ? v->name : "in", &v->type);
        vec_push(p->arena, &f->params, b);
        low_of(l, v)->func = low_of(l, v)->home = f;
        lower_set(l, v, view_dense(l, b, &v->type));
    }
    for (int i = 0; i < g->body->yields.n; i++) {
        const char *name = g->result_names.p[i];
        if (is_half(g->body->yields.p[i]))
            refuse_half(l, g->body->yields.p[i]);
        if (strncmp(name, "out", 3) != 0)  // out, out1: results without a name
            name = arena_printf(p->arena, "out_%s", name);
        Buf *b = buf_new(l, f, BUF_OUT, name, &g->body->yields.p[i]->type);
        vec_push(p->arena, &f->params, b);
        vec_push(l->arena, &l->results, b);
    }
    Items *items = outline(l, f, g->body, 0, g->body->ops.n);
    find_homes(l, g->body);
    lower_items(l, items);
    if (!diag_errors(l->diag))
        lower_results(l, f);
    vec_push(p->arena, &p->entries, f);
}

// ---- the module ---------------------------------------------------------------------------------------------------

static const char *upper_case(Arena *a, const char *s)
{
    char *u = arena_strdup(a, s);
    for (char *c = u; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return u;
}

static void note_panels(Value *v, void *ctx)
{
    Lower *l = ctx;
    if (v->op == OP_linear)
        map_set(l->panels, const_key(l->arena, v->in[1]), v);
}

// <prefix>_init and the like are functions of every program.
static void check_entry_names(const Module *m, Diag *d)
{
    static const char *const own[] = {"init",     "check",   "reset",     "rewind",
                                      "strerror", "weights", "set_level", "level_name"};
    for (int i = 0; i < m->graphs.n; i++)
        for (int k = 0; k < COUNT(own); k++)
            if (!strcmp(m->graphs.p[i]->name, own[k])) {
                diag_error(d, m->graphs.p[i]->loc, E0819,
                           "the program has a function `%s` of its own", own[k]);
                diag_hint(d, m->graphs.p[i]->loc, "call the entry `forward`, say");
            }
}

Prog *lower_module(Arena *a, Module *m, const char *prefix, const LowerOptions *o,
                   Diag *d)
{
    Prog *p = NEW(a, Prog);
    p->arena = a;
    p->module = m;
    p->diag = d;
    p->prefix = prefix;
    p->upper = upper_case(a, prefix);
    p->kernels = map_new(a);
    p->maps = map_new(a);
    p->taps = o->taps;
    p->marks = o->marks;
    p->root = NEW(a, Record);
    const Scope *root = m->scopes.n ? m->scopes.p[0] : NULL;
    char *type =
        arena_strdup(a, c_name(a, root && root->block ? root->block : "Model"));
    type[0] = (char)toupper((unsigned char)type[0]);
    p->root->type = type;
    p->root->path = root && root->path ? root->path : "";
    check_entry_names(m, d);
    Lower l = {.p = p, .options = o, .diag = d, .sizes = m->sizes, .arena = a};
    l.panels = map_new(a);
    l.packed = map_new(a);
    for (int i = 0; i < m->graphs.n; i++)
        graph_walk(m->graphs.p[i], note_panels, &l);
    for (int i = 0; i < m->graphs.n && !diag_errors(d); i++)
        lower_graph(&l, m->graphs.p[i]);
    if (diag_errors(d))
        return NULL;
    record_sizes(p);
    lower_finish(p);
    return p;
}
