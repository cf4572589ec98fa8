// verify.c - what a legal graph is.
//
//   - an operand is defined above, in its region or one around it; the body of a map or
//     linear sees only itself
//   - a type is what infer_type gives; attributes are those of attrs.def
//   - a repeat carries what it is given: params, operands and yields agree in number and
//     type; the body of a map or linear is MAP ops, casts and constants on scalars
//   - weights and states are declared, {i} in their paths is a repeat around them
//   - a size that differs by turn is of the repeats around it, and of each of their turns
//   - a version of a state has one successor and is read before that is written
//
// Every breach is a line: "decode: `x` (add): operand 0 is not defined here".

#include <string.h>

#include "ops.h"

enum { MAX_BREACHES = 100 };

typedef struct Verifier {
    const Module *m;
    const Graph *g;
    Arena *scratch;
    Text *why;
    int breaches;
    bool *seen;        // by Value.id: the id is taken
    bool *visible;     // by Value.id: defined above, in this region or around it
    const Value **at;  // by Value.id: the value of that id
    int *state;        // by Value.id: index of the state it is a version of, or -1
    int *version;      // by Value.id: number of writes to the state before it
    int *writes;       // by index of state: so far
} Verifier;

PRINTF_LIKE(3, 4)
static void breach(Verifier *c, const Value *v, const char *fmt, ...)
{
    if (c->breaches++ >= MAX_BREACHES)
        return;
    if (c->g)
        text_printf(c->why, "%s: ", c->g->name);
    if (v && v->name)
        text_printf(c->why, "`%s` (%s): ", v->name, op_info[v->op].name);
    else if (v)
        text_printf(c->why, "#%d (%s): ", v->id, op_info[v->op].name);
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(c->why, fmt, ap);
    va_end(ap);
    text_puts(c->why, "\n");
}

// ---- single values ---------------------------------------------------------------------

static void check_attr(Verifier *c, const Value *v, const Attr *a)
{
    const AttrRow *row = attr_row_find(v->op, a->name);
    if (!row) {
        breach(c, v, "no attribute `%s` is known", a->name);
        return;
    }
    if (a->kind != row->kind)
        breach(c, v, "attribute `%s` is of the wrong kind", a->name);
    else if (row->count && a->n != row->count)
        breach(c, v, "attribute `%s` has %d numbers", a->name, a->n);
    else if (a->kind == AT_STR && !a->str)
        breach(c, v, "attribute `%s` has no text", a->name);
    bool sizes = a->kind == AT_SIZES || a->kind == AT_SIZE;
    for (int k = 0; sizes && k < a->n; k++)
        if (!a->sizes[k])
            breach(c, v, "attribute `%s` has a size that overflowed", a->name);
    if (attr_find(v, a->name) != a)
        breach(c, v, "attribute `%s` stands twice", a->name);
}

static void check_attrs(Verifier *c, const Value *v)
{
    for (int i = 0; i < v->nattr; i++)
        check_attr(c, v, &v->attr[i]);
    const AttrRow *row;
    for (int i = 0; (row = attr_row(v->op, i)) != NULL; i++)
        if (row->need && !attr_find(v, row->name))
            breach(c, v, "attribute `%s` is missing", row->name);
}

static void check_type(Verifier *c, const Value *v)
{
    Value copy = *v;
    Diag *d = diag_new(c->scratch);
    Module *m = c->g->module;
    Infer infer = {.module = m, .sizes = m->sizes, .diag = d, .loc = v->loc};
    if (!infer_type(&infer, &copy)) {
        breach(c, v, "%s", diag_count(d) ? diag_message(d, 0)->text : "has no type");
        return;
    }
    if (!type_equal(&copy.type, &v->type))
        breach(c, v, "type is %s, should be %s", type_str(&v->type, c->scratch),
               type_str(&copy.type, c->scratch));
}

static void check_scope(Verifier *c, const Value *v)
{
    const Scope *s = v->scope;
    if (!s || s->id < 0 || s->id >= c->m->scopes.n || c->m->scopes.p[s->id] != s)
        breach(c, v, "scope is not one of the module");
}

// True when a repeat around region r counts with `index`.
static bool counted_by(const Region *r, const char *index, size_t n)
{
    for (; r; r = r->owner ? r->owner->region : NULL) {
        if (!r->owner || r->owner->op != OP_repeat)
            continue;
        const char *s = attr_str(r->owner, "index", "");
        if (strlen(s) == n && memcmp(s, index, n) == 0)
            return true;
    }
    return false;
}

typedef struct Tables {
    Verifier *c;
    const Value *v;
    const Region *r;
} Tables;

