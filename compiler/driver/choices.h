// choices.h - which formats of which weights tfxc tune tries, and in what order.

#ifndef TFXC_CHOICES_H
#define TFXC_CHOICES_H

#include "compiler/settings.h"
#include "passes/format.h"

// Weights that one product reads, as patterns: they change their format together.
typedef struct Group {
    const struct Packed *packed;
    StrList patterns;
    Format now;  // the format they have
    int64_t count;
    double cost[FORMAT_COUNT];  // predicted, in any unit; 0: of no linear
} Group;
typedef VEC(Group) Groups;

typedef struct Choice {
    int group;
    Format format;
} Choice;
typedef VEC(Choice) Choices;

// Every group with every format but the one it has: the largest gain first, of equal ones the
// group with more weights.
void choices_make(Arena *a, const Groups *groups, const Format *formats, int n,
                  Choices *out);
// The predicted time of a choice, in parts of that of the format its group has by now.
double choice_ratio(const Groups *groups, const Choice *c);
// Is it not worth a try? Predictions are wrong by up to a third.
bool choice_is_slow(double ratio);

// ---- groups.c ----------------------------------------------------------------------------

struct Bed;
struct Candidate;

// The matrices of a program that a tune file can choose formats for.
void groups_find(Arena *a, const struct Candidate *c, Groups *groups);
// What each of these formats, and the one that each group has, costs in the entries that are
// measured. False after reporting to the candidate's messages.
bool groups_price(const struct Bed *b, struct Candidate *c, const Format *formats,
                  int n, Groups *groups);

#endif
