// packed.c - how large a packed constant is, in one turn of the repeats around it.
//
// Its bytes grow with n, k and the blocks kept, so what is asked for without turns, where
// sizes are at their greatest, is enough for each of them.

#include "compiler/loop.h"

#include <string.h>

static int64_t value_at(const Size *a, int nturns, const Turn *turns)
{
    return nturns ? size_eval_at(a, NULL, nturns, turns) : size_max_value(a);
}

// Of a matrix of a linear: how many 48 x 1 blocks are kept, known without its values.
static int64_t kept_blocks(const Value *v, int64_t all, int nturns, const Turn *turns)
{
    if (v->op != OP_prune || strcmp(attr_str(v, "shape", ""), "1x48") != 0)
        return all;
    const Size *size = attr_size(v, "kept");
    if (!size)
        return format_kept(all, attr_num(v, "density", 1));
    int64_t kept = value_at(size, nturns, turns);
    return kept < all ? kept : all;
}

FormatSize packed_size(const Packed *k, int nturns, const Turn *turns)
{
    FormatSize w = {0, 0, 0};
    if (k->format == FORMAT_plain)
        return w;
    w.n = value_at(k->value->type.dim[0].size, nturns, turns);
    w.k = value_at(k->value->type.dim[1].size, nturns, turns);
    w.kept = kept_blocks(k->value, format_blocks(w.n, w.k), nturns, turns);
    return w;
}

int64_t packed_count(const Packed *k, int nturns, const Turn *turns)
{
    const Type *t = &k->value->type;
    if (k->format != FORMAT_plain) {
        FormatSize w = packed_size(k, nturns, turns);
        return format_info[k->format].bytes(&w) / (dtype_info[k->storage].bits / 8);
    }
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= value_at(t->dim[i].size, nturns, turns);
    return n;
}
