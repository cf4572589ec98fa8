// loopcheck_record.c - the verifier of loop IR: constants, records, states, templates.

#include <string.h>

#include "loopcheck.h"

// ---- constants -------------------------------------------------------------------------

static void check_packed(Check *c, const Packed *k)
{
    const Type *t = &k->value->type;
    for (int i = 0; i < t->rank; i++)
        if (!size_is_fixed(t->dim[i].size)) {
            breach(c, "the constant `%s` is of run-time size", k->name);
            return;
        }
    if (!value_is_const(k->value))
        breach(c, "`%s` is not constant", k->name);
    if (k->format == FORMAT_plain && (dtype_info[k->storage].kind == DK_FLOAT) !=
                                         (dtype_info[t->dtype].kind == DK_FLOAT))
        breach(c, "`%s` is %s, stored as %s", k->name, dtype_info[t->dtype].name,
               dtype_info[k->storage].name);
    const Size *all = type_count(c->p->module->sizes, t);
    if (!all || size_max_value(all) > (int64_t)1 << 48) {
        breach(c, "`%s` is too large", k->name);
        return;
    }
    if (k->format != FORMAT_plain) {
        if (t->rank != 2 || size_max_value(t->dim[0].size) != k->n ||
            size_max_value(t->dim[1].size) != k->k) {
            breach(c, "`%s` is %s, not panels of [%lld, %lld]", k->name,
                   type_str(t, c->scratch), (long long)k->n, (long long)k->k);
            return;
        }
        FormatSize w = packed_size(k, 0, NULL);
        if (w.kept != k->kept)
            breach(c, "`%s` has %lld blocks, not %lld", k->name, (long long)w.kept,
                   (long long)k->kept);
    }
    int64_t count = packed_count(k, 0, NULL);
    if (count != k->count)
        breach(c, "`%s` has %lld elements, not %lld", k->name, (long long)count,
               (long long)k->count);
}

// ---- records ---------------------------------------------------------------------------

typedef struct Instance {
    Check *c;
    const Record *r;
} Instance;

// Is r, or a record around it, one for each of those turns?
static bool has_turns(const Record *r, const TurnRange *range)
{
    for (const Record *up = r->parent; up; r = up, up = up->parent)
        for (int i = 0; i < up->fields.n; i++) {
            const Field *f = up->fields.p[i];
            if (f->kind == FIELD_RECORD && f->record == r && f->index &&
                !strcmp(f->index, range->index))
                return f->lo >= range->lo && f->lo + f->turns <= range->lo + range->n;
        }
    return false;
}

static void check_ranges(const TurnVar *v, void *ctx)
{
    const Instance *x = ctx;
    for (int i = 0; i < v->nranges; i++)
        if (!has_turns(x->r, &v->range[i]))
            breach(x->c, "%s has not the turns `%s` of %s", x->r->type,
                   v->range[i].index, v->name);
}

void check_turns(Check *c, const Record *r, const Size *s)
{
    Instance x = {c, r};
    size_turns(s, check_ranges, &x);
}

static bool has_packed(const Prog *p, const Packed *k)
{
    for (int i = 0; i < p->packed.n; i++)
        if (p->packed.p[i] == k)
            return true;
    return false;
}

static bool has_state(const Prog *p, const State *s)
{
    for (int i = 0; i < p->module->states.n; i++)
        if (p->module->states.p[i] == s)
            return true;
    return false;
}

static void check_field(Check *c, const Record *r, const Field *f)
{
    if (f->kind == FIELD_WEIGHT && !has_packed(c->p, f->packed))
        breach(c, "%s of %s is no packed constant", f->name, r->type);
    if (f->kind == FIELD_STATE && !has_state(c->p, f->state))
        breach(c, "%s of %s is no state", f->name, r->type);
    if (f->kind == FIELD_SIZE)
        check_ranges(f->size, &(Instance){c, r});
    for (int k = 0; f->kind == FIELD_WEIGHT && k < f->packed->value->type.rank; k++)
        check_turns(c, r, f->packed->value->type.dim[k].size);
}