// The repeat around region r that counts with `index` has turns of that range only.
static bool has_turns(const Region *r, const TurnRange *range)
{
    for (; r; r = r->owner ? r->owner->region : NULL) {
        const Attr *own = r->owner ? attr_find(r->owner, "range") : NULL;
        int64_t lo, hi;
        if (own && strcmp(attr_str(r->owner, "index", ""), range->index) == 0)
            return own->kind == AT_SIZES && own->n == 2 &&
                   size_is_int(own->sizes[0], &lo) && size_is_int(own->sizes[1], &hi) &&
                   lo >= range->lo && hi <= range->lo + range->n;
    }
    return false;
}

static void check_table(const TurnVar *t, void *ctx)
{
    const Tables *x = ctx;
    if (t->id < 0 || t->id >= x->c->m->tables.n || x->c->m->tables.p[t->id] != t)
        breach(x->c, x->v, "table `%s` is not one of the module", t->name);
    for (int i = 0; i < t->nranges; i++)
        if (!has_turns(x->r, &t->range[i]))
            breach(x->c, x->v, "no repeat around it has the turns `%s` of table `%s`",
                   t->range[i].index, t->name);
}

// Of a value that stands in r; r NULL: of a weight or state, which is the same in all turns.
static void check_tables(Verifier *c, const Value *v, const Type *t, const Region *r)
{
    Tables x = {c, v, r};
    for (int k = 0; k < t->rank; k++)
        if (t->dim[k].size)
            size_turns(t->dim[k].size, check_table, &x);
    for (int i = 0; v && i < v->nattr; i++)
        for (int k = 0; k < v->attr[i].n && v->attr[i].sizes; k++)
            if (v->attr[i].sizes[k])
                size_turns(v->attr[i].sizes[k], check_table, &x);
}

static void check_path(Verifier *c, const Value *v, const Region *r)
{
    const char *path = attr_str(v, "path", "");
    if (v->op == OP_weight && !value_weight(c->m, v))
        breach(c, v, "weight `%s` is not declared", path);
    if (v->op == OP_state && !value_state(c->m, v))
        breach(c, v, "state `%s` is not declared", path);
    for (const char *p = strchr(path, '{'); p; p = strchr(p + 1, '{')) {
        size_t n = strcspn(p + 1, "}");
        if (!counted_by(r, p + 1, n))
            breach(c, v, "`%s`: no repeat around it counts `%.*s`", path, (int)n,
                   p + 1);
    }
}

// ---- states ----------------------------------------------------------------------------

static int state_index(const Verifier *c, const char *path)
{
    for (int i = 0; i < c->m->states.n; i++)
        if (strcmp(c->m->states.p[i]->path, path) == 0)
            return i;
    return -1;
}

// What v does to states; its operands were checked to be visible.
static void follow_states(Verifier *c, const Value *v)
{
    for (int i = 0; i < v->nin; i++) {
        const Value *x = v->in[i];
        int s = c->state[x->id];
        if (s >= 0 && c->version[x->id] != c->writes[s])
            breach(c, v, "operand %d is a version of state `%s` that has a successor",
                   i, c->m->states.p[s]->path);
    }
    int s = -1;
    if (v->op == OP_state) {
        s = state_index(c, attr_str(v, "path", ""));
    } else if (v->op == OP_set_slice && v->nin > 0) {
        s = c->state[v->in[0]->id];
        if (s >= 0)
            c->writes[s]++;
    }
    c->state[v->id] = s;
    c->version[v->id] = s >= 0 ? c->writes[s] : 0;
}

// Marks in hit[] the states that a region writes, the bodies in it included.
static void states_written(const Verifier *c, const Region *r, bool *hit)
{
    for (int i = 0; i < r->ops.n; i++) {
        const Value *v = r->ops.p[i];
        const Value *x = v;
        while (x->op == OP_set_slice && x->nin > 0)
            x = x->in[0];
        int s =
            x->op == OP_state && x != v ? state_index(c, attr_str(x, "path", "")) : -1;
        if (s >= 0)
            hit[s] = true;
        if (v->body)
            states_written(c, v->body, hit);
    }
}

// A turn of a repeat sees what the turn before it wrote: versions from outside are stale.
static void enter_turn(Verifier *c, const Region *body)
{
    int n = c->m->states.n;
    bool *hit = NEWN(c->scratch, bool, n + 1);
    states_written(c, body, hit);
    for (int i = 0; i < n; i++)
        c->writes[i] += hit[i];
}

// ---- regions ---------------------------------------------------------------------------

