// pattern.h - einops patterns: "t (h d) -> h t d".

#ifndef TFXC_SEMA_PATTERN_H
#define TFXC_SEMA_PATTERN_H

#include "internal.h"

enum { MAX_TERMS = 24 };

typedef struct Axis {
    const char *name;  // NULL: 1
    bool dots;
    int group;  // axes of one group have one number; groups count from 0
    Loc loc;
} Axis;

typedef struct Side {  // "t (h d)"
    int n, groups;
    Axis axis[MAX_TERMS];
    Loc loc;
} Side;

typedef struct Pattern {
    int nleft;  // more than one only with commas, for einsum
    Side left[8];
    Side right;
    Loc loc;
} Pattern;

// Reads the pattern that e, a string, holds. Reports E0340 with the place in the
// string.
bool pattern_read(Sema *s, const Expr *e, Pattern *p);
int side_find(const Side *side, const char *name);  // -1: not there

Val make_einsum(Call *c);

#endif
