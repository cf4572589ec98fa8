// recipe.c - recipes: from the tree to steps with their numbers.
//
// A recipe stands apart from the model, so its arguments are literals: patterns, numbers,
// and the words of each step.

#include "recipe.h"

#include <string.h>

typedef struct Reading {
    Arena *arena;
    Diag *diag;
    Step *step;
    const Expr *call;
    bool ok;
} Reading;

PRINTF_LIKE(3, 4) static void wrong(Reading *r, Loc loc, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_error(r->diag, loc, E0640, "%s", arena_vprintf(r->arena, fmt, ap));
    va_end(ap);
    r->ok = false;
}

// ---- arguments ----------------------------------------------------------------------

static const Expr *named(const Reading *r, const char *name)
{
    for (int i = 0; i < r->call->args.n; i++)
        if (r->call->args.p[i].name && !strcmp(r->call->args.p[i].name, name))
            return r->call->args.p[i].value;
    return NULL;
}

// The i-th argument without a name.
static const Expr *positional(const Reading *r, int i)
{
    for (int k = 0; k < r->call->args.n; k++)
        if (!r->call->args.p[k].name && i-- == 0)
            return r->call->args.p[k].value;
    return NULL;
}

static bool is_word(const Expr *e, const char *word)
{
    return e && e->kind == EX_NAME && !strcmp(e->text, word);
}

// A part of a whole: 0 < x <= 1.
static double part(Reading *r, const char *name)
{
    const Expr *e = named(r, name);
    if (!e)
        return 0;
    double x = e->kind == EX_FLOAT ? e->number
               : e->kind == EX_INT ? (double)e->integer
                                   : -1;
    if (x > 0 && x <= 1)
        return x;
    wrong(r, e->loc, "%s is a number above 0 and up to 1, as 0.5 or 50%%", name);
    return 0;
}

// Names that the step knows, and at most so many positional arguments.
static void check_names(Reading *r, const char *const *names, int n, int most)
{
    int without = 0;
    for (int i = 0; i < r->call->args.n; i++) {
        const Arg *a = &r->call->args.p[i];
        bool known = !a->name && ++without <= most;
        for (int k = 0; a->name && k < n; k++)
            known = known || !strcmp(a->name, names[k]);
        if (known)
            continue;
        if (!a->name) {
            wrong(r, a->value->loc, "%s takes %d argument%s without a name",
                  step_name(r->step->kind), most, most == 1 ? "" : "s");
            return;
        }
        wrong(r, a->name_loc, "%s has no argument `%s`", step_name(r->step->kind),
              a->name);
        const char *near = nearest(a->name, names, n);
        if (near)
            diag_hint(r->diag, a->name_loc, "did you mean `%s`?", near);
    }
}

static void read_pattern(Reading *r)
{
    const Expr *e = positional(r, 0), *except = named(r, "except");
    if (!e || e->kind != EX_STRING) {
        wrong(r, e ? e->loc : r->call->loc,
              "%s begins with a pattern, as \"layer.*.up\"", step_name(r->step->kind));
        return;
    }
    r->step->pattern = e->text;
    r->step->pattern_loc = e->loc;
    if (!except)
        return;
    if (except->kind == EX_STRING)
        vec_push(r->arena, &r->step->except, except->text);
    else if (except->kind != EX_LIST)
        wrong(r, except->loc, "except is a pattern or a list of patterns");
    for (int i = 0; except->kind == EX_LIST && i < except->items.n; i++) {
        const Expr *p = except->items.p[i];
        if (p->kind == EX_STRING)
            vec_push(r->arena, &r->step->except, p->text);
        else
            wrong(r, p->loc, "except is a list of patterns");
    }
}

// ---- steps --------------------------------------------------------------------------

static void read_lowrank(Reading *r)
{
    static const char *const names[] = {"rank", "ratio", "energy", "except"};
    const Expr *rank = named(r, "rank");
    check_names(r, names, COUNT(names), 1);
    if (rank && (rank->kind != EX_INT || rank->integer < 1))
        wrong(r, rank->loc, "rank is an integer from 1 on");
    else if (rank)
        r->step->rank = rank->integer;
    r->step->ratio = part(r, "ratio");
    r->step->energy = part(r, "energy");
    if (!!rank + !!named(r, "ratio") + !!named(r, "energy") != 1)
        wrong(r, r->call->loc, "lowrank takes one of rank, ratio and energy");
}

static void read_sparse(Reading *r)
{
    static const char *const names[] = {"pattern", "density", "except"};
    static const char *const shapes[] = {"1x48", "unstructured"};
    const Expr *shape = named(r, "pattern");
    check_names(r, names, COUNT(names), 1);
    r->step->shape = shapes[0];
    for (int i = 0; shape && i < COUNT(shapes); i++)
        if (shape->kind == EX_STRING && !strcmp(shape->text, shapes[i]))
            r->step->shape = shapes[i], shape = NULL;
    if (shape)
        wrong(r, shape->loc, "pattern is \"1x48\" or \"unstructured\"");
    r->step->density = part(r, "density");
    if (!named(r, "density"))
        wrong(r, r->call->loc, "sparse needs density, the part that is kept");
}

