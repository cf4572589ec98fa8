// build.c - from a file to a module: the one block with entries, a graph for each.

#include <ctype.h>
#include <string.h>

#include "internal.h"

static const Loc nowhere;

// ---- blocks as a whole --------------------------------------------------------------

static void check_names(Sema *s, const Item *b)
{
    Map *seen = map_new(s->arena);
    VEC(const Name *) names = {0};
    for (int i = 0; i < b->params.n; i++)
        vec_push(s->arena, &names, &b->params.p[i].name);
    for (int i = 0; i < b->members.n; i++)
        for (int k = 0; k < b->members.p[i]->names.n; k++)
            vec_push(s->arena, &names, &b->members.p[i]->names.p[k]);
    for (int i = 0; i < names.n; i++) {
        const Name *n = names.p[i], *old = map_get(seen, n->s);
        if (old) {
            sema_error(s, n->loc, E0202, "`%s` is declared twice in %s", n->s,
                       b->name.s);
            sema_hint(s, old->loc, "the first is here");
        } else {
            map_set(seen, n->s, (void *)(uintptr_t)n);
        }
    }
    const Member *unnamed = NULL;
    for (int i = 0; i < b->members.n; i++) {
        const Member *m = b->members.p[i];
        if (m->kind != MB_FN || m->names.n)
            continue;
        if (unnamed) {
            sema_error(s, m->loc, E0202, "%s has two unnamed fn", b->name.s);
            sema_hint(s, unnamed->loc, "the first is here");
        }
        unnamed = m;
    }
}

static bool has_entry(const Item *b)
{
    for (int i = 0; i < b->members.n; i++)
        if (b->members.p[i]->kind == MB_ENTRY)
            return true;
    return false;
}

static const Block *find_root(Sema *s)
{
    const Block *root = NULL;
    Loc last = nowhere;
    const File *file = s->main->file;
    for (int i = 0; i < file->items.n; i++) {
        const Item *item = file->items.p[i];
        if (item->kind != IT_BLOCK)
            continue;
        last = item->name.loc;
        check_names(s, item);
        if (!has_entry(item))
            continue;
        if (root) {
            sema_error(s, item->name.loc, E0408, "`%s` has entries, and so has `%s`",
                       item->name.s, root->item->name.s);
            sema_hint(s, root->item->name.loc, "exactly one block of a file has them");
            continue;
        }
        const Global *g = map_get(s->main->globals, item->name.s);
        if (g && g->val.kind == VAL_BLOCK)
            root = g->val.block;
    }
    if (!root) {
        sema_error(s, last, E0408, "no block has an entry");
        sema_hint(s, last,
                  "entry forward(ids: i32[T]) -> f32[T, n] { ... } is called from C");
    }
    return root;
}

// ---- entries ------------------------------------------------------------------------

static DimVar *find_dim(Sema *s, const char *name)
{
    Global *g;
    if (!global_find(s->main, name, &g) || g->item->kind != IT_DIM)
        return NULL;
    for (int i = 0; i < s->module->dims.n; i++)
        if (strcmp(s->module->dims.p[i]->name, name) == 0)
            return s->module->dims.p[i];
    return NULL;
}

static void set_cursor(Sema *s, const Member *m, Graph *g)
{
    Global *known;
    if (!m->cursor.s)
        return;
    g->cursor = find_dim(s, m->cursor.s);
    if (!g->cursor && global_find(s->main, m->cursor.s, &known) &&
        known->item->kind == IT_DIM)
        return;  // reported at its declaration
    if (!g->cursor) {
        sema_error(s, m->cursor.loc, E0502, "`%s` is not a dim", m->cursor.s);
        sema_hint(s, m->cursor.loc, "dim %s in 0..context", m->cursor.s);
    } else if (g->cursor->lo != 0) {
        sema_error(s, m->cursor.loc, E0502, "the cursor %s starts at %lld",
                   g->cursor->name, (long long)g->cursor->lo);
        sema_hint(s, (Loc){g->cursor->start, g->cursor->end}, "a cursor starts at 0");
        g->cursor = NULL;
    }
}

// The rows written at the cursor, or the one run-time size of the parameters.
static void set_advance(Sema *s, const Member *m, Graph *g)
{
    if (!g->cursor)
        return;
    g->advance = s->advance;
    const DimVar *only = NULL;
    int n = 0;
    for (int k = 0; k < s->module->dims.n; k++) {
        const DimVar *d = s->module->dims.p[k];
        bool used = false;
        for (int i = 0; i < g->body->params.n; i++) {
            const Type *t = &g->body->params.p[i]->type;
            for (int a = 0; a < t->rank; a++)
                used |= size_uses(t->dim[a].size, d);
        }
        if (used && d != g->cursor) {
            only = d;
            n++;
        }
    }
    if (g->advance)
        return;
    if (n == 1)
        g->advance = size_dim(s->module->sizes, only);
    else
        sema_error(s, m->cursor.loc, E0504,
                   "by how much does %s grow? nothing is written at it, "
                   "and the parameters have %d run-time sizes",
                   m->cursor.s, n);
}

