// irvalue.c - reads the values of a graph: scopes, attributes, operands, bodies.

#include <string.h>

#include "irread.h"

// ---- scopes ----------------------------------------------------------------------------

static Map *make_labels(const Module *m, Arena *a)
{
    Map *map = map_new(a);
    const char **label = scope_labels(m, a);
    for (int i = 0; i < m->scopes.n; i++)
        map_set(map, label[i], m->scopes.p[i]);
    return map;
}

bool rd_scope(Reader *r, Scope **out)
{
    *out = r->m->scopes.p[0];
    rd_space(r);
    size_t start = r->at;
    if (!rd_take(r, "@"))
        return true;
    size_t from = r->at;
    while (rd_is_letter(rd_peek(r)) || rd_is_digit(rd_peek(r)) || rd_peek(r) == '/' ||
           rd_peek(r) == '#')
        r->at++;
    const char *label = arena_strndup(r->a, r->text + from, r->at - from);
    if (!r->labels)
        r->labels = make_labels(r->m, r->a);
    *out = map_get(r->labels, label);
    if (*out)
        return true;
    diag_error(r->d, rd_loc(r, start), E0902, "no scope `%s`", label);
    return false;
}

// ---- attributes ------------------------------------------------------------------------

typedef VEC(Attr) AttrList;

static bool read_ints(Reader *r, Attr *at)
{
    VEC(int64_t) v = {0};
    if (!rd_expect(r, "["))
        return false;
    if (!rd_take(r, "]")) {
        do {
            int64_t i;
            if (!rd_int(r, &i))
                return false;
            vec_push(r->a, &v, i);
        } while (rd_take(r, ","));
        if (!rd_expect(r, "]"))
            return false;
    }
    *at = attr_make_ints(at->name, v.n, v.p);
    return true;
}

static bool read_sizes(Reader *r, Attr *at)
{
    VEC(const Size *) v = {0};
    if (!rd_expect(r, "["))
        return false;
    if (!rd_take(r, "]")) {
        do {
            const Size *s;
            if (!rd_size(r, &s))
                return false;
            vec_push(r->a, &v, s);
        } while (rd_take(r, ","));
        if (!rd_expect(r, "]"))
            return false;
    }
    *at = attr_make_sizes(at->name, v.n, v.p);
    return true;
}

static bool read_attr_value(Reader *r, Attr *at)
{
    rd_space(r);
    size_t start = r->at;
    const char *word;
    const Size *size;
    switch (at->kind) {
    case AT_INT:
        return rd_int(r, &at->i);
    case AT_NUM:
        return rd_number(r, &at->num);
    case AT_STR:
        return rd_string(r, &at->str);
    case AT_INTS:
        return read_ints(r, at);
    case AT_SIZE:
        if (!rd_size(r, &size))
            return false;
        *at = attr_make_size(r->a, at->name, size);
        return true;
    case AT_SIZES:
        return read_sizes(r, at);
    case AT_DTYPE:
        if (!rd_word(r, &word))
            return false;
        return dtype_find(word, &at->dtype) ||
               rd_fail(r, start, "expected an element type");
    }
    return false;
}

static bool read_attr(Reader *r, Op op, AttrList *list)
{
    rd_space(r);
    size_t start = r->at;
    const char *name;
    if (!rd_word(r, &name))
        return false;
    const AttrRow *row = attr_row_find(op, name);
    const char *wrong = row ? NULL : "has no attribute";
    for (int i = 0; i < list->n; i++)
        if (strcmp(list->p[i].name, name) == 0)
            wrong = "has twice the attribute";
    if (wrong) {
        diag_error(r->d, rd_loc(r, start), E0903, "%s %s `%s`", op_info[op].name, wrong,
                   name);
        return false;
    }
    Attr at = {.name = row->name, .kind = row->kind};
    if (!rd_expect(r, "=") || !read_attr_value(r, &at))
        return false;
    if (row->count && at.n != row->count) {
        diag_error(r->d, rd_loc(r, start), E0903, "%s: `%s` has %d numbers, not %d",
                   op_info[op].name, name, at.n, row->count);
        return false;
    }
    vec_push(r->a, list, at);
    return true;
}

static bool read_attrs(Reader *r, Op op, size_t start, AttrList *list)
{
    if (rd_take(r, "{")) {
        do {
            if (!read_attr(r, op, list))
                return false;
        } while (rd_take(r, ","));
        if (!rd_expect(r, "}"))
            return false;
    }
    const AttrRow *row;
    for (int i = 0; (row = attr_row(op, i)) != NULL; i++) {
        bool found = !row->need;
        for (int k = 0; k < list->n; k++)
            found = found || strcmp(list->p[k].name, row->name) == 0;
        if (found)
            continue;
        diag_error(r->d, rd_loc(r, start), E0903, "%s needs the attribute `%s`",
                   op_info[op].name, row->name);
        return false;
    }
    return true;
}

