// lower_record.c - records: which weights and states a function reaches, by what name.

#include "compiler/lower.h"

#include <ctype.h>
#include <string.h>

static Field *field_new(Prog *p, Record *r, FieldKind kind, const char *wish, Loc loc)
{
    Arena *a = p->arena;
    const char *base = c_name(a, wish), *name = base;
    for (int i = 2, taken = 1; taken; i++) {
        taken = 0;
        for (int k = 0; k < r->fields.n; k++)
            taken |= !strcmp(r->fields.p[k]->name, name);
        if (taken)
            name = arena_printf(a, "%s%d", base, i);
    }
    Field *f = NEW(a, Field);
    f->kind = kind;
    f->name = name;
    f->owner = r;
    f->turns = 1;
    f->loc = loc;
    vec_push(a, &r->fields, f);
    return f;
}

static bool same_name(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

Record *record_child(Lower *l, Record *parent, const char *name, const char *type,
                     const char *path, const char *index, int64_t lo, int64_t turns)
{
    for (int k = 0; k < parent->fields.n; k++) {
        Field *f = parent->fields.p[k];
        if (f->kind == FIELD_RECORD && !strcmp(f->record->path, path) &&
            same_name(f->index, index) && f->lo == lo && f->turns == turns)
            return f->record;
    }
    Arena *a = l->p->arena;
    Field *f = field_new(l->p, parent, FIELD_RECORD, name, (Loc){0, 0});
    f->index = index;
    f->lo = lo;
    f->turns = turns;
    f->record = NEW(a, Record);
    char *cap = arena_strdup(a, c_name(a, type));
    cap[0] = (char)toupper((unsigned char)cap[0]);
    f->record->type = cap;
    f->record->path = path;
    f->record->parent = parent;
    return f->record;
}

// What a reader of the model calls a weight: `q_proj` for the weight of the Linear of that
// name, `norm_bias`, or the name of the weight itself where the user's block declares it.
static const char *weight_name(Arena *a, const Module *m, const Value *v)
{
    const char *path = attr_str(v, "path", "");
    const Weight *w = value_weight(m, v);
    const char *dot = strrchr(path, '.');
    const char *last = dot ? dot + 1 : path;
    if (!w || !w->scope || !w->scope->library || !w->scope->name)
        return last;
    if (!strcmp(last, "weight"))
        return w->scope->name;
    return arena_printf(a, "%s_%s", w->scope->name, last);
}

typedef VEC(const char *) Names;

static void collect_leaves(Lower *l, const Value *v, Names *names)
{
    if (v->op == OP_weight) {
        const char *s = weight_name(l->p->arena, l->p->module, v);
        vec_push(l->p->arena, names, s);
        return;
    }
    int first = names->n;
    for (int i = 0; i < v->nin; i++)
        collect_leaves(l, v->in[i], names);
    for (int i = first; i < names->n; i++)  // both factors of a pair have a name
        if (v->op == OP_svd_left || v->op == OP_svd_right)
            names->p[i] = arena_printf(l->p->arena, "%s_%s", names->p[i],
                                       v->op == OP_svd_left ? "left" : "right");
}

static size_t common_tail(const Names *names)
{
    const char *a = names->p[0];
    size_t first = strlen(a), tail = first;
    for (int i = 1; i < names->n; i++) {
        const char *b = names->p[i];
        size_t n = strlen(b), k = 0;
        while (k < n && k < tail && b[n - 1 - k] == a[first - 1 - k])
            k++;
        tail = k;
    }
    while (tail > 0 && (tail >= first || a[first - tail] != '_'))
        tail--;  // a common ending counts from a separator on
    return tail;
}

// q_proj, k_proj, v_proj -> qkv; gate, up -> gate_up; q_bias, k_bias, v_bias -> qkv_bias.
static const char *joined_name(Arena *a, const Names *names)
{
    size_t tail = common_tail(names), first = strlen(names->p[0]);
    const char *ending = names->p[0] + first - tail;
    bool letters = true;
    for (int i = 0; i < names->n; i++)
        letters = letters && strlen(names->p[i]) - tail == 1;
    Text t;
    text_init(&t, a);
    for (int i = 0; i < names->n; i++) {
        text_puts(&t, i && !letters ? "_" : "");
        text_put(&t, names->p[i], strlen(names->p[i]) - tail);
    }
    size_t n = strlen(ending);
    if (n >= 5 && !strcmp(ending + n - 5, "_bias"))
        text_puts(&t, "_bias");
    return t.p;
}

static const char *packed_name(Lower *l, const Packed *k)
{
    Names names = {NULL, 0, 0};
    collect_leaves(l, k->value, &names);
    if (names.n == 0)
        return k->value->name ? k->value->name : "constant";
    return names.n == 1 ? names.p[0] : joined_name(l->p->arena, &names);
}

Field *record_packed(Lower *l, Record *r, Packed *k, const char *name, Loc loc)
{
    for (int i = 0; i < r->fields.n; i++)
        if (r->fields.p[i]->kind == FIELD_WEIGHT && r->fields.p[i]->packed == k)
            return r->fields.p[i];
    if (!name)
        name = packed_name(l, k);
    Field *f = field_new(l->p, r, FIELD_WEIGHT, name, loc);
    f->packed = k;
    if (!k->name) {
        bool plain = k->value->op == OP_weight;
        k->name = plain ? attr_str(k->value, "path", "")
                        : arena_printf(l->p->arena, "%s%s%s", r->path,
                                       *r->path ? "." : "", f->name);
        if (plain && k->format == FORMAT_plain &&
            lower_matrix_format(l, k->value) != FORMAT_plain)
            k->name = arena_printf(l->p->arena, "%s.plain", k->name);
    }
    return f;
}

Field *record_state(Lower *l, Record *r, State *s)
{
    for (int i = 0; i < r->fields.n; i++)
        if (r->fields.p[i]->kind == FIELD_STATE && r->fields.p[i]->state == s)
            return r->fields.p[i];
    const char *dot = strrchr(s->path, '.');
    Field *f = field_new(l->p, r, FIELD_STATE, dot ? dot + 1 : s->path, s->loc);
    f->state = s;
    return f;
}

// ---- sizes by turn ---------------------------------------------------------------------

Field *record_size(const Record *r, const TurnVar *v)
{
    for (int i = 0; i < r->fields.n; i++)
        if (r->fields.p[i]->kind == FIELD_SIZE && r->fields.p[i]->size == v)
            return r->fields.p[i];
    return NULL;
}

// up_rank3 of the module is up_rank of the record, so that equal blocks are of one type.
static void note_table(const TurnVar *v, void *ctx)
{
    const Func *f = ctx;
    size_t n = strlen(v->name);
    while (n > 1 && isdigit((unsigned char)v->name[n - 1]))
        n--;
    const char *wish = arena_strndup(f->prog->arena, v->name, n);
    if (!record_size(f->record, v))
        field_new(f->prog, f->record, FIELD_SIZE, wish, (Loc){0, 0})->size = v;
}

static void sizes_in_expr(LExpr *e, void *ctx)
{
    if (e->kind == LX_SIZE)
        size_turns(e->size, note_table, ctx);
}

static void sizes_in(LStmt *s, void *ctx)
{
    LExpr *const own[] = {s->lo, s->hi, s->index, s->value, s->turn};
    for (int i = 0; i < COUNT(own); i++)
        lexpr_walk(own[i], sizes_in_expr, ctx);
    for (int i = 0; i < s->args.n; i++) {
        lexpr_walk(s->args.p[i].index, sizes_in_expr, ctx);
        lexpr_walk(s->args.p[i].expr, sizes_in_expr, ctx);
    }
}

void record_sizes(Prog *p)
{
    for (int i = 0; i < p->funcs.n; i++)
        lstmts_walk(&p->funcs.p[i]->body, sizes_in, p->funcs.p[i]);
}