// per = row, group(32), or not said.
static bool per_group(Reading *r, const Expr *per, bool otherwise)
{
    if (!per)
        return otherwise;
    if (is_word(per, "row"))
        return false;
    bool call = per->kind == EX_CALL && is_word(per->a, "group") && per->args.n == 1 &&
                per->args.p[0].value->kind == EX_INT;
    if (call && per->args.p[0].value->integer == 32)
        return true;
    wrong(r, per->loc, "per is row or group(32)");
    return false;
}

static bool is_bf16(const Expr *e)
{
    return e && e->kind == EX_DTYPE && e->dtype == DT_bf16;
}

// activations = int8, of bf16 weights bf16, or not said: then only int8 by rows rounds them.
static bool rounds_activations(Reading *r, const Expr *weights)
{
    const Expr *to = named(r, "activations");
    if (to && !(is_bf16(weights) ? is_bf16(to) : is_word(to, "int8")))
        wrong(r, to->loc, "activations are %s, or as they are if nothing is said",
              is_bf16(weights) ? "bf16 like the weights" : "int8");
    return to != NULL;
}

static void read_quantize(Reading *r)
{
    static const char *const names[] = {"per", "activations", "except"};
    const Expr *to = positional(r, 1), *per = named(r, "per");
    check_names(r, names, COUNT(names), 2);
    bool rounds = rounds_activations(r, to);
    if (is_word(to, "int8")) {
        bool group = per_group(r, per, false);
        r->step->format = !group ? "int8" : rounds ? "int8g32a8" : "int8g32";
    } else if (is_word(to, "int4")) {
        r->step->format = rounds ? "int4g32a8" : "int4g32";
        if (!per_group(r, per, true) && r->ok)
            wrong(r, per->loc, "int4 goes in groups: per = group(32)");
    } else if (is_bf16(to) && rounds && !per) {
        r->step->format = "bf16a16";
    } else if (to && to->kind == EX_DTYPE && !per && !rounds &&
               dtype_info[to->dtype].kind == DK_FLOAT) {
        r->step->format = dtype_info[to->dtype].name;
    } else {
        wrong(r, to ? to->loc : r->call->loc,
              "quantize goes to int8, int4, f16 or bf16");
        if (to && to->kind == EX_DTYPE && dtype_info[to->dtype].kind == DK_INT)
            diag_hint(r->diag, to->loc, "element types are `i8`, formats `int8`");
    }
}

// ---- recipes ------------------------------------------------------------------------

static bool find_step(Reading *r, const Expr *name)
{
    static const char *const known[] = {"lowrank", "sparse", "quantize"};
    static const char *const planned[] = {"dsfactor", "heads", "calibrate", "budget"};
    for (int i = 0; i < COUNT(known); i++)
        if (is_word(name, known[i])) {
            r->step->kind = (StepKind)i;
            return true;
        }
    bool later = false;
    for (int i = 0; i < COUNT(planned); i++)
        later = later || is_word(name, planned[i]);
    const char *word = name && name->kind == EX_NAME ? name->text : "";
    if (later)
        diag_error(r->diag, name->loc, E0709, "the step `%s` is not in this version",
                   word);
    else
        diag_error(r->diag, r->call->loc, E0640, "there is no step `%s`", word);
    const char *near = later ? NULL : nearest(word, known, COUNT(known));
    if (near)
        diag_hint(r->diag, r->call->loc, "did you mean `%s`?", near);
    else
        diag_hint(r->diag, r->call->loc, "there are lowrank, sparse and quantize");
    return r->ok = false;
}

static Step *read_step(Arena *a, Diag *d, const Expr *call)
{
    Reading r = {.arena = a, .diag = d, .step = NEW(a, Step), .call = call, .ok = true};
    r.step->loc = call->loc;
    r.step->text = diag_text(d, call->loc, a);
    if (call->kind != EX_CALL) {
        wrong(&r, call->loc, "a step is a call, as quantize(\"**\", int8)");
        return NULL;
    }
    if (!find_step(&r, call->a))
        return NULL;
    read_pattern(&r);
    switch (r.step->kind) {
    case STEP_lowrank:
        read_lowrank(&r);
        break;
    case STEP_sparse:
        read_sparse(&r);
        break;
    case STEP_quantize:
        read_quantize(&r);
        break;
    }
    return r.ok ? r.step : NULL;
}

Recipe *recipe_read(Arena *a, Diag *d, const Item *item)
{
    Recipe *recipe = NEW(a, Recipe);
    recipe->name = item->name.s ? item->name.s : "";
    recipe->loc = item->loc;
    for (int i = 0; i < item->steps.n; i++) {
        Step *step = read_step(a, d, item->steps.p[i]);
        if (step)
            vec_push(a, &recipe->steps, step);
    }
    return recipe;
}