// ---- values ----------------------------------------------------------------------------

bool rd_value_name(Reader *r, const char **spelled, const char **source)
{
    rd_space(r);
    size_t start = r->at;
    *source = NULL;
    if (rd_peek(r) == '%') {
        r->at++;
        while (rd_is_digit(rd_peek(r)))
            r->at++;
        if (r->at == start + 1)
            return rd_fail(r, start, "expected a number after %");
    } else {
        if (!rd_name(r, source))
            return false;
        if (r->n - r->at > 1 && rd_peek(r) == '.' && rd_is_digit(r->text[r->at + 1])) {
            r->at++;
            while (rd_is_digit(rd_peek(r)))
                r->at++;
        }
    }
    *spelled = arena_strndup(r->a, r->text + start, r->at - start);
    return true;
}

static bool read_use(Reader *r, Value **out)
{
    rd_space(r);
    size_t start = r->at;
    const char *spelled = NULL, *source;
    if (!rd_value_name(r, &spelled, &source))
        return false;
    *out = map_get(r->names, spelled);
    if (*out)
        return true;
    diag_error(r->d, rd_loc(r, start), E0902, "no value `%s` above", spelled);
    return false;
}

bool rd_define(Reader *r, size_t start, const char *spelled, Value *v)
{
    if (map_get(r->names, spelled))
        return rd_fail(r, start, "name is already taken");
    map_set(r->names, spelled, v);
    return true;
}

static bool read_param(Reader *r, Region *body, Type t)
{
    rd_space(r);
    size_t start = r->at;
    const char *spelled = NULL, *source = NULL;
    if (!rd_value_name(r, &spelled, &source))
        return false;
    Value *v = build_param(r->g, body, source, t);
    v->loc = rd_loc(r, start);
    return rd_define(r, start, spelled, v);
}

typedef VEC(Value *) Values;

static bool read_operands(Reader *r, Values *in)
{
    if (!rd_take(r, "("))
        return true;
    do {
        Value *v;
        if (!read_use(r, &v))
            return false;
        vec_push(r->a, in, v);
    } while (rd_take(r, ","));
    return rd_expect(r, ")");
}

// Fewest and most operands of the ops with any number of them.
static bool arity_fits(Op op, int n)
{
    switch (op) {
    case OP_linear:
        return n >= 2;
    case OP_attention:
        return n == 3 || n == 4;
    case OP_map:
    case OP_concat:
        return n >= 1;
    default:
        return op_info[op].arity < 0 || n == op_info[op].arity;
    }
}

// `do (a, b) { ... }`, or nothing. The first parameter of a linear is its sum.
static bool read_body(Reader *r, Value *v)
{
    if (v->op != OP_map && v->op != OP_linear)
        return true;
    int skip = v->op == OP_linear ? 1 : 0;
    size_t start = r->at;
    v->body = region_new(r->m, v);
    if (!rd_take(r, "do")) {
        if (v->op == OP_map)
            return rd_fail(r, start, "expected the body of the map, `do (...) {`");
        for (int i = 0; i < v->nin - skip; i++)
            build_param(r->g, v->body, NULL,
                        type_scalar(v->in[i ? i + skip : 0]->type.dtype));
        vec_push(r->a, &v->body->yields, v->body->params.p[0]);
        return true;
    }
    if (!rd_expect(r, "("))
        return false;
    for (int i = 0; i < v->nin - skip; i++) {
        DType d = v->in[i ? i + skip : 0]->type.dtype;
        if ((i && !rd_expect(r, ",")) || !read_param(r, v->body, type_scalar(d)))
            return false;
    }
    return rd_expect(r, ")") && rd_region(r, v->body);
}

static bool check_type(Reader *r, Value *v, const Type *said, size_t start)
{
    if (!value_infer(r->g, v, r->d))
        return false;
    if (v->type.rank == said->rank && type_equal(&v->type, said))
        return true;
    diag_error(r->d, rd_loc(r, start), E0904, "%s gives %s, not %s",
               op_info[v->op].name, type_str(&v->type, r->a), type_str(said, r->a));
    return false;
}

