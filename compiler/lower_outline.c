// lower_outline.c - which scopes of the source become functions of their own.
//
// A scope that the user wrote and that does some work becomes a function; a scope of the
// standard library (one Linear, one norm) is a kernel call inside its caller's function. A
// turn of a repeat is always one function, so that its weights are one row of a table.

#include "compiler/lower.h"

#include <string.h>

enum { MIN_WORK = 3 };  // ops that do something, for a scope to be worth a function

// ---- constant values by what they compute ---------------------------------------------------

static void key_of(Text *t, const Value *v)
{
    if (v->op == OP_weight) {
        text_printf(t, "%s", attr_str(v, "path", ""));
        return;
    }
    text_printf(t, "%s{", op_info[v->op].name);
    for (int i = 0; i < v->nattr; i++) {
        const Attr *a = &v->attr[i];
        text_printf(t, "%s=%lld,%a,%s", a->name, (long long)a->i, a->num,
                    a->str ? a->str : "");
        for (int k = 0; k < a->n && a->kind == AT_INTS; k++)
            text_printf(t, ",%lld", (long long)a->ints[k]);
        for (int k = 0; k < a->n && (a->kind == AT_SIZES || a->kind == AT_SIZE); k++)
            size_print(a->sizes[k], t);
        text_puts(t, ";");
    }
    text_puts(t, "}(");
    for (int i = 0; i < v->nin; i++) {
        text_puts(t, i ? "," : "");
        key_of(t, v->in[i]);
    }
    text_puts(t, ")");
}

const char *const_key(Arena *a, const Value *v)
{
    Text t;
    text_init(&t, a);
    key_of(&t, v);
    return t.p;
}

// ---- functions ---------------------------------------------------------------------------------

// Names at file scope that emission may want: MAP rows, templates, its own.
static bool is_global_name(const Prog *p, const char *name)
{
    static const char *const own[] = {"weight", "table", "weights_head"};
    Op op;
    bool taken = prefix_owns(p->prefix, name) || op_find(name, &op) ||
                 !strncmp(name, "linear", 6) || !strncmp(name, "tfx_", 4);
    for (int i = 0; i < COUNT(own); i++)
        taken = taken || !strcmp(name, own[i]);
    return taken;
}

static const char *unique_func_name(Lower *l, const char *wish, bool is_entry)
{
    Prog *p = l->p;
    const char *plain = c_name(p->arena, wish), *base = plain;
    if (is_global_name(p, plain))
        base = arena_printf(p->arena, "%s_%s", is_entry ? "entry" : "call", plain);
    const char *name = base;
    for (int i = 2;; i++) {
        bool taken = is_global_name(p, name);
        for (int k = 0; k < p->module->graphs.n; k++)
            taken = taken || (!strcmp(p->module->graphs.p[k]->name, name) &&
                              !(is_entry && name == plain));
        for (int k = 0; k < p->funcs.n; k++)
            taken = taken || !strcmp(p->funcs.p[k]->name, name);
        if (!taken)
            return name;
        name = arena_printf(p->arena, "%s_%d", base, i);
    }
}

Func *func_new(Lower *l, Func *caller, const Scope *scope, const char *name)
{
    Prog *p = l->p;
    Func *f = NEW(p->arena, Func);
    f->prog = p;
    f->caller = caller;
    f->scope = scope;
    f->name = unique_func_name(l, name, !caller);
    f->taken = map_new(p->arena);
    static const char *const own[] = {"m",      "w",         "state",  "scratch",
                                      "work",   "status",    "weight", "table",
                                      "levels", "level_base"};
    for (int i = 0; i < COUNT(own); i++)
        map_set(f->taken, own[i], f);
    map_set(f->taken, p->prefix, f);
    for (int i = 0; i < OP_COUNT; i++)
        if (op_info[i].class == OPC_MAP)
            map_set(f->taken, op_info[i].name, f);
    for (int i = 0; i < p->module->dims.n; i++)
        map_set(f->taken, p->module->dims.p[i]->name, f);
    for (int i = 0; i < p->module->scopes.n; i++)  // those may be functions
        if (p->module->scopes.p[i]->name && !p->module->scopes.p[i]->library)
            map_set(f->taken, c_name(p->arena, p->module->scopes.p[i]->name), f);
    if (caller)
        vec_push(p->arena, &p->funcs, f);
    return f;
}

