// choices.c - formats for weights, ordered by what they are predicted to gain.

#include "choices.h"

#include <stdlib.h>
#include <string.h>

static const double SLOW = 1.3;

typedef struct Ranked {
    Choice choice;
    double gain;
    const Group *group;
    int place;  // of the format in the user's list
} Ranked;

static int by_gain(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->gain != y->gain)
        return x->gain < y->gain ? 1 : -1;
    if (x->group->count != y->group->count)
        return x->group->count < y->group->count ? 1 : -1;
    int names = strcmp(x->group->patterns.p[0], y->group->patterns.p[0]);
    return names ? names : x->place - y->place;
}

void choices_make(Arena *a, const Groups *groups, const Format *formats, int n,
                  Choices *out)
{
    Ranked *all = NEWN(a, Ranked, groups->n * n + 1);
    int found = 0;
    for (int i = 0; i < groups->n; i++)
        for (int k = 0; k < n; k++) {
            const Group *g = &groups->p[i];
            if (formats[k] != g->now)
                all[found++] = (Ranked){
                    {i, formats[k]}, g->cost[g->now] - g->cost[formats[k]], g, k};
        }
    qsort(all, (size_t)found, sizeof(*all), by_gain);
    for (int i = 0; i < found; i++)
        vec_push(a, out, all[i].choice);
}

double choice_ratio(const Groups *groups, const Choice *c)
{
    const Group *g = &groups->p[c->group];
    return g->cost[g->now] > 0 ? g->cost[c->format] / g->cost[g->now] : 1;
}

bool choice_is_slow(double ratio)
{
    return ratio > SLOW;
}
