// globals.c - files and what stands at their top: configs, dims, blocks, imports.
//
// Items are worked out in order. Every file sees its own names first, then those of its
// imports; nothing of the importing file is seen by the imported one.

#include <string.h>

#include "grammar/parse.h"
#include "internal.h"
#include "override.h"
#include "recipe.h"

static bool set_global(Sema *s, FileScope *f, const Item *item, Val v, bool ready)
{
    Global *old = map_get(f->globals, item->name.s);
    if (old && old->item != item) {
        sema_error(s, item->name.loc, E0202, "`%s` is declared twice", item->name.s);
        sema_hint(s, old->item->name.loc, "the first is here");
        return false;
    }
    Global *g = old ? old : NEW(s->arena, Global);
    *g = (Global){.item = item, .file = f, .val = v, .ready = ready};
    map_set(f->globals, item->name.s, g);
    return true;
}

// Depth first through imports; files import each other in no cycle that matters, since
// each is entered once.
static bool find(FileScope *f, const char *name, int depth, Global **out)
{
    *out = map_get(f->globals, name);
    for (int i = 0; !*out && i < f->imports.n && depth < 32; i++)
        find(f->imports.p[i], name, depth + 1, out);
    return *out != NULL;
}

bool global_find(FileScope *f, const char *name, Global **out)
{
    return find(f, name, 0, out);
}

static void names_of(FileScope *f, Map *names, int depth)
{
    for (int i = 0; i < map_count(f->globals); i++)
        if (!map_get(names, map_key(f->globals, i)))
            map_set(names, map_key(f->globals, i), map_value(f->globals, i));
    for (int i = 0; i < f->imports.n && depth < 32; i++)
        names_of(f->imports.p[i], names, depth + 1);
}

void global_names(FileScope *f, Arena *a, Map *names)
{
    (void)a;
    names_of(f, names, 0);
}

// ---- items --------------------------------------------------------------------------

static void do_config(Sema *s, FileScope *f, const Item *item)
{
    Val v = eval_expr(s, item->value);
    if (v.kind == VAL_TENSOR || v.kind == VAL_INSTANCE || v.kind == VAL_FN) {
        sema_error(s, item->value->loc, E0330,
                   "config %s is %s, not a compile-time value", item->name.s,
                   val_str(s, v));
        v = val_poison();
    }
    override_config(s, item, &v);
    if (is_numeric(v))
        v.spell = item->name.s;
    set_global(s, f, item, v, true);
}

static bool dim_bounds(Sema *s, const Item *item, int64_t *lo, int64_t *hi, int64_t *by)
{
    *by = 1;
    bool ok = want_int(s, eval_expr(s, item->lo), item->lo->loc, "the lower bound", lo);
    ok &= want_int(s, eval_expr(s, item->hi), item->hi->loc, "the upper bound", hi);
    if (item->by)
        ok &= want_int(s, eval_expr(s, item->by), item->by->loc, "the step", by);
    if (!ok)
        return false;
    if (*lo < 0 || *hi < *lo || *by < 1 || *hi > INT32_MAX) {
        sema_error(
            s, loc_join(item->lo->loc, item->hi->loc), E0333,
            "dim %s in %lld..%lld by %lld: bounds rise from 0 on, and fit into i32",
            item->name.s, (long long)*lo, (long long)*hi, (long long)*by);
        return false;
    }
    return true;
}

static void do_dim(Sema *s, FileScope *f, const Item *item)
{
    int64_t lo = 0, hi = 0, by = 1;
    Val v = val_poison();
    if (item->ragged_by.s) {
        sema_error(s, item->ragged_by.loc, E0702, "dim %s is ragged", item->name.s);
        sema_hint(s, item->ragged_by.loc,
                  "leave out `ragged by %s` and run one sequence a call",
                  item->ragged_by.s);
    } else if (dim_bounds(s, item, &lo, &hi, &by)) {
        override_dim(s, item, &lo, &hi, by);
        DimVar *d = module_dim(s->module, item->name.s, lo, hi, by);
        d->start = item->name.loc.start;
        d->end = item->name.loc.end;
        v = val_size(size_dim(s->module->sizes, d));
    }
    set_global(s, f, item, v, true);
}

static void do_block(Sema *s, FileScope *f, const Item *item)
{
    Block *b = NEW(s->arena, Block);
    b->item = item;
    b->file = f;
    set_global(s, f, item, (Val){.kind = VAL_BLOCK, .block = b}, true);
}

static void do_import(Sema *s, FileScope *f, const Item *item)
{
    const char *text;
    size_t n;
    FileScope *got = map_get(s->files, item->string);
    if (!got) {
        if (!s->options->load ||
            !s->options->load(s->options->ctx, item->string, &text, &n)) {
            sema_error(s, item->string_loc, E0206, "there is no file \"%s\"",
                       item->string);
            static const char *const known[] = {"std/nn.tfx"};
            hint_nearest(s, item->string_loc, item->string, known, COUNT(known));
            return;
        }
        uint32_t base = diag_source(s->out, item->string, text, n);
        File *file = tfx_parse(s->arena, s->out, item->string, text, n, base);
        Context was = s->at;
        got = globals_load(s, file, strncmp(item->string, "std/", 4) == 0);
        s->at = was;
    }
    vec_push(s->arena, &f->imports, got);
}

static void do_weights(Sema *s, FileScope *f, const Item *item)
{
    if (f->library || f != s->main)
        return;
    if (s->module->weights) {
        sema_error(s, item->string_loc, E0202, "`weights` is given twice");
        sema_hint(s, item->string_loc,
                  "one file holds all tensors; --weights PATH chooses another");
    }
    s->module->weights = item->string;
}

static void do_item(Sema *s, FileScope *f, const Item *item)
{
    switch (item->kind) {
    case IT_CONFIG:
        do_config(s, f, item);
        break;
    case IT_DIM:
        do_dim(s, f, item);
        break;
    case IT_WEIGHTS:
        do_weights(s, f, item);
        break;
    case IT_IMPORT:
        do_import(s, f, item);
        break;
    case IT_BLOCK:
        break;  // declared before everything else
    case IT_TOKENIZER:
        sema_error(s, item->loc, E0711, "`tokenizer` is not in this version");
        sema_hint(s, item->loc, "tokenize outside, and pass ids: i32[T]");
        break;
    case IT_EXTERN:
        sema_error(s, item->loc, E0710, "`extern op` is not in this version");
        sema_hint(s, item->loc, "write %s as a function from the ops there are",
                  item->name.s ? item->name.s : "it");
        break;
    case IT_RECIPE:
        vec_push(s->arena, &s->module->recipes, recipe_read(s->arena, s->out, item));
        break;
    }
}

FileScope *globals_load(Sema *s, File *file, bool library)
{
    FileScope *f = NEW(s->arena, FileScope);
    f->file = file;
    f->library = library;
    f->globals = map_new(s->arena);
    map_set(s->files, file->name, f);
    if (!s->main)
        s->main = f;
    s->at = (Context){.file = f};
    for (int i = 0; i < file->items.n; i++) {
        const Item *item = file->items.p[i];
        if (item->kind == IT_BLOCK)
            do_block(s, f, item);
        else if (item->kind == IT_CONFIG || item->kind == IT_DIM)
            set_global(s, f, item, val_poison(), false);
    }
    for (int i = 0; i < file->items.n; i++) {
        s->at = (Context){.file = f};
        do_item(s, f, file->items.p[i]);
    }
    return f;
}