// No local of f is called like a turn that f can see: it would hide it.
static void reserve_turns(Func *f)
{
    for (const Func *g = f; g->caller; g = g->caller)
        for (int i = 0; i < g->caller->record->fields.n; i++) {
            const Field *own = g->caller->record->fields.p[i];
            if (own->record == g->record && own->index)
                map_set(f->taken, own->index, f);
        }
}

// ---- scopes ----------------------------------------------------------------------------------------

static bool is_work(const Value *v)
{
    return !is_packable(v) && v->op != OP_size && v->op != OP_turn &&
           v->op != OP_state && v->op != OP_item && v->op != OP_set_slice &&
           !op_is_view(v->op);
}

static bool within(const Scope *s, const Scope *outer)
{
    for (; s; s = s->parent)
        if (s == outer)
            return true;
    return false;
}

static int work_in(const Region *r, const Scope *s)
{
    int n = 0;
    for (int i = 0; i < r->ops.n; i++) {
        const Value *v = r->ops.p[i];
        if (v->op == OP_repeat && within(v->scope, s))
            n += MIN_WORK;
        else if (within(v->scope, s) && is_work(v))
            n++;
    }
    return n;
}

// The outermost scope strictly inside the function's own that deserves a function.
static const Scope *next_scope(const Region *r, const Func *f, const Value *v)
{
    const Scope *best = NULL;
    for (const Scope *s = v->scope; s && s != f->scope; s = s->parent) {
        if (s->parent == NULL)
            return NULL;  // the root, or a scope that is not inside f's
        if (!s->library && work_in(r, s) >= MIN_WORK)
            best = s;
    }
    return best;
}

static Record *scope_record(Lower *l, Func *f, const Scope *s)
{
    if (!strcmp(s->path, f->record->path))
        return f->record;
    return record_child(l, f->record, s->name, s->block, s->path, NULL, 0, 1);
}

static Item outline_repeat(Lower *l, Func *f, const Value *v)
{
    const Region *body = v->body;
    const Scope *scope = body->ops.n ? body->ops.p[0]->scope : v->scope;
    for (int i = 0; i < body->ops.n; i++)  // the innermost scope around the whole body
        while (scope && !within(body->ops.p[i]->scope, scope))
            scope = scope->parent;
    bool own = scope && within(scope, v->scope) && scope != v->scope;
    while (own && scope->library && scope->parent != v->scope)
        scope = scope->parent;
    const char *name = own ? scope->name : "one_turn";
    Func *turn = func_new(l, f, own ? scope : v->scope, name);
    const Attr *range = attr_find(v, "range");
    int64_t lo = 0, hi = 1;
    size_is_int(range->sizes[0], &lo);
    size_is_int(range->sizes[1], &hi);
    const char *path = own ? scope->path
                           : arena_printf(l->p->arena, "%s{%s}", f->record->path,
                                          attr_str(v, "index", "i"));
    turn->record = record_child(l, f->record, name, own ? scope->block : "Turn", path,
                                attr_str(v, "index", "i"), lo, hi - lo);
    reserve_turns(turn);
    return (Item){v, turn, outline(l, turn, body, 0, body->ops.n)};
}

Items *outline(Lower *l, Func *f, const Region *r, int first, int last)
{
    Items *items = NEW(l->p->arena, Items);
    for (int i = first; i < last; i++) {
        const Value *v = r->ops.p[i];
        low_of(l, v)->func = f;
        const Scope *s = next_scope(r, f, v);
        if (s && is_work(v)) {
            int end = i + 1;
            for (int k = i + 1; k < last; k++) {
                const Value *next = r->ops.p[k];
                if (is_work(next) && !within(next->scope, s))
                    break;
                if (within(next->scope, s))
                    end = k + 1;
            }
            Func *callee = func_new(l, f, s, s->name);
            callee->record = scope_record(l, f, s);
            reserve_turns(callee);
            Item item = {NULL, callee, outline(l, callee, r, i, end)};
            vec_push(l->p->arena, items, item);
            i = end - 1;
        } else if (v->op == OP_repeat) {
            Item item = outline_repeat(l, f, v);
            vec_push(l->p->arena, items, item);
        } else {
            Item item = {v, NULL, NULL};
            vec_push(l->p->arena, items, item);
        }
    }
    return items;
}