static void check_records(Check *c, const Record *r)
{
    Map *names = map_new(c->scratch);
    for (int i = 0; i < r->fields.n; i++) {
        Field *f = r->fields.p[i];
        if (map_get(names, f->name))
            breach(c, "%s has two fields called %s", r->type, f->name);
        map_set(names, f->name, f);
        if (f->owner != NULL && f->owner != r)
            breach(c, "%s of %s belongs to another record", f->name, r->type);
        check_field(c, r, f);
        if (f->kind != FIELD_RECORD)
            continue;
        if (f->record->parent != r)
            breach(c, "%s of %s has another parent", f->name, r->type);
        if (f->turns < 1 || (f->turns > 1 && !f->index))
            breach(c, "%s of %s has %lld turns", f->name, r->type, (long long)f->turns);
        check_records(c, f->record);
    }
}

// Two records of one type have the same fields.
static void check_types(Check *c, const Record *r, Map *types)
{
    Text t;
    text_init(&t, c->scratch);
    for (int i = 0; i < r->fields.n; i++) {
        const Field *f = r->fields.p[i];
        text_printf(&t, "%s %d %lld %s,", f->name, (int)f->kind, (long long)f->turns,
                    f->kind == FIELD_RECORD ? f->record->type : "");
        if (f->kind == FIELD_RECORD)
            check_types(c, f->record, types);
    }
    const char *known = map_get(types, r->type);
    if (known && strcmp(known, t.p) != 0)
        breach(c, "two records of type %s differ", r->type);
    map_set(types, r->type, t.p);
}

// ---- states ----------------------------------------------------------------------------

// Places do not overlap, lie in the region, and each holds a slice of its state.
static void check_places(Check *c)
{
    const Prog *p = c->p;
    for (int i = 0; i < p->states.n; i++) {
        const StatePlace *s = &p->states.p[i];
        const Size *count = type_count(p->module->sizes, &s->state->type);
        int64_t bits = dtype_info[s->state->type.dtype].bits;
        if (!count || size_max_value(count) > INT64_MAX / 64 ||
            size_max_value(count) * bits / 8 > s->bytes)
            breach(c, "%s does not fit into %lld bytes", s->path, (long long)s->bytes);
        if (s->offset < 0 || s->offset + s->bytes > p->state_bytes)
            breach(c, "%s lies outside the state region", s->path);
        for (int k = 0; k < i; k++) {
            const StatePlace *o = &p->states.p[k];
            if (!strcmp(o->path, s->path))
                breach(c, "%s has two places", s->path);
            else if (s->offset < o->offset + o->bytes &&
                     o->offset < s->offset + s->bytes)
                breach(c, "%s and %s overlap", o->path, s->path);
        }
    }
}

// ---- templates -------------------------------------------------------------------------

static void check_template(Check *c, const Template *t)
{
    static const char *const operands[] = {"a", "e0", "e1", "e2", "e3"};
    int before = c->breaches;
    c->vars.n = 0;
    for (int i = 0; i <= t->nextra && i < COUNT(operands); i++) {
        Var v = {operands[i], DT_f32, true};
        vec_push(c->scratch, &c->vars, v);
    }
    c->bufs = map_new(c->scratch);
    check_expr(c, t->epilogue);
    if (t->epilogue->dtype != DT_f32)
        breach(c, "an epilogue gives f32");
    if (t->nextra < 0 || t->nextra >= COUNT(operands))
        breach(c, "an epilogue has at most four operands");
    if (t->heads && t->rounds)
        breach(c, "rows of which columns go elsewhere are not rounded");
    if (t->weight == FORMAT_plain)
        breach(c, "a template of no format");
    if (c->breaches > before)
        breach(c, "that was the template %s", t->name);
}

void check_tables(Check *c)
{
    const Prog *p = c->p;
    Map *names = map_new(c->scratch);
    for (int i = 0; i < p->packed.n; i++)
        check_packed(c, p->packed.p[i]);
    check_records(c, p->root);
    check_types(c, p->root, map_new(c->scratch));
    check_places(c);
    for (int i = 0; i < map_count(p->maps); i++) {
        Op op;
        if (!op_find(map_key(p->maps, i), &op) || op_info[op].class != OPC_MAP)
            breach(c, "no MAP row `%s`", map_key(p->maps, i));
    }
    for (int i = 0; i < p->templates.n; i++) {
        if (map_get(names, p->templates.p[i]->name))
            breach(c, "two templates are called %s", p->templates.p[i]->name);
        map_set(names, p->templates.p[i]->name, p->templates.p[i]);
        check_template(c, p->templates.p[i]);
    }
}