// False: the id is out of range or taken, so the tables by id cannot hold the value.
static bool take_id(Verifier *c, const Value *v)
{
    if (v->id < 0 || v->id >= c->g->nvalues || c->seen[v->id]) {
        breach(c, v, "id is not unique");
        return false;
    }
    c->seen[v->id] = true;
    c->at[v->id] = v;
    c->state[v->id] = -1;
    return true;
}

static bool is_visible(const Verifier *c, const Value *x)
{
    return x && x->id >= 0 && x->id < c->g->nvalues && c->at[x->id] == x &&
           c->visible[x->id];
}

static bool check_operands(Verifier *c, const Value *v, const Region *r, bool scalar)
{
    bool fine = true;
    for (int i = 0; i < v->nin; i++) {
        const Value *x = v->in[i];
        if (!is_visible(c, x) || (scalar && x->region != r)) {
            breach(c, v, "operand %d is not defined here", i);
            fine = false;
        }
    }
    return fine;
}

static void check_carried(Verifier *c, const Value *v)
{
    const Region *b = v->body;
    if (b->params.n != v->nin || b->yields.n != v->nin) {
        breach(c, v, "%d operands, %d carried, %d yielded", v->nin, b->params.n,
               b->yields.n);
        return;
    }
    for (int i = 0; i < v->nin; i++) {
        const Value *p = b->params.p[i], *y = b->yields.p[i];
        if (!type_equal(&p->type, &v->in[i]->type) || !type_equal(&p->type, &y->type))
            breach(c, v, "carried value %d: %s goes in, %s is yielded", i,
                   type_str(&v->in[i]->type, c->scratch),
                   type_str(&y->type, c->scratch));
    }
}

static void check_elementwise(Verifier *c, const Value *v)
{
    const Region *b = v->body;
    int skip = v->op == OP_linear ? 1 : 0;
    if (b->params.n != v->nin - skip || b->yields.n != 1) {
        breach(c, v, "%d operands, but the body has %d params and %d yields", v->nin,
               b->params.n, b->yields.n);
        return;
    }
    for (int i = 0; i < b->params.n; i++) {
        const Value *x = v->in[i ? i + skip : 0];
        Type t = type_scalar(x->type.dtype);
        if (!type_equal(&b->params.p[i]->type, &t))
            breach(c, v, "param %d of the body is not a scalar of its operand", i);
    }
    for (int i = 0; i < b->ops.n; i++) {
        const Value *x = b->ops.p[i];
        bool may =
            op_info[x->op].class == OPC_MAP || x->op == OP_cast || x->op == OP_const;
        if (!may || x->type.rank != 0 || x->body)
            breach(c, x, "may not stand in the body of a map or linear");
    }
}

static void check_region(Verifier *c, const Region *r, bool scalar);

static void check_body(Verifier *c, const Value *v)
{
    bool needs = v->op == OP_repeat || v->op == OP_map || v->op == OP_linear;
    if (!v->body || !needs) {
        if (needs || v->body)
            breach(c, v, needs ? "has no body" : "has a body");
        return;
    }
    if (v->body->owner != v)
        breach(c, v, "body belongs to another value");
    int before = c->breaches;
    if (v->op == OP_repeat)
        enter_turn(c, v->body);
    check_region(c, v->body, v->op != OP_repeat);
    if (c->breaches > before)
        return;
    if (v->op == OP_repeat)
        check_carried(c, v);
    else
        check_elementwise(c, v);
}

static void check_value(Verifier *c, const Value *v, const Region *r, bool scalar)
{
    int before = c->breaches;
    if (v->region != r)
        breach(c, v, "stands in another region than it says");
    if (v->op == OP_param)
        breach(c, v, "a param stands among the ops");
    check_scope(c, v);
    check_attrs(c, v);
    if (!check_operands(c, v, r, scalar))
        return;
    for (int i = 0; i < v->nin; i++)
        if ((v->in[i]->type.rank < 0) != (v->op == OP_item))
            breach(c, v, "operand %d: item takes a repeat, nothing else does", i);
    if (v->op == OP_weight || v->op == OP_state)
        check_path(c, v, r);
    const char *index = attr_str(v, "index", "");
    if (v->op == OP_turn && !counted_by(r, index, strlen(index)))
        breach(c, v, "no repeat around it counts `%s`", index);
    check_tables(c, v, &v->type, r);
    follow_states(c, v);
    check_body(c, v);
    if (c->breaches == before)
        check_type(c, v);
}

