// prune: a constant w with its smallest parts set to zero; the part {density} of them
// stays, or {kept} of them, which may differ by turn.
//
// w float[n, k] -> float[n, k]. {shape} says what goes as a whole: "unstructured", single
// weights, by |w|; "1x48", blocks of 48 rows of one column, by the mean of their squares.
// Rows [0, 48) are the first panel of blocks, and the last may be shorter. Of equal ones
// the first in row-major order stays.
// Source: Han et al., "Learning both weights and connections", 2015 (magnitude).

#include "compiler/lower.h"
#include "compiler/ops/common.h"
#include "passes/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool infer_kept(Infer *c, Value *v)
{
    const Size *kept = attr_size(v, "kept");
    bool by_part = attr_find(v, "density") != NULL;
    if (by_part == (kept != NULL))
        return misfit(c, E0308, "prune takes either a density or how many parts stay");
    const Attr *density = by_part ? infer_attr(c, v, "density", AT_NUM) : NULL;
    if (by_part && (!density || !(density->num > 0 && density->num <= 1)))
        return misfit(c, E0308, "prune: density is above 0 and up to 1");
    if (kept && (!size_is_fixed(kept) || size_min_value(kept) < 1))
        return misfit(c, E0308, "prune: at least one part stays");
    v->type = v->in[0]->type;
    return true;
}

bool infer_prune(Infer *c, Value *v)
{
    const Attr *shape = infer_attr(c, v, "shape", AT_STR);
    if (!shape || !infer_floats(c, v))
        return false;
    if (v->in[0]->type.rank != 2 || !value_is_const(v->in[0]))
        return misfit(c, E0308, "prune takes a constant matrix, not %s",
                      spell(c, v->in[0]));
    if (strcmp(shape->str, "1x48") != 0 && strcmp(shape->str, "unstructured") != 0)
        return misfit(c, E0308, "prune: shape is \"1x48\" or \"unstructured\"");
    return infer_kept(c, v);
}

typedef struct Part {
    double weight;
    int64_t index;
} Part;

static int heavier_first(const void *a, const void *b)
{
    const Part *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

// Parts [rows, 1] of w, panel by panel; those that stay are copied to y.
static void keep_parts(Eval *e, const Value *v, int64_t rows, Tensor *y)
{
    const Tensor *w = eval_in(e, v, 0);
    const Size *size = attr_size(v, "kept");
    int64_t k = w->dim[1], panels = (w->dim[0] + rows - 1) / rows, n = panels * k;
    int64_t kept =
        size ? eval_size(e, size) : format_kept(n, attr_num(v, "density", 1));
    Part *part = (Part *)eval_scratch(e, 2 * n);
    for (int64_t i = 0; i < n; i++) {
        int64_t first = i / k * rows, height = 0;
        for (; height < rows && first + height < w->dim[0]; height++) {
            double x = w->data[(first + height) * k + i % k];
            part[i].weight += x * x;
        }
        part[i].weight /= (double)height;
        part[i].index = i;
    }
    qsort(part, (size_t)n, sizeof *part, heavier_first);
    for (int64_t p = 0; p < kept && p < n; p++) {
        int64_t first = part[p].index / k * rows, column = part[p].index % k;
        for (int64_t r = first; r < first + rows && r < w->dim[0]; r++)
            y->data[r * k + column] = w->data[r * k + column];
    }
}

void eval_prune(Eval *e, const Value *v, Tensor *y)
{
    bool blocks = !strcmp(attr_str(v, "shape", ""), "1x48");
    if (y->n > 0)
        keep_parts(e, v, blocks ? FORMAT_PANEL : 1, y);
}

void lower_prune(Lower *l, const Value *v)
{
    lower_refuse(l, v, "only the packer computes it", NULL);
}
