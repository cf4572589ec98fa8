// args.c - the command line, read with getopt_long from the table of options.

#define _GNU_SOURCE  // getopt_long
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LONG = 256, WORD = 1, MAX_LETTERS = 2 * OPTION_COUNT + 8 };

typedef struct Reader {
    Settings *s;
    Args *args;
    const char **why;
    unsigned given[OPTION_COUNT];
    bool has_verb;
    int argc;
    char **argv;
} Reader;

// "-:o:D:...M:": words come in their places as the option 1, a missing argument as ':'.
static void option_letters(char *letters, struct option *longs)
{
    int n = 0;
    letters[n++] = '-';
    letters[n++] = ':';
    letters[n++] = 'M';
    letters[n++] = ':';
    for (int i = 0; i < OPTION_COUNT; i++) {
        const OptionInfo *o = &option_info[i];
        int arg = o->arg ? required_argument : no_argument;
        longs[i] = (struct option){o->name, arg, NULL, LONG + i};
        if (!o->letter)
            continue;
        letters[n++] = o->letter;
        if (o->arg)
            letters[n++] = ':';
    }
    letters[n] = '\0';
    longs[OPTION_COUNT] = (struct option){NULL, 0, NULL, 0};
}

static const char *spelled(Arena *a, OptionId id)
{
    if (id == OPTION_pass_off)
        return "-fno-PASS";
    if (id == OPTION_level)
        return "-O";
    return arena_printf(a, "--%s", option_info[id].name);
}

static bool fail_unknown(Reader *r, const char *word)
{
    const char *names[OPTION_COUNT];
    const char *name = word + strspn(word, "-");
    char *stem = arena_strndup(r->s->arena, name, strcspn(name, "="));
    int alike = 0;

    for (int i = 0; i < OPTION_COUNT; i++) {
        names[i] = option_info[i].name;
        if (*stem && strncmp(names[i], stem, strlen(stem)) == 0)
            alike++;
    }
    if (alike > 1) {
        *r->why = arena_printf(r->s->arena, "option '--%s' is not unique", stem);
        return false;
    }
    const char *near = nearest(stem, names, OPTION_COUNT);
    if (near)
        *r->why = arena_printf(r->s->arena, "unknown option '%s'; did you mean '--%s'?",
                               word, near);
    else
        *r->why = arena_printf(r->s->arena, "unknown option '%s'", word);
    return false;
}

// getopt refused a word: unknown, not unique, or a flag with an argument.
static bool fail_option(Reader *r)
{
    const char *word = r->argv[optind - 1];
    if (optopt >= LONG) {
        *r->why = arena_printf(r->s->arena, "option '--%s' takes no argument",
                               option_info[optopt - LONG].name);
        return false;
    }
    if (optopt != 0 && strncmp(word, "--", 2) != 0)
        return fail_unknown(r, arena_printf(r->s->arena, "-%c", optopt));
    return fail_unknown(r, word);
}

static bool put(Reader *r, OptionId id, const char *value)
{
    const char *why = NULL;
    r->given[id]++;
    if (id == OPTION_pass_off && optarg == value && value &&
        r->argv[optind - 1][1] == 'f' && strncmp(value, "no-", 3) != 0) {
        *r->why = arena_printf(
            r->s->arena, "unknown option '-f%s'; passes are left out by -fno-PASS",
            value);
        return false;
    }
    if (settings_put(r->s, id, value, &why))
        return true;
    *r->why = arena_printf(r->s->arena, "%s: %s", spelled(r->s->arena, id), why);
    return false;
}

// -MD, -MF FILE and -MFFILE, as compilers spell them.
static bool put_depend(Reader *r, const char *value)
{
    if (strcmp(value, "D") == 0)
        return put(r, OPTION_depend, NULL);
    if (value[0] == 'F' && value[1])
        return put(r, OPTION_depend_file, value + 1);
    if (value[0] == 'F' && optind < r->argc)
        return put(r, OPTION_depend_file, r->argv[optind++]);
    if (value[0] == 'F')
        *r->why = "-MF: needs an argument: FILE";
    else
        *r->why = arena_printf(r->s->arena, "unknown option '-M%s'; there are -MD, -MF",
                               value);
    return false;
}

static void take_word(Reader *r, const char *word, bool may_be_verb)
{
    if (may_be_verb && !r->has_verb && r->args->words.n == 0 &&
        verb_find(word, &r->args->verb)) {
        r->has_verb = true;
        return;
    }
    vec_push(r->s->arena, &r->args->words, arena_strdup(r->s->arena, word));
}

// A first word that is no file and looks like no file was meant as a verb.
static bool check_word(Reader *r)
{
    const char *names[VERB_COUNT];
    if (r->has_verb || r->args->words.n == 0)
        return true;
    const char *word = r->args->words.p[0];
    if (strpbrk(word, "./") || strcmp(word, "-") == 0 || access(word, F_OK) == 0)
        return true;
    for (int i = 0; i < VERB_COUNT; i++)
        names[i] = verb_info[i].name;
    const char *near = nearest(word, names, VERB_COUNT);
    *r->why = near ? arena_printf(r->s->arena, "unknown verb '%s'; did you mean '%s'?",
                                  word, near)
                   : arena_printf(r->s->arena,
                                  "'%s' is neither a verb nor a file (see tfxc --help)",
                                  word);
    return false;
}

static bool check_verb_takes(Reader *r)
{
    Text t;
    Verb v = r->args->verb;
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!r->given[i] || option_info[i].verbs & (1u << v))
            continue;
        text_init(&t, r->s->arena);
        text_printf(&t, "option '%s' is not for '%s'; it is for ",
                    spelled(r->s->arena, (OptionId)i), verb_info[v].name);
        const char *comma = "";
        for (int k = 0; k < VERB_COUNT; k++)
            if (option_info[i].verbs & (1u << k)) {
                text_printf(&t, "%s%s", comma, verb_info[k].name);
                comma = ", ";
            }
        *r->why = t.p;
        return false;
    }
    return true;
}

static bool take_option(Reader *r, int c)
{
    switch (c) {
    case WORD:
        take_word(r, optarg, true);
        return true;
    case 'M':
        return put_depend(r, optarg);
    case '?':
        return fail_option(r);
    case ':':
        *r->why = arena_printf(r->s->arena, "option '%s' needs an argument",
                               r->argv[optind - 1]);
        return false;
    default:
        break;
    }
    if (c >= LONG)
        return put(r, (OptionId)(c - LONG), optarg);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (option_info[i].letter == c)
            return put(r, (OptionId)i, optarg);
    bug("getopt gave %d", c);
}

bool args_parse(Settings *s, Args *args, int argc, char **argv, const char **why)
{
    char letters[MAX_LETTERS];
    struct option longs[OPTION_COUNT + 1];
    Reader r = {.s = s, .args = args, .why = why, .argc = argc, .argv = argv};

    option_letters(letters, longs);
    opterr = 0;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, letters, longs, NULL)) != -1;)
        if (!take_option(&r, c))
            return false;
    for (int i = optind; i < argc; i++)  // after --
        take_word(&r, argv[i], false);
    return check_word(&r) && check_verb_takes(&r);
}