static void check_yields(Verifier *c, const Region *r, bool scalar)
{
    for (int i = 0; i < r->yields.n; i++) {
        const Value *y = r->yields.p[i];
        if (!is_visible(c, y) || (scalar && y->region != r)) {
            breach(c, r->owner, "yield %d is not defined", i);
            continue;
        }
        if (y->type.rank < 0)
            breach(c, r->owner, "yield %d is a repeat", i);
        int s = c->state[y->id];
        if (s >= 0 && c->version[y->id] != c->writes[s])
            breach(c, r->owner,
                   "yield %d is a version of state `%s` that has a successor", i,
                   c->m->states.p[s]->path);
    }
}

static void check_region(Verifier *c, const Region *r, bool scalar)
{
    for (int i = 0; i < r->params.n; i++) {
        const Value *p = r->params.p[i];
        if (p->op != OP_param || p->region != r)
            breach(c, p, "is not a param of its region");
        check_scope(c, p);
        check_tables(c, p, &p->type, r);
        if (take_id(c, p))
            c->visible[p->id] = true;
    }
    for (int i = 0; i < r->ops.n; i++) {
        const Value *v = r->ops.p[i];
        if (!take_id(c, v))
            continue;
        check_value(c, v, r, scalar);
        c->visible[v->id] = true;
    }
    check_yields(c, r, scalar);
    for (int i = 0; i < r->params.n; i++)
        if (is_visible(c, r->params.p[i]))
            c->visible[r->params.p[i]->id] = false;
    for (int i = 0; i < r->ops.n; i++)
        if (is_visible(c, r->ops.p[i]))
            c->visible[r->ops.p[i]->id] = false;
}

// ---- the module ------------------------------------------------------------------------

static void check_graph(Verifier *c, const Graph *g)
{
    int n = g->nvalues + 1;
    c->g = g;
    c->seen = NEWN(c->scratch, bool, n);
    c->visible = NEWN(c->scratch, bool, n);
    c->at = NEWN(c->scratch, const Value *, n);
    c->state = NEWN(c->scratch, int, n);
    c->version = NEWN(c->scratch, int, n);
    c->writes = NEWN(c->scratch, int, c->m->states.n + 1);
    if (g->module != c->m)
        breach(c, NULL, "belongs to another module");
    check_region(c, g->body, false);
    if (g->body->yields.n != g->result_names.n)
        breach(c, NULL, "%d results, %d names of results", g->body->yields.n,
               g->result_names.n);
    if (g->cursor && (g->cursor->id < 0 || g->cursor->id >= c->m->dims.n ||
                      c->m->dims.p[g->cursor->id] != g->cursor))
        breach(c, NULL, "the cursor is not a dim of the module");
}

static void check_declarations(Verifier *c)
{
    const Module *m = c->m;
    for (int i = 0; i < m->dims.n; i++)
        if (m->dims.p[i]->id != i)
            breach(c, NULL, "dim `%s` has another id than its place",
                   m->dims.p[i]->name);
    for (int i = 0; i < m->scopes.n; i++) {
        const Scope *s = m->scopes.p[i];
        if (s->id != i || (s->parent && s->parent->id >= i) || (!s->parent && i > 0))
            breach(c, NULL, "scope %d is out of order", i);
    }
    for (int i = 0; i < m->weights_list.n; i++) {
        const Weight *w = m->weights_list.p[i];
        unsigned seen = 0;
        for (int k = 0; k < w->type.rank; k++)
            if (w->stored[k] >= 0 && w->stored[k] < w->type.rank)
                seen |= 1u << w->stored[k];
        if (w->type.rank >= 0 && seen != (1u << w->type.rank) - 1)
            breach(c, NULL, "weight `%s` is stored in no order of its axes", w->path);
        check_tables(c, NULL, &w->type, NULL);
    }
    for (int i = 0; i < m->states.n; i++)
        check_tables(c, NULL, &m->states.p[i]->type, NULL);
}

static void check_module(Verifier *c)
{
    check_declarations(c);
    for (int i = 0; i < c->m->graphs.n; i++)
        check_graph(c, c->m->graphs.p[i]);
    if (c->breaches > MAX_BREACHES)
        text_printf(c->why, "and %d more\n", c->breaches - MAX_BREACHES);
}

bool ir_verify(const Module *m, Text *why)
{
    Arena *scratch = arena_new();
    Guard guard;
    if (GUARD_SET(&guard)) {
        arena_free(scratch);
        guard_again(&guard);
    }
    Verifier c = {.m = m, .scratch = scratch, .why = why};
    check_module(&c);
    guard_drop(&guard);
    arena_free(scratch);
    return c.breaches == 0;
}
