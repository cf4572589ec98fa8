// emit_table.c - records as struct types and one table; MAP rows and templates as C.

#include "compiler/emit.h"

#include <string.h>

// ---- struct types ------------------------------------------------------------------------

// What a field has, as C declares it; *note: a comment.
static const char *field_line(Emit *e, const Record *r, const Field *f,
                              const char **note)
{
    Arena *a = e->p->arena;
    *note = "";
    if (f->kind == FIELD_RECORD && f->index)
        return arena_printf(a, "%s %s[%lld];", f->record->type, f->name,
                            (long long)f->turns);
    if (f->kind == FIELD_RECORD)
        return arena_printf(a, "%s %s;", f->record->type, f->name);
    if (f->kind == FIELD_SIZE) {
        *note = "of this row";
        return arena_printf(a, "ptrdiff_t %s;", f->name);
    }
    Text t;
    text_init(&t, a);
    type_print(f->kind == FIELD_STATE ? &f->state->type : &f->packed->value->type, &t);
    if (f->kind == FIELD_STATE)
        text_puts(&t, ", in the state");
    *note = emit_shape(e, r, t.p);
    return arena_printf(a, "size_t %s;", f->name);
}

static void emit_record_type(Emit *e, const Record *r, Map *done)
{
    if (map_get(done, r->type))
        return;
    map_set(done, r->type, (void *)r);
    for (int i = 0; i < r->fields.n; i++)
        if (r->fields.p[i]->kind == FIELD_RECORD)
            emit_record_type(e, r->fields.p[i]->record, done);
    Text *out = e->out;
    Arena *a = e->p->arena;
    VEC(const char *) lines = {NULL, 0, 0};
    VEC(const char *) notes = {NULL, 0, 0};
    size_t widest = 0;
    for (int i = 0; i < r->fields.n; i++) {
        const char *note, *line = field_line(e, r, r->fields.p[i], &note);
        vec_push(a, &lines, line);
        vec_push(a, &notes, note);
    }
    text_printf(out, "typedef struct %s {\n", r->type);
    if (!lines.n)
        text_puts(out, "    char unused;\n");
    for (int i = 0; i < lines.n; i++) {
        if (i == 0 ||
            !*notes.p[i - 1]) {  // comments of adjacent lines stand in a column
            widest = 0;
            for (int k = i; k < lines.n && *notes.p[k]; k++)
                widest = strlen(lines.p[k]) > widest ? strlen(lines.p[k]) : widest;
        }
        if (*notes.p[i])
            text_printf(out, "    %-*s  // %s\n", (int)widest, lines.p[i], notes.p[i]);
        else
            text_printf(out, "    %s\n", lines.p[i]);
    }
    text_printf(out, "} %s;\n\n", r->type);
}

// ---- the table ---------------------------------------------------------------------------------

static int64_t state_offset(const Prog *p, const char *path)
{
    for (int i = 0; i < p->states.n; i++)
        if (!strcmp(p->states.p[i].path, path))
            return p->states.p[i].offset;
    bug("state %s has no place", path);
}

// The offset that stands in a row, or the size.
static int64_t field_number(Emit *e, const Field *f, int nturns, const Turn *turns)
{
    if (f->kind == FIELD_SIZE)
        return turn_var_at(f->size, nturns, turns);
    if (f->kind == FIELD_STATE) {
        const char *path = f->state->path;
        for (int i = 0; i < nturns; i++)
            path = path_at(e->p->arena, path, turns[i].index, turns[i].turn);
        return state_offset(e->p, path);
    }
    return e->layout ? layout_of(e->layout, f->packed, nturns, turns)->offset : 0;
}

static bool is_flat(const Record *r)
{
    for (int i = 0; i < r->fields.n; i++)
        if (r->fields.p[i]->kind == FIELD_RECORD && r->fields.p[i]->index)
            return false;
    return true;
}

static bool has_sizes(const Record *r)
{
    for (int i = 0; i < r->fields.n; i++)
        if (r->fields.p[i]->kind == FIELD_SIZE ||
            (r->fields.p[i]->kind == FIELD_RECORD && has_sizes(r->fields.p[i]->record)))
            return true;
    return false;
}

static void emit_row(Emit *e, const Record *r, int nturns, Turn *turns, int indent);

static void newline(Text *out, int indent)
{
    text_puts(out, "\n");
    for (int i = 0; i < indent; i++)
        text_puts(out, "    ");
}

static void emit_field(Emit *e, const Field *f, int nturns, Turn *turns, int indent)
{
    Text *out = e->out;
    text_printf(out, ".%s = ", f->name);
    if (f->kind != FIELD_RECORD) {
        text_printf(out, "%lld", (long long)field_number(e, f, nturns, turns));
        return;
    }
    if (!f->index) {
        emit_row(e, f->record, nturns, turns, indent);
        return;
    }
    text_puts(out, "{");
    for (int64_t k = 0; k < f->turns; k++) {
        newline(out, indent + 1);
        turns[nturns] = (Turn){f->index, f->lo + k};
        emit_row(e, f->record, nturns + 1, turns, indent + 1);
        text_puts(out, ",");
    }
    newline(out, indent);
    text_puts(out, "}");
}

