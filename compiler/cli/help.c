// help.c - help and the man page, out of the tables of verbs and options.

#include "cli.h"

#include <string.h>

enum { WIDTH = 88, COLUMN = 26 };

void wrap_puts(Text *out, const char *text, int indent, int width)
{
    int column = indent;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (column > indent && column + 1 + n > width) {
            text_printf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            text_puts(out, " ");
            column++;
        }
        text_put(out, text, (size_t)n);
        column += n;
        text += n;
        text += strspn(text, " ");
    }
    text_puts(out, "\n");
}

// "-o, --output=FILE", and as compilers spell it where that differs from the table.
static const char *option_usage(Arena *a, OptionId id)
{
    const OptionInfo *o = &option_info[id];
    switch (id) {
    case OPTION_define:
        return "-D NAME=VALUE";
    case OPTION_level:
        return "-O0, -O1";
    case OPTION_pass_off:
        return "-fno-PASS";
    case OPTION_depend:
        return "-MD";
    case OPTION_depend_file:
        return "-MF FILE";
    default:
        break;
    }
    const char *letter = o->letter ? arena_printf(a, "-%c, ", o->letter) : "";
    return arena_printf(a, "%s--%s%s%s", letter, o->name, o->arg ? "=" : "",
                        o->arg ? o->arg : "");
}

static const char *option_help(OptionId id)
{
    const char *help = option_info[id].help;
    return strncmp(help, "-M", 2) == 0 ? strchr(help, ':') + 2 : help;
}

static void print_options(Text *out, Verb v)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        if ((option_info[i].verbs & (1u << v)) == 0)
            continue;
        const char *usage = option_usage(out->arena, (OptionId)i);
        if (strlen(usage) + 4 > COLUMN)
            text_printf(out, "  %s\n%*s", usage, COLUMN, "");
        else
            text_printf(out, "  %-*s", COLUMN - 2, usage);
        wrap_puts(out, option_help((OptionId)i), COLUMN, WIDTH);
    }
}

void help_print(Text *out)
{
    text_puts(out, "usage: tfxc MODEL.tfx -o OUT.c    compile a model to C\n"
                   "       tfxc VERB ...              another job\n\nverbs:\n");
    for (int i = 0; i < VERB_COUNT; i++) {
        text_printf(out, "  %-*s", COLUMN - 2, verb_info[i].name);
        wrap_puts(out, verb_info[i].summary, COLUMN, WIDTH);
    }
    text_puts(out, "\noptions of compile:\n");
    print_options(out, VERB_compile);
    text_puts(out,
              "\n`tfxc VERB --help` tells the options of a verb. Exit status: 0 all is "
              "well, 1 the\ninput is at fault, 2 the command line is, 3 verify found "
              "a difference, 70 tfxc is.\n");
}

void help_verb(Text *out, Verb v)
{
    const VerbInfo *info = &verb_info[v];
    text_printf(out, "usage: tfxc %s %s\n\n", info->name, info->args);
    wrap_puts(out, info->more, 0, WIDTH);
    text_puts(out, "\noptions:\n");
    print_options(out, v);
}

// ---- the man page ----------------------------------------------------------------------

// Text for roff: a backslash and a leading dot or quote would be orders, - is a minus.
static void roff_puts(Text *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\\')
            text_puts(out, "\\e");
        else if (*s == '-')
            text_puts(out, "\\-");
        else
            text_put(out, s, 1);
    }
}

static void man_options(Text *out)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        unsigned verbs = option_info[i].verbs;
        text_puts(out, ".TP\n.B ");
        roff_puts(out, option_usage(out->arena, (OptionId)i));
        text_puts(out, "\n");
        roff_puts(out, option_help((OptionId)i));
        if (verbs != (1u << VERB_COUNT) - 1) {
            const char *comma = " (";
            for (int k = 0; k < VERB_COUNT; k++)
                if (verbs & (1u << k)) {
                    text_printf(out, "%s%s", comma, verb_info[k].name);
                    comma = ", ";
                }
            text_puts(out, ")");
        }
        text_puts(out, "\n");
    }
}

void help_man(Text *out, const char *version)
{
    text_printf(
        out,
        ".\\\" Made from compiler/verbs.def and compiler/options.def; do not edit.\n"
        ".TH TFXC 1 \"\" \"tfxc %s\" \"User Commands\"\n"
        ".SH NAME\ntfxc \\- compile transformer models to portable C\n"
        ".SH SYNOPSIS\n.B tfxc\n.I MODEL.tfx\n.RB [ \\-o\n.IR OUT.c ]\n.br\n"
        ".B tfxc\n.I VERB\n.RI [ option ...]\n.RI [ argument ...]\n"
        ".SH DESCRIPTION\n"
        "Reads a model written in the .tfx language with weights in safetensors, and\n"
        "writes C11 that computes it: no allocation, no mutable globals, nothing\n"
        "needed but libc and libm.\n.SH VERBS\n",
        version);
    for (int i = 0; i < VERB_COUNT; i++) {
        text_printf(out, ".TP\n.B %s ", verb_info[i].name);
        roff_puts(out, verb_info[i].args);
        text_puts(out, "\n");
        roff_puts(out, verb_info[i].more);
        text_puts(out, "\n");
    }
    text_puts(out, ".SH OPTIONS\n");
    man_options(out);
    text_puts(
        out,
        ".TP\n.B \\-\\-\nWhat follows is no option and no verb.\n"
        ".SH EXIT STATUS\n.TP\n.B 0\nAll is well.\n.TP\n.B 1\nThe input is at "
        "fault; diagnostics were printed.\n.TP\n.B 2\nThe command line is at "
        "fault.\n.TP\n.B 3\nverify found a difference.\n.TP\n.B 70\nA bug of tfxc.\n"
        ".SH ENVIRONMENT\n.TP\n.B CC\nThe C compiler of run and verify, with its "
        "options; default cc.\n.TP\n.B TMPDIR\nWhere run and verify keep their "
        "temporary files.\n.TP\n.B TFX_LEVEL\nThe level at which run and verify call a "
        "program made with \\-\\-dispatch; default: the best of this machine.\n.TP\n.B NO_COLOR\nIf set and not empty, "
        "\\-\\-color=auto is never.\n");
}
