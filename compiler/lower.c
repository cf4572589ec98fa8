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
    l->note = s;
    l->noted = v;
}

// ---- constants -------------------------------------------------------------------------------------

// A constant that can stand in the packed file: its size is known. (An expand of a weight to
// a run-time size is only a view.)
bool is_packable(const Value *v)
{
    for (int k = 0; k < v->type.rank; k++)
        if (!size_is_int(v->type.dim[k].size, NULL))
            return false;
    return value_is_const(v);
}

// The storage type of every checkpoint tensor that v is made of, when they are the same and
// v only moves elements about; else f32.
static DType storage_of(Lower *l, const Value *v)
{
    if (dtype_info[v->type.dtype].kind != DK_FLOAT)
        return v->type.dtype;
    if (v->op == OP_weight) {
        const char *path = attr_str(v, "path", "");
        DType d = l->options->storage ? l->options->storage(l->options->ctx, path) : DT_f32;
        return d == DT_f16 || d == DT_bf16 ? d : DT_f32;
    }
    if (v->op != OP_concat && v->op != OP_cast && !op_is_view(v->op))
        return DT_f32;
    DType d = storage_of(l, v->in[0]);
    for (int i = 1; i < v->nin; i++)
        if (storage_of(l, v->in[i]) != d)
            return DT_f32;
    return d;
}

// Of the [n, k] matrix of a linear: how many 48 x 1 blocks are kept, known without its
// values.
static int64_t kept_blocks(const Value *v, int64_t n, int64_t k)
{
    int64_t all = format_blocks(n, k);
    bool pruned = v->op == OP_prune && !strcmp(attr_str(v, "shape", ""), "1x48");
    return pruned ? format_kept(all, attr_num(v, "density", 1)) : all;
}

Format lower_linear_format(Lower *l, const Value *linear)
{
    Format f;
    if (format_find(attr_str(linear, "format", ""), &f))
        return f;
    return format_dense(storage_of(l, linear->in[1]));
}

Format lower_matrix_format(Lower *l, const Value *v)
{
    const Value *linear = map_get(l->panels, const_key(l->arena, v));
    bool own = linear && !attr_find(linear, "format");
    return own ? lower_linear_format(l, linear) : FORMAT_plain;
}

static void pack_matrix(Packed *k)
{
    const FormatInfo *f = &format_info[k->format];
    const Value *v = k->value;
    size_is_int(v->type.dim[0].size, &k->n);
    size_is_int(v->type.dim[1].size, &k->k);
    k->kept = kept_blocks(v, k->n, k->k);
    k->storage = f->storage;
    FormatSize w = {k->n, k->k, k->kept};
    k->count = f->bytes(&w) / (dtype_info[f->storage].bits / 8);
}

Buf *lower_packed(Lower *l, const Value *v, Format format)
{
    Prog *p = l->p;
    const char *key =
        arena_printf(l->arena, "%d:%s", (int)format, const_key(l->arena, v));
    Packed *k = map_get(l->packed, key);
    if (!k) {
        k = NEW(p->arena, Packed);
        k->value = v;
        k->format = format;
        k->storage = storage_of(l, v);
        if (!size_is_int(type_count(l->sizes, &v->type), &k->count))
            bug("a constant of run-time size");
        if (format != FORMAT_plain)
            pack_matrix(k);
        map_set(l->packed, key, k);
        vec_push(p->arena, &p->packed, k);
    }
    Field *f = record_packed(l, l->f->record, k, NULL, v->loc);
    for (int i = 0; i < l->f->bufs.n; i++)
        if (l->f->bufs.p[i]->field == f)
            return l->f->bufs.p[i];
    Type t = v->type;
    t.dtype = k->storage;
    Buf *b = buf_new(l, l->f, BUF_WEIGHT, field_local(l, f), &t);
    b->field = f;
    return b;
}

// Plain constants are read by loops and norms as f32, whatever the checkpoint has.
static View constant_view(Lower *l, const Value *v)
{
    Buf *b = lower_packed(l, v, FORMAT_plain);
    if (dtype_info[b->dtype].kind == DK_FLOAT) {
        b->field->packed->storage = DT_f32;
        b->dtype = b->shape.dtype = DT_f32;
    }
    return view_dense(l, b, &v->type);
}

static View state_view(Lower *l, const Value *v)
{
    State *st = value_state(l->p->module, v);
    Field *f = record_state(l, l->f->record, st);
    for (int i = 0; i < l->f->bufs.n; i++)
        if (l->f->bufs.p[i]->field == f)
            return view_dense(l, l->f->bufs.p[i], &v->type);
    Buf *b = buf_new(l, l->f, BUF_STATE, f->name, &v->type);
    b->field = f;
    return view_dense(l, b, &v->type);
}

void lower_state(Lower *l, const Value *v)
{
    lower_set(l, v, state_view(l, v));
}

// ---- operands ----------------------------------------------------------------------------------------

View lower_value(Lower *l, const Value *v)
{
    if (is_packable(v))
        return constant_view(l, v);
    if (!low_of(l, v)->done)
        bug("%%%d (%s) is used before it is lowered", v->id, op_info[v->op].name);
    View view = low_of(l, v)->view;
    view.buf = reach(l, l->f, view.buf);
    return view;
}

