// recipe.h - recipes from the tree of a source.

#ifndef TFXC_SEMA_RECIPE_H
#define TFXC_SEMA_RECIPE_H

#include "compiler/recipe.h"
#include "grammar/ast.h"

// Steps with mistakes are reported and left out.
Recipe *recipe_read(Arena *a, Diag *d, const Item *item);

#endif
