// setup.h - what most suites start with: an arena and a Diag for each test.

#ifndef TESTS_SETUP_H
#define TESTS_SETUP_H

#include <criterion/criterion.h>

#include "compiler/diag.h"

static Arena *arena;
static Diag *diag;

static void set_up(void)
{
    arena = arena_new();
    diag = diag_new(arena);
}

static void tear_down(void)
{
    arena_free(arena);
}

#endif