static void bind_entry_params(Sema *s, const Member *m, Graph *g)
{
    for (int i = 0; i < m->params.n; i++) {
        const Param *p = &m->params.p[i];
        Type t;
        Val v = val_poison();
        if (eval_type(s, p->type, &t)) {
            Value *x = build_param(g, g->body, p->name.s, t);
            x->loc = p->name.loc;
            v = val_tensor(x);
        }
        if (env_find(s->at.env, p->name.s))
            sema_error(s, p->name.loc, E0202, "parameter `%s` is declared twice",
                       p->name.s);
        env_bind(s, p->name.s, v, p->name.loc);
    }
}

static void name_results(Sema *s, const Member *m, Graph *g)
{
    for (int i = 0; i < m->results.n; i++) {
        const char *name = m->results.p[i].name.s;
        if (!name)
            name = i == 0 ? "out" : arena_printf(s->arena, "out%d", i);
        for (int k = 0; k < g->result_names.n; k++)
            if (strcmp(g->result_names.p[k], name) == 0)
                sema_error(s, m->results.p[i].type->loc, E0202,
                           "two results are called `%s`", name);
        vec_push(s->arena, &g->result_names, name);
    }
}

static void build_entry(Sema *s, Instance *root, const Member *m)
{
    const char *name = m->names.p[0].s;
    Graph *g = graph_new(s->module, name);
    Frame f = {.self = root, .fn = m};
    g->loc = m->loc;
    s->b = (Builder){.graph = g,
                     .region = g->body,
                     .at = -1,
                     .scope = s->module->scopes.p[0],
                     .loc = m->loc,
                     .diag = s->diag};
    s->at = (Context){.file = root->block->file, .self = root, .frame = &f};
    s->advance = NULL;
    s->advance_differs = false;
    set_cursor(s, m, g);
    env_push(s);
    bind_entry_params(s, m, g);
    env_push(s);
    f.errors = diag_errors(s->diag);
    run_body(s, &m->body);
    s->b.loc = f.result_loc;
    Val r = fn_results(s, m, name);
    name_results(s, m, g);
    set_advance(s, m, g);
    for (int i = 0; i < m->results.n; i++) {
        Val v = m->results.n == 1 ? r : r.items[i];
        if (v.kind == VAL_TENSOR)
            vec_push(s->arena, &g->body->yields, v.value);
    }
}

void build_entries(Sema *s)
{
    const Block *root = find_root(s);
    static const ArgList no_args;
    if (!root)
        return;
    s->at = (Context){.file = s->main};
    const Val *args = block_args(s, root, &no_args, root->item->name.loc);
    if (!args)
        return;
    Instance *in =
        instance_new(s, root, args, "", root->item->name.s, NULL, root->item->name.loc);
    for (int i = 0; in && i < root->item->members.n; i++)
        if (root->item->members.p[i]->kind == MB_ENTRY)
            build_entry(s, in, root->item->members.p[i]);
    states_check(s);
    if (diag_errors(s->diag) == 0) {
        keep_older_versions(s);
        check_reads_of_states(s);
    }
}

// ---- the whole ----------------------------------------------------------------------

// The file's stem as a C name: "my-model.tfx" is my_model.
static const char *stem(Arena *a, const char *file)
{
    const char *slash = strrchr(file, '/');
    char *t = arena_strdup(a, slash ? slash + 1 : file);
    char *dot = strrchr(t, '.');
    if (dot && dot != t)
        *dot = '\0';
    for (char *p = t; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    return isdigit((unsigned char)*t) || !*t ? arena_printf(a, "m%s", t) : t;
}

// A body built at several places says its mistakes once.
static void flush(Sema *s)
{
    Map *seen = map_new(s->arena);
    Diag *once = diag_new(s->arena);
    bool skip = false;
    for (int i = 0; i < diag_count(s->diag); i++) {
        const Message *m = diag_message(s->diag, i);
        if (m->severity != SEV_HINT) {
            const char *key =
                arena_printf(s->arena, "%u %u %d %s", m->loc.start, m->loc.end,
                             (int)m->code, m->loc.end == 0 ? m->text : "");
            skip = map_get(seen, key) != NULL;
            map_set(seen, key, seen);
        }
        if (skip)
            continue;
        if (m->severity == SEV_HINT)
            diag_hint(once, m->loc, "%s", m->text);
        else if (m->severity == SEV_ERROR)
            diag_error(once, m->loc, m->code, "%s", m->text);
        else
            diag_warning(once, m->loc, m->code, "%s", m->text);
    }
    diag_replay(once, s->out);
}

Module *tfx_build(Arena *a, Diag *d, const SemaOptions *o, File *main_file)
{
    if (diag_errors(d) > 0)
        return NULL;
    Sema *s = NEW(a, Sema);
    s->arena = a;
    s->out = d;
    s->diag = diag_new(a);
    s->options = o;
    s->module = module_new(a, o->name ? o->name : stem(a, main_file->name));
    s->b.diag = s->diag;
    s->files = map_new(a);
    s->map_funcs = map_new(a);
    s->overridden = map_new(a);
    globals_load(s, main_file, false);
    globals_check_overrides(s);
    if (diag_errors(d) == 0)  // an import may not parse
        build_entries(s);
    flush(s);
    return diag_errors(d) == 0 ? s->module : NULL;
}
