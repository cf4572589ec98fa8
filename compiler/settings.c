// settings.c - the tables of verbs and options, and how each option is taken.

#include "settings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const VerbInfo verb_info[VERB_COUNT] = {
#define VERB(name, args, summary, more) {#name, args, summary, more},
#include "verbs.def"
#undef VERB
};

#define V(verb) (1u << VERB_##verb)
#define V_MODEL                                                                        \
    (V(compile) | V(check) | V(run) | V(verify) | V(report) | V(init) | V(bench) |     \
     V(tune))
#define V_BUILD (V_MODEL & ~(V(init) | V(tune)))
#define V_ALL   ((1u << VERB_COUNT) - 1)

const OptionInfo option_info[OPTION_COUNT] = {
#define OPT(name, long_name, letter, arg, verbs, help)                                 \
    {long_name, letter, arg, verbs, help},
#include "options.def"
#undef OPT
};

bool verb_find(const char *name, Verb *v)
{
    for (int i = 0; i < VERB_COUNT; i++)
        if (strcmp(verb_info[i].name, name) == 0) {
            *v = (Verb)i;
            return true;
        }
    return false;
}

bool option_find(const char *name, OptionId *id)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strcmp(option_info[i].name, name) == 0) {
            *id = (OptionId)i;
            return true;
        }
    return false;
}

void settings_init(Settings *s, Arena *a)
{
    *s = (Settings){.arena = a,
                    .target = target_find("portable"),
                    .level = 1,
                    .seed = 1,
                    .dtype = DT_COUNT,
                    .threads = 1,
                    .seconds = 60};
    s->atol = s->rtol = s->tolerance = -1;
}

// One of n words, as its index.
static bool choose(Settings *s, const char *value, const char *const *words, int n,
                   int *chosen, const char **why)
{
    Text t;
    for (int i = 0; i < n; i++)
        if (strcmp(value, words[i]) == 0) {
            *chosen = i;
            return true;
        }
    text_init(&t, s->arena);
    text_printf(&t, "'%s' is none of ", value);
    for (int i = 0; i < n; i++)
        text_printf(&t, "%s%s", i ? ", " : "", words[i]);
    const char *near = nearest(value, words, n);
    if (near)
        text_printf(&t, "; did you mean '%s'?", near);
    *why = t.p;
    return false;
}

static bool take_number(Settings *s, const char *value, double *out, const char **why)
{
    char *end;
    double x = strtod(value, &end);
    if (end == value || *end || !isfinite(x) || x < 0) {
        *why = arena_printf(s->arena, "'%s' is not a number >= 0", value);
        return false;
    }
    *out = x;
    return true;
}

static bool take_seed(Settings *s, const char *value, const char **why)
{
    char *end;
    errno = 0;
    unsigned long long x = strtoull(value, &end, 0);
    if (end == value || *end || errno || value[0] == '-') {
        *why = arena_printf(s->arena, "'%s' is not an unsigned integer", value);
        return false;
    }
    s->seed = x;
    return true;
}

static bool take_threads(Settings *s, const char *value, const char **why)
{
    double n;
    if (!take_number(s, value, &n, why))
        return false;
    if (n > 1024 || n != floor(n)) {
        *why = arena_printf(s->arena, "'%s' is not a whole number up to 1024", value);
        return false;
    }
    s->threads = (int)n;
    return true;
}