// repeat i in 0..5 (x = x0, y = y0) @scope { ... }; the word is read.
static bool read_repeat(Reader *r, Region *region, size_t start, const char *spelled,
                        const char *source)
{
    const char *index;
    const Size *range[2];
    if (!rd_name(r, &index) || !rd_expect(r, "in") || !rd_size(r, &range[0]) ||
        !rd_expect(r, "..") || !rd_size(r, &range[1]) || !rd_expect(r, "("))
        return false;
    Attr attr[] = {attr_make_str("index", index), attr_make_sizes("range", 2, range)};
    Value *v = value_new(r->g, OP_repeat, 0, NULL, 2, attr);
    v->type.rank = -1;
    v->name = source;
    v->body = region_new(r->m, v);
    Values in = {0};
    if (!rd_define(r, start, spelled, v))
        return false;
    while (!rd_take(r, ")")) {
        Value *init;
        rd_space(r);
        size_t at = r->at;
        const char *name = NULL, *called = NULL;
        if ((in.n && !rd_expect(r, ",")) || !rd_value_name(r, &name, &called))
            return false;
        if (!rd_expect(r, "=") || !read_use(r, &init))
            return false;
        if (init->type.rank < 0)
            return rd_fail(r, at, "a repeat is carried");
        vec_push(r->a, &in, init);
        Value *param = build_param(r->g, v->body, called, init->type);
        if (!rd_define(r, at, name, param))
            return false;
    }
    v->in = in.p;
    v->nin = in.n;
    if (!rd_scope(r, &v->scope))
        return false;
    v->loc = rd_loc(r, start);
    for (int i = 0; i < v->body->params.n; i++)
        v->body->params.p[i]->scope = v->scope;
    if (!rd_region(r, v->body))
        return false;
    region_insert(r->m, region, -1, v);
    return true;
}

static bool read_op(Reader *r, Op *op)
{
    rd_space(r);
    size_t start = r->at;
    const char *word;
    if (!rd_word(r, &word))
        return false;
    if (op_find(word, op) && *op != OP_param)
        return true;
    const char *names[OP_COUNT];
    for (int i = 0; i < OP_COUNT; i++)
        names[i] = op_info[i].name;
    diag_error(r->d, rd_loc(r, start), E0902, "no op `%s`", word);
    const char *near = nearest(word, names, OP_COUNT);
    if (near)
        diag_hint(r->d, rd_loc(r, start), "did you mean `%s`?", near);
    return false;
}

static bool check_operands(Reader *r, const Value *v, size_t start)
{
    if (!arity_fits(v->op, v->nin))
        return rd_fail(r, start, "wrong number of operands");
    for (int i = 0; i < v->nin; i++)
        if ((v->in[i]->type.rank < 0) != (v->op == OP_item))
            return rd_fail(r, start, "item takes a repeat, nothing else does");
    if (v->op == OP_weight && !value_weight(r->m, v)) {
        diag_error(r->d, rd_loc(r, start), E0902, "no weight `%s` in the module",
                   attr_str(v, "path", ""));
        return false;
    }
    if (v->op == OP_state && !value_state(r->m, v)) {
        diag_error(r->d, rd_loc(r, start), E0902, "no state `%s` in the module",
                   attr_str(v, "path", ""));
        return false;
    }
    return true;
}

static bool read_value(Reader *r, Region *region)
{
    rd_space(r);
    size_t start = r->at;
    const char *spelled = NULL, *source = NULL;
    Op op = OP_COUNT;
    if (!rd_value_name(r, &spelled, &source) || !rd_expect(r, "=") || !read_op(r, &op))
        return false;
    if (op == OP_repeat)
        return read_repeat(r, region, start, spelled, source);
    Values in = {0};
    AttrList attrs = {0};
    Type said;
    if (!read_operands(r, &in) || !read_attrs(r, op, start, &attrs))
        return false;
    Value *v = value_new(r->g, op, in.n, in.p, attrs.n, attrs.p);
    v->name = source;
    v->loc = rd_loc(r, start);
    if (!rd_expect(r, ":") || !rd_type(r, &said) || !rd_scope(r, &v->scope) ||
        !check_operands(r, v, start) || !rd_define(r, start, spelled, v))
        return false;
    v->type.dtype = said.dtype;  // which a const keeps
    if (!read_body(r, v) || !check_type(r, v, &said, start))
        return false;
    region_insert(r->m, region, -1, v);
    return true;
}

bool rd_region(Reader *r, Region *body)
{
    if (r->depth >= IR_MAX_DEPTH) {
        diag_error(r->d, rd_loc(r, r->at), E0905, "nested deeper than %d",
                   IR_MAX_DEPTH);
        return false;
    }
    r->depth++;
    if (!rd_expect(r, "{"))
        return false;
    while (!rd_take(r, "yield"))
        if (!read_value(r, body))
            return false;
    if (!rd_take(r, "}")) {
        do {
            Value *v;
            if (!read_use(r, &v))
                return false;
            vec_push(r->a, &body->yields, v);
        } while (rd_take(r, ","));
        if (!rd_expect(r, "}"))
            return false;
    }
    r->depth--;
    return true;
}
