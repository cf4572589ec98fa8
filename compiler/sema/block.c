// block.c - blocks with their arguments, and the blocks within them.
//
// An Instance is a block with arguments at a path. The blocks in it are made when they
// are first asked for, so that what a program does not use need not fit.

#include <string.h>

#include "internal.h"
#include "path.h"

enum { MAX_BLOCK_DEPTH = 64 };

// ---- looking members up -------------------------------------------------------------

const Member *member_find(const Block *b, const char *name, int *which)
{
    for (int i = 0; i < b->item->members.n; i++) {
        const Member *m = b->item->members.p[i];
        for (int k = 0; k < m->names.n; k++)
            if (strcmp(m->names.p[k].s, name) == 0) {
                *which = k;
                return m;
            }
    }
    return NULL;
}

const Member *block_fn(const Block *b, const char *name)
{
    for (int i = 0; i < b->item->members.n; i++) {
        const Member *m = b->item->members.p[i];
        if (m->kind != MB_FN)
            continue;
        if (name ? m->names.n && strcmp(m->names.p[0].s, name) == 0 : m->names.n == 0)
            return m;
    }
    return NULL;
}

Context block_context(Instance *in)
{
    return (Context){.file = in->block->file, .self = in};
}

// ---- arguments ----------------------------------------------------------------------

int block_param(const Block *b, const char *name)
{
    for (int i = 0; i < b->item->params.n; i++)
        if (strcmp(b->item->params.p[i].name.s, name) == 0)
            return i;
    return -1;
}

static void no_such_param(Sema *s, const Block *b, const Arg *a)
{
    VEC(const char *) names = {0};
    for (int i = 0; i < b->item->params.n; i++)
        vec_push(s->arena, &names, b->item->params.p[i].name.s);
    sema_error(s, a->name_loc, E0402, "%s has no parameter `%s`", b->item->name.s,
               a->name);
    hint_nearest(s, a->name_loc, a->name, names.p, names.n);
}

static bool place_args(Sema *s, const Block *b, const ArgList *args, const Expr **given,
                       Loc loc)
{
    bool ok = true;
    int next = 0;
    for (int i = 0; i < args->n; i++) {
        const Arg *a = &args->p[i];
        int k = a->name ? block_param(b, a->name) : next++;
        if (a->name && k < 0) {
            no_such_param(s, b, a);
            ok = false;
        } else if (k >= b->item->params.n) {
            sema_error(s, a->value->loc, E0404, "%s takes %d argument%s",
                       b->item->name.s, b->item->params.n,
                       b->item->params.n == 1 ? "" : "s");
            return false;
        } else if (given[k]) {
            sema_error(s, a->value->loc, E0402, "`%s` is given twice",
                       b->item->params.p[k].name.s);
            ok = false;
        } else {
            given[k] = a->value;
        }
    }
    for (int i = 0; ok && i < b->item->params.n; i++)
        if (!given[i] && !b->item->params.p[i].value) {
            sema_error(s, loc, E0403, "%s needs `%s`", b->item->name.s,
                       b->item->params.p[i].name.s);
            sema_hint(s, b->item->params.p[i].name.loc, "it has no default");
            ok = false;
        }
    return ok;
}

const Val *block_args(Sema *s, const Block *b, const ArgList *args, Loc loc)
{
    int n = b->item->params.n;
    const Expr **given = NEWN(s->arena, const Expr *, n + 1);
    Val *v = NEWN(s->arena, Val, n + 1);
    if (!place_args(s, b, args, given, loc))
        return NULL;
    for (int i = 0; i < n; i++)
        if (given[i])
            v[i] = eval_expr(s, given[i]);
    Context was = s->at;
    s->at = block_context(
        instance_new(s, b, v, "", b->item->name.s, NULL, b->item->name.loc));
    for (int i = 0; i < n; i++)
        if (!given[i])
            v[i] = eval_expr(s, b->item->params.p[i].value);
    s->at = was;
    for (int i = 0; i < n; i++) {
        if (needs_turn(s, v[i]))
            return NULL;
        if (v[i].kind != VAL_TENSOR)
            continue;
        sema_error(s, given[i] ? given[i]->loc : loc, E0330,
                   "`%s` of %s is %s, not a compile-time value",
                   b->item->params.p[i].name.s, b->item->name.s, val_str(s, v[i]));
        v[i] = val_poison();
    }
    return v;
}

// ---- instances ----------------------------------------------------------------------

Instance *instance_new(Sema *s, const Block *b, const Val *args, const char *path,
                       const char *name, Instance *owner, Loc loc)
{
    int depth = owner ? owner->depth + 1 : 0;
    if (depth > MAX_BLOCK_DEPTH) {
        sema_error(s, loc, E0415, "blocks nest more than %d deep at %s",
                   MAX_BLOCK_DEPTH, b->item->name.s);
        sema_hint(s, b->item->name.loc, "does it contain itself?");
        return NULL;
    }
    Instance *in = NEW(s->arena, Instance);
    *in = (Instance){.block = b,
                     .args = args,
                     .path = path,
                     .member = "",
                     .name = name,
                     .owner = owner,
                     .depth = depth,
                     .turns = owner ? owner->turns : 1,
                     .parts = map_new(s->arena)};
    return in;
}

static Val not_a_block(Sema *s, const Member *m, Val v)
{
    if (v.kind != VAL_POISON) {
        sema_error(s, m->block.loc, E0401, "`%s` is %s, not a block", m->block.s,
                   val_str(s, v));
        sema_hint(s, m->block.loc, "a weight is written `%s: f32[...]`",
                  m->names.p[0].s);
    }
    return val_poison();
}