static void emit_row(Emit *e, const Record *r, int nturns, Turn *turns, int indent)
{
    bool flat = indent > 0 && is_flat(r);
    text_puts(e->out, "{");
    if (!r->fields.n)
        text_puts(e->out, "0");
    for (int i = 0; i < r->fields.n; i++) {
        if (flat)
            text_puts(e->out, i ? ", " : "");
        else
            newline(e->out, indent + 1);
        emit_field(e, r->fields.p[i], nturns, turns, indent + 1);
        if (!flat)
            text_puts(e->out, ",");
    }
    if (!flat)
        newline(e->out, indent);
    text_puts(e->out, "}");
}

void emit_records(Emit *e)
{
    Prog *p = e->p;
    Turn turns[MAX_TURNS];
    bool used = false;
    for (int i = 0; i < p->entries.n; i++)
        used = used || p->entries.p[i]->uses_record;
    if (!p->root->fields.n || !used)
        return;
    text_puts(e->out,
              "// Offsets in bytes: of weights from the start of the packed file, of "
              "states from the\n// start of the state region.");
    text_puts(e->out, has_sizes(p->root)
                          ? " And sizes, where they differ from row to row.\n\n"
                          : "\n\n");
    emit_record_type(e, p->root, map_new(p->arena));
    text_puts(e->out, "// clang-format off\n");
    text_printf(e->out, "static const %s table = ", p->root->type);
    emit_row(e, p->root, 0, turns, 0);
    text_puts(e->out, ";\n// clang-format on\n\n");
}

// ---- MAP rows --------------------------------------------------------------------------------------

static const char *map_text(Emit *e, Op op, bool macro)
{
    Prog *p = e->p;
    LExpr *a = lx_var(p, macro ? "(a)" : "a", DT_f32),
          *b = lx_var(p, macro ? "(b)" : "b", DT_f32);
    Func scalar = {.name = ""};
    e->func = macro ? NULL : &scalar;
    Text t;
    text_init(&t, p->arena);
    emit_expr(e, lx_map(p, op, a, b), 0, &t);
    e->func = NULL;
    return t.p;
}

typedef struct Calls {
    Map *names;
} Calls;

static void note_call(LExpr *x, void *ctx)
{
    Calls *c = ctx;
    if (x->kind == LX_CALL)
        map_set(c->names, x->name, x);
}

static void note_calls(LStmt *s, void *ctx)
{
    lexpr_walk(s->value, note_call, ctx);
    for (int i = 0; i < s->args.n; i++)
        lexpr_walk(s->args.p[i].expr, note_call, ctx);
}

// In loops a MAP row is a function; in the epilogue of a template, scalar or vector as the
// template has it, a macro.
void emit_maps(Emit *e)
{
    Prog *p = e->p;
    Calls loops = {map_new(p->arena)}, epilogues = {map_new(p->arena)};
    for (int i = 0; i < p->funcs.n; i++)
        lstmts_walk(&p->funcs.p[i]->body, note_calls, &loops);
    for (int i = 0; i < p->templates.n; i++)
        lexpr_walk(p->templates.p[i]->epilogue, note_call, &epilogues);
    if (!map_count(p->maps))
        return;
    text_puts(e->out, "// clang-format off\n");
    for (int i = 0; i < map_count(p->maps); i++) {
        const char *name = map_key(p->maps, i);
        Op op;
        op_find(name, &op);
        bool two = op_info[op].arity == 2;
        if (map_get(loops.names, name))
            text_printf(e->out, "static inline float %s(float a%s) { return %s; }\n",
                        name, two ? ", float b" : "", map_text(e, op, false));
        if (map_get(epilogues.names, name)) {
            LExpr *x = lx_call(p, name, DT_f32, 0, NULL);
            text_puts(e->out, "#define ");
            Text t;
            text_init(&t, p->arena);
            emit_expr(e, x, 0, &t);  // NAME()
            t.p[strlen(t.p) - 2] = 0;
            text_printf(e->out, "%s(a%s) (%s)\n", t.p, two ? ", b" : "",
                        map_text(e, op, true));
        }
    }
    text_puts(e->out, "// clang-format on\n\n");
}

// ---- templates ----------------------------------------------------------------------------------------

void emit_templates(Emit *e)
{
    Prog *p = e->p;
    Text *out = e->out;
    for (int i = 0; i < p->templates.n; i++) {
        const Template *t = p->templates.p[i];
        Text head, body;
        text_init(&head, p->arena);
        text_init(&body, p->arena);
        text_puts(&head, "TFX_EPILOGUE(a");
        for (int k = 0; k < t->nextra; k++)
            text_printf(&head, ", e%d", k);
        text_puts(&head, ")");
        emit_expr(e, t->epilogue, PREC_POSTFIX, &body);
        int w = (int)head.n;
        size_t widest = strlen(t->name) > body.n ? strlen(t->name) : body.n;
        bool is_wide = strlen("#define  ") + head.n + widest > EMIT_COLUMNS;
        text_puts(out, is_wide ? "// clang-format off\n" : "");
        text_printf(out, "#define %-*s %s\n", w, "TFX_LINEAR", t->name);
        text_printf(out, "#define %-*s %s\n", w, "TFX_WEIGHT",
                    format_info[t->weight].kernel);
        text_printf(out, "#define %-*s %d\n", w, "TFX_EXTRAS", t->nextra);
        if (t->heads)
            text_printf(out, "#define %-*s %d\n", w, "TFX_HEADS", t->heads);
        if (t->rounds)
            text_printf(out, "#define %-*s 1\n", w, "TFX_ROUNDED");
        text_printf(out, "#define %s %s\n", head.p, body.p);
        text_puts(out, "#include \"tfx_rt.h\"\n");
        text_puts(out, is_wide ? "// clang-format on\n\n" : "\n");
    }
}
