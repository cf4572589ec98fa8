// ast_item.c - builders of members and of the items of a file.

#include "parser.h"

// ---- members ------------------------------------------------------------------------

static Member *member_new(Parser *p, Loc loc, MemberKind kind)
{
    Member *m = NEW(p->arena, Member);
    m->kind = kind;
    m->loc = loc;
    return m;
}

Member *member_weight(Parser *p, Loc loc, NameList list, TypeExpr *type, DimList stored)
{
    Member *m = member_new(p, loc, MB_WEIGHT);
    m->names = list;
    m->type = type;
    m->stored = stored;
    m->has_stored = stored.n > 0;
    return m;
}

Member *member_block(Parser *p, Loc loc, NameList list, Use use)
{
    Member *m = member_new(p, loc, MB_BLOCK);
    m->names = list;
    m->block = use.name;
    m->args = use.args;
    return m;
}

Member *member_array(Parser *p, Loc loc, Name n, Name index, Expr *count, Use use)
{
    Member *m = member_block(p, loc, (NameList){0}, use);
    vec_push(p->arena, &m->names, n);
    m->index = index.s;
    m->index_loc = index.loc;
    m->count = count;
    return m;
}

Member *member_from(Member *m, Name path, Expr *cond)
{
    m->path = path.s;
    m->path_loc = path.loc;
    m->cond = cond;
    return m;
}

Member *member_value(Parser *p, Loc loc, MemberKind kind, Name n, TypeExpr *t,
                     Expr *init)
{
    Member *m = member_new(p, loc, kind);
    vec_push(p->arena, &m->names, n);
    m->type = t;
    m->init = init;
    return m;
}

Member *member_fn(Parser *p, Loc loc, NameList list, NameList vars)
{
    Member *m = member_new(p, loc, MB_FN);
    m->names = list;
    m->vars = vars;
    return m;
}

Member *member_entry(Parser *p, Loc loc, Name n)
{
    Member *m = member_new(p, loc, MB_ENTRY);
    vec_push(p->arena, &m->names, n);
    return m;
}

Member *member_sign(Member *m, ParamList in, Name cursor, ResultList out)
{
    m->params = in;
    m->cursor = cursor;
    m->results = out;
    return m;
}

Member *member_body(Member *m, Loc loc, StmtList body)
{
    m->loc = loc;
    m->body = body;
    return m;
}

// ---- items --------------------------------------------------------------------------

Item *item_new(Parser *p, Loc loc, ItemKind kind, Name n)
{
    Item *item = NEW(p->arena, Item);
    item->kind = kind;
    item->loc = loc;
    item->name = n;
    vec_push(p->arena, &p->file->items, item);
    return item;
}

void file_version(Parser *p, Loc loc, int64_t version)
{
    if (p->versioned || p->file->items.n > 0) {
        diag_error(p->diag, loc, E0102, "the language version stands once, at the top");
    } else if (version != 1) {
        diag_error(p->diag, loc, E0103, "version %lld of the language is not known",
                   (long long)version);
        diag_hint(p->diag, loc, "this tfxc reads: tfx 1;");
        parser_stop(p);
    } else {
        p->file->version = 1;
    }
    p->versioned = true;
}

void item_config(Parser *p, Loc loc, Name n, Expr *value)
{
    item_new(p, loc, IT_CONFIG, n)->value = value;
}

void item_string(Parser *p, Loc loc, ItemKind kind, Name s)
{
    Item *item = item_new(p, loc, kind, (Name){0});
    item->string = s.s;
    item->string_loc = s.loc;
}

Item *item_dim(Parser *p, Loc loc, Name n, Expr *lo, Expr *hi)
{
    Item *item = item_new(p, loc, IT_DIM, n);
    item->lo = lo;
    item->hi = hi;
    return item;
}

void item_ragged(Item *item, Loc loc, Name by, Expr *total)
{
    item->loc = loc;
    item->ragged_by = by;
    item->total = total;
}

void item_by(Item *item, Loc loc, Expr *by)
{
    item->loc = loc;
    item->by = by;
}

void item_block(Parser *p, Loc loc, Name n, BlockParamList in, MemberList list)
{
    Item *item = item_new(p, loc, IT_BLOCK, n);
    item->params = in;
    item->members = list;
}

void item_extern(Parser *p, Loc loc, Name n, ParamList in, ResultList out, Name from)
{
    Item *item = item_new(p, loc, IT_EXTERN, n);
    item->fn_params = in;
    item->results = out;
    item->string = from.s;
    item->string_loc = from.loc;
}

void item_recipe(Parser *p, Loc loc, Name n, ExprList steps)
{
    item_new(p, loc, IT_RECIPE, n)->steps = steps;
}