static void unknown_block(Sema *s, const Member *m)
{
    Map *names = map_new(s->arena);
    global_names(s->at.file, s->arena, names);
    VEC(const char *) blocks = {0};
    for (int i = 0; i < map_count(names); i++)
        if (((const Global *)map_value(names, i))->item->kind == IT_BLOCK)
            vec_push(s->arena, &blocks, map_key(names, i));
    sema_error(s, m->block.loc, E0401, "there is no block `%s`", m->block.s);
    hint_nearest(s, m->block.loc, m->block.s, blocks.p, blocks.n);
    if (s->at.file->imports.n == 0)
        sema_hint(s, m->block.loc,
                  "import \"std/nn.tfx\" has Linear, LayerNorm, Embedding, ...");
}

static bool block_known(Sema *s, const char *name)
{
    Global *g;
    if (s->at.self)
        for (int i = 0; i < s->at.self->block->item->params.n; i++)
            if (strcmp(s->at.self->block->item->params.p[i].name.s, name) == 0)
                return true;
    int which;
    return (s->at.self && member_find(s->at.self->block, name, &which)) ||
           global_find(s->at.file, name, &g);
}

// The block a member names, looked up among parameters, members and items of the file.
static Val member_block(Sema *s, const Member *m)
{
    if (block_known(s, m->block.s))
        return lookup_name(s, m->block.s, m->block.loc);
    unknown_block(s, m);
    return val_poison();
}

// Makes the instance of a member; s->at stands in the owner, with {i} bound for arrays.
static Val make_part(Sema *s, Instance *in, const Member *m, int which,
                     const char *index)
{
    Val b = member_block(s, m);
    if (b.kind == VAL_INSTANCE && m->args.n == 0 && !m->path)
        return b;  // another name for the same block: stored once
    if (b.kind != VAL_BLOCK)
        return not_a_block(s, m, b);
    const Val *args = block_args(s, b.block, &m->args, m->block.loc);
    const char *path = member_path(s, in, m, which, index);
    if (!args || !path)
        return val_poison();
    Instance *part =
        instance_new(s, b.block, args, path, m->names.p[which].s, in, m->block.loc);
    if (!part)
        return val_poison();
    part->member = member_name(s, in, m, which, index);
    return (Val){.kind = VAL_INSTANCE, .inst = part};
}

Val part_get(Sema *s, Instance *in, const Member *m, int which)
{
    Val *known = map_get(in->parts, m->names.p[which].s);
    if (known)
        return *known;
    known =
        NEW(s->arena, Val);  // poison meanwhile: a block that needs itself stops here
    map_set(in->parts, m->names.p[which].s, known);
    Context was = s->at;
    s->at = block_context(in);
    *known = make_part(s, in, m, which, NULL);
    s->at = was;
    return *known;
}

// ---- arrays -------------------------------------------------------------------------

bool array_count(Sema *s, Instance *in, const Member *m, int64_t *count)
{
    Context was = s->at;
    s->at = block_context(in);
    bool ok = want_int(s, eval_expr(s, m->count), m->count->loc, "the count", count);
    s->at = was;
    if (ok && (*count < 0 || *count > 65536)) {
        sema_error(s, m->count->loc, E0410, "an array of %lld elements",
                   (long long)*count);
        return false;
    }
    return ok;
}

// Steps into the owner's scope with the array's index bound.
static Context enter_element(Sema *s, Instance *in, const Member *m, int64_t turn)
{
    Context was = s->at;
    s->at = block_context(in);
    env_push(s);
    env_bind(s, m->index, val_int(s, turn), m->index_loc);
    return was;
}

Val array_at(Sema *s, Instance *in, const Member *m, int64_t turn, Loop *loop, Loc loc)
{
    int64_t count;
    const char *index = loop ? arena_printf(s->arena, "{%s}", loop->index)
                             : arena_printf(s->arena, "%lld", (long long)turn);
    const char *key =
        arena_printf(s->arena, "%s.%s.%lld", m->names.p[0].s, index, (long long)turn);
    if (!array_count(s, in, m, &count))
        return val_poison();
    if (turn < 0 || turn >= count || (loop && loop->hi > count)) {
        sema_error(s, loc, E0410, "`%s` has %lld elements, there is no %lld",
                   m->names.p[0].s, (long long)count,
                   (long long)(loop ? loop->hi - 1 : turn));
        sema_hint(s, m->loc, "declared here");
        return val_poison();
    }
    Val *known = map_get(in->parts, key);
    if (known)
        return *known;
    known = NEW(s->arena, Val);
    map_set(in->parts, key, known);
    Context was = enter_element(s, in, m, turn);
    *known = make_part(s, in, m, 0, index);
    s->at = was;
    if (loop && known->kind == VAL_INSTANCE)
        known->inst->turns = in->turns * count;
    return *known;
}

bool array_alike(Sema *s, Instance *in, const Member *m, int64_t i, int64_t j)
{
    int64_t turn[2] = {i, j};
    const Val *args[2] = {NULL, NULL};
    Val b = val_poison();
    bool ok = true;
    for (int k = 0; k < 2; k++) {
        Context was = enter_element(s, in, m, turn[k]);
        b = member_block(s, m);
        ok &= b.kind == VAL_BLOCK &&
              (args[k] = block_args(s, b.block, &m->args, m->block.loc)) != NULL;
        s->at = was;
    }
    if (!ok)
        return true;  // reported; one turn will do
    for (int k = 0; k < b.block->item->params.n; k++)
        if (!val_equal(args[0][k], args[1][k]))
            return false;
    return true;
}