// What a view op looks through: the operand's view over the buffer that holds it.
View lower_base(Lower *l, const Value *v, int i)
{
    const Value *x = v->in[i];
    return is_packable(x) ? constant_view(l, x) : low_of(l, x)->view;
}

View lower_in(Lower *l, const Value *v, int i)
{
    return lower_value(l, v->in[i]);
}

static void uses_turn(Lower *l, const char *index)
{
    // Every function between the loop and here takes the turn as a parameter.
    for (Func *f = l->f; f; f = f->caller) {
        bool known = false;
        for (int i = 0; i < f->turns.n; i++)
            known = known || !strcmp(f->turns.p[i], index);
        if (!known)
            vec_push(l->p->arena, &f->turns, index);
        const Field *own = NULL;
        for (int i = 0; f->caller && i < f->caller->record->fields.n; i++)
            if (f->caller->record->fields.p[i]->record == f->record)
                own = f->caller->record->fields.p[i];
        if (own && own->index && !strcmp(own->index, index))
            return;
    }
}

LExpr *lower_scalar(Lower *l, const Value *v, DType want)
{
    Prog *p = l->p;
    double x = 0;
    if (v->type.rank != 0)
        return NULL;
    if (value_is_scalar_const(v, &x)) {
        if (dtype_info[want].kind == DK_FLOAT)
            return lx_num(p, x);
        LExpr *e = lx_int(p, (int64_t)x);
        e->dtype = want;
        return e;
    }
    if (v->op == OP_size)
        return lx_cast(p, want, lx_size(p, attr_find(v, "size")->sizes[0]));
    if (v->op == OP_turn) {
        uses_turn(l, attr_str(v, "index", "i"));
        return lx_cast(p, want, lx_var(p, attr_str(v, "index", "i"), DT_i64));
    }
    if (is_packable(v) || (op_info[v->op].class != OPC_MAP && v->op != OP_cast))
        return NULL;
    LExpr *in[2] = {NULL, NULL};
    for (int i = 0; i < v->nin; i++)
        if (!(in[i] = lower_scalar(l, v->in[i], v->in[i]->type.dtype)))
            return NULL;
    return v->op == OP_cast ? lx_cast(p, want, in[0]) : lx_map_call(p, v->op, in[0], in[1]);
}

// ---- one op ----------------------------------------------------------------------------------------------

static void lower_op(Lower *l, const Value *v)
{
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
        lower_set(l, v, view_dense(l, low_of(l, v->in[0])->carried[attr_int(v, "i", 0)],
                                   &v->type));
        return;
#define CORE(name, arity, doc)
#define MAP1(name, expr, doc)                                                            \
    case OP_##name:                                                                      \
        lower_map(l, v);                                                                 \
        return;
#define MAP2 MAP1
#define OP(name, arity, doc)                                                             \
    case OP_##name:                                                                      \
        lower_##name(l, v);                                                              \
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
    return !(v->type.rank == 0 && !low_of(l, v)->yielded && lower_scalar(l, v, v->type.dtype));
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
            crossed = crossed || (k != i && from[i].buf == reach(l, l->f, low_of(l, v)->carried[k]));
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
    enter(l, item->call, item->inside, v);
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
        if (v->op == OP_repeat)
            note_region(l, v->body);
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
    note_region(l, g->body);
    Func *f = func_new(l, NULL, p->module->scopes.p[0], g->name);
    f->entry = g;
    f->record = p->root;
    l->f = f;
    l->out = &f->body;
    for (int i = 0; i < g->body->params.n; i++) {
        Value *v = g->body->params.p[i];
        Buf *b = buf_new(l, f, BUF_IN, v->name ? v->name : "in", &v->type);
        vec_push(p->arena, &f->params, b);
        low_of(l, v)->func = low_of(l, v)->home = f;
        lower_set(l, v, view_dense(l, b, &v->type));
    }
    for (int i = 0; i < g->body->yields.n; i++) {
        const char *name = arena_printf(p->arena, "out_%s", g->result_names.p[i]);
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

Prog *lower_module(Arena *a, Module *m, const char *prefix, const LowerOptions *o, Diag *d)
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
    p->root = NEW(a, Record);
    const Scope *root = m->scopes.n ? m->scopes.p[0] : NULL;
    char *type = arena_strdup(a, c_name(a, root && root->block ? root->block : "Model"));
    type[0] = (char)toupper((unsigned char)type[0]);
    p->root->type = type;
    p->root->path = root && root->path ? root->path : "";
    Lower l = {.p = p, .options = o, .diag = d, .sizes = m->sizes, .arena = a};
    l.panels = map_new(a);
    l.packed = map_new(a);
    for (int i = 0; i < m->graphs.n; i++)
        graph_walk(m->graphs.p[i], note_panels, &l);
    for (int i = 0; i < m->graphs.n && !diag_errors(d); i++)
        lower_graph(&l, m->graphs.p[i]);
    if (diag_errors(d))
        return NULL;
    lower_finish(p);
    return p;
}
