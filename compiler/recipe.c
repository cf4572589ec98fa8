// recipe.c - patterns of recipes.

#include "recipe.h"

#include <string.h>

static const char *const names[] = {"lowrank", "sparse", "quantize"};

const char *step_name(StepKind k)
{
    return names[k];
}

bool step_find(const char *name, StepKind *k)
{
    for (int i = 0; i < COUNT(names); i++)
        if (!strcmp(names[i], name)) {
            *k = (StepKind)i;
            return true;
        }
    return false;
}

enum { MAX_DEPTH = 64 };  // of patterns in patterns; a deeper one matches nothing

static bool match(const char *p, const char *s, int depth);  // they need each other

// p stands on {a,b}: one of them, then the rest.
static bool match_one_of(const char *p, const char *s, int depth)
{
    const char *end = p + strcspn(p, "}");
    if (!*end)
        return false;
    for (const char *a = p + 1; a <= end; a += strcspn(a, ",}") + 1) {
        size_t n = strcspn(a, ",}");
        if (!strncmp(a, s, n) && match(end + 1, s + n, depth + 1))
            return true;
    }
    return false;
}

// All of p against all of s, or against what of s ends at a dot.
static bool match(const char *p, const char *s, int depth)
{
    if (depth > MAX_DEPTH)
        return false;
    for (;; p++, s++) {
        if (p[0] == '*' && p[1] == '*') {
            p += 2 + (p[2] == '.');
            for (; *s; s += strcspn(s, "."), s += *s == '.')
                if (match(p, s, depth + 1))
                    return true;
            return !*p;
        }
        if (*p == '*') {
            for (; *s && *s != '.'; s++)
                if (match(p + 1, s, depth + 1))
                    return true;
            return match(p + 1, s, depth + 1);
        }
        if (*p == '{')
            return match_one_of(p, s, depth);
        if (!*p)
            return !*s || *s == '.';
        if (!*s || (*p != *s && (*p != '?' || *s == '.')))
            return false;
    }
}

bool pattern_match(const char *pattern, const char *path)
{
    return match(pattern, path, 0);
}

static bool chooses(const char *pattern, const char *member, const char *file)
{
    if (!strncmp(pattern, "file:", 5))
        return pattern_match(pattern + 5, file);
    return pattern_match(pattern, member);
}

bool step_chooses(const Step *s, const char *member, const char *file)
{
    for (int i = 0; i < s->except.n; i++)
        if (chooses(s->except.p[i], member, file))
            return false;
    return chooses(s->pattern, member, file);
}