static bool is_name(const char *s, size_t n)
{
    if (n == 0 || (s[0] >= '0' && s[0] <= '9'))
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static bool take_define(Settings *s, const char *value, const char **why)
{
    size_t n = strcspn(value, "=<");
    const char *rest = value + n;
    bool bound = strncmp(rest, "<=", 2) == 0;
    rest += bound ? 2 : 1;
    if ((!bound && value[n] != '=') || !is_name(value, n) || !*rest) {
        *why =
            arena_printf(s->arena, "'%s' is neither NAME=VALUE nor NAME<=BOUND", value);
        return false;
    }
    vec_push(s->arena, &s->defines, arena_strdup(s->arena, value));
    return true;
}

// -fno-PASS, as the letter's argument "no-PASS", or as --no-pass=PASS.
static void take_pass_off(Settings *s, const char *value)
{
    if (strncmp(value, "no-", 3) == 0)
        value += 3;
    vec_push(s->arena, &s->passes_off, arena_strdup(s->arena, value));
}

static bool take_choice(Settings *s, OptionId id, const char *value, const char **why)
{
    static const char *const packs[] = {"file", "embed", "incbin"};
    static const char *const stages[] = {"all",  "ast", "ir",  "loops",
                                         "plan", "c",   "dot", "json"};
    static const char *const forms[] = {"text", "json"};
    static const char *const whens[] = {"auto", "always", "never"};
    static const char *const levels[] = {"0", "1"};
    static const char *const floats[] = {"f32", "bf16", "f16"};
    int i = 0;

    switch (id) {
    case OPTION_pack:
        if (!choose(s, value, packs, COUNT(packs), &i, why))
            return false;
        s->pack = (PackKind)i;
        return true;
    case OPTION_emit:
        if (!choose(s, value, stages, COUNT(stages), &i, why))
            return false;
        s->emit = (Stage)i;
        return true;
    case OPTION_diagnostics:
        if (!choose(s, value, forms, COUNT(forms), &i, why))
            return false;
        s->json = i == 1;
        return true;
    case OPTION_color:
        if (!choose(s, value, whens, COUNT(whens), &i, why))
            return false;
        s->color = (ColorWhen)i;
        return true;
    case OPTION_level:
        return choose(s, value, levels, COUNT(levels), &s->level, why);
    case OPTION_dtype:
        return choose(s, value, floats, COUNT(floats), &i, why) &&
               dtype_find(floats[i], &s->dtype);
    default:
        bug("option %d is no choice", (int)id);
    }
}

bool settings_have_tiles(const Settings *s)
{
    return s->dispatch || target_has_tiles(s->target);
}

static bool take_target(Settings *s, const char *value, const char **why)
{
    const char *names[32];
    int n = 0, i;
    for (; target_row(n) && n < COUNT(names); n++)
        names[n] = target_row(n)->name;
    if (!choose(s, value, names, n, &i, why))
        return false;
    s->target = target_row(i);
    return true;
}

static bool take_prefix(Settings *s, const char *value, const char **why)
{
    if (!is_name(value, strlen(value))) {
        *why = arena_printf(s->arena, "'%s' is not a C name", value);
        return false;
    }
    s->prefix = arena_strdup(s->arena, value);
    return true;
}

// "bf16,int8" as words; which there are is looked up where they are used.
static bool take_formats(Settings *s, const char *value, const char **why)
{
    for (const char *at = value;; at++) {
        size_t n = strcspn(at, ",");
        if (!is_name(at, n)) {
            *why = arena_printf(s->arena, "'%s' is no list of formats", value);
            return false;
        }
        vec_push(s->arena, &s->formats, arena_strndup(s->arena, at, n));
        at += n;
        if (!*at)
            return true;
    }
}

static void take_flag(Settings *s, OptionId id)
{
    switch (id) {
    case OPTION_verify_each:
        s->verify_each = true;
        break;
    case OPTION_time_passes:
        s->time_passes = true;
        break;
    case OPTION_dispatch:
        s->dispatch = true;
        break;
    case OPTION_taps:
        s->taps = true;
        break;
    case OPTION_depend:
        s->depend = true;
        break;
    case OPTION_in_place:
        s->in_place = true;
        break;
    case OPTION_fmt_check:
        s->fmt_check = true;
        break;
    case OPTION_help:
        s->help = true;
        break;
    case OPTION_version:
        s->version = true;
        break;
    default:
        bug("option %d is no flag", (int)id);
    }
}

// Where the argument of an option that is just a text goes; NULL of the others.
static const char **text_option(Settings *s, OptionId id)
{
    switch (id) {
    case OPTION_output:
        return &s->output;
    case OPTION_weights:
        return &s->weights;
    case OPTION_tune:
        return &s->tune;
    case OPTION_passes:
        return &s->passes;
    case OPTION_golden:
        return &s->golden;
    case OPTION_input:
        return &s->input;
    case OPTION_svg:
        return &s->svg;
    case OPTION_entry:
        return &s->entry;
    default:
        return NULL;
    }
}

bool settings_put(Settings *s, OptionId id, const char *value, const char **why)
{
    if (!option_info[id].arg) {
        take_flag(s, id);
        return true;
    }
    if (!value || !*value) {
        *why = arena_printf(s->arena, "needs an argument: %s", option_info[id].arg);
        return false;
    }
    const char **text = text_option(s, id);
    if (text) {
        *text = arena_strdup(s->arena, value);
        return true;
    }
    switch (id) {
    case OPTION_define:
        return take_define(s, value, why);
    case OPTION_recipe:
        vec_push(s->arena, &s->recipes, arena_strdup(s->arena, value));
        return true;
    case OPTION_target:
        return take_target(s, value, why);
    case OPTION_formats:
        return take_formats(s, value, why);
    case OPTION_tolerance:
        return take_number(s, value, &s->tolerance, why);
    case OPTION_seconds:
        return take_number(s, value, &s->seconds, why);
    case OPTION_prefix:
        return take_prefix(s, value, why);
    case OPTION_pass_off:
        take_pass_off(s, value);
        return true;
    case OPTION_print_after:
        vec_push(s->arena, &s->print_after, arena_strdup(s->arena, value));
        return true;
    case OPTION_depend_file:
        s->depend_file = arena_strdup(s->arena, value);
        s->depend = true;
        return true;
    case OPTION_threads:
        return take_threads(s, value, why);
    case OPTION_atol:
        return take_number(s, value, &s->atol, why);
    case OPTION_rtol:
        return take_number(s, value, &s->rtol, why);
    case OPTION_seed:
        return take_seed(s, value, why);
    default:
        return take_choice(s, id, value, why);
    }
}
