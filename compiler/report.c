// report.c - what becomes of each weight: format, bytes, error; and of memory.

#include "compiler/report.h"

#include "compiler/lower.h"
#include "compiler/weights.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct Report {
    const Layout *y;
    Checkpoint *ck;
    Text *out;
    Arena *arena;  // of one line
} Report;

// ---- values ----------------------------------------------------------------------------

static bool value_of(Report *r, const Placed *t, const Value *v, Tensor *x)
{
    return oracle_const(r->arena, r->y->prog->module, weights_source(r->ck), v,
                        t->nturns, t->turn, x, NULL);
}

// The matrix that the packed bytes stand for.
static bool packed_of(Report *r, const Placed *t, Tensor *x)
{
    if (!value_of(r, t, t->packed->value, x))
        return false;
    float *rows = NEWN(r->arena, float, x->n + 1);
    for (int64_t i = 0; i < x->n; i++)
        rows[i] = (float)x->data[i];
    format_info[t->packed->format].mean(&t->size, rows);
    for (int64_t i = 0; i < x->n; i++)
        x->data[i] = (double)rows[i];
    return true;
}

static double relative_error(const double *got, const double *want, int64_t n)
{
    double error = 0, all = 0;
    for (int64_t i = 0; i < n; i++) {
        error += (got[i] - want[i]) * (got[i] - want[i]);
        all += want[i] * want[i];
    }
    return all > 0 ? sqrt(error / all) : sqrt(error);
}

static bool same_turns(const Placed *a, const Placed *b)
{
    if (a->nturns != b->nturns)
        return false;
    for (int i = 0; i < a->nturns; i++)
        if (strcmp(a->turn[i].index, b->turn[i].index) != 0 ||
            a->turn[i].turn != b->turn[i].turn)
            return false;
    return true;
}

// The right factor of the pair whose left one is t.
static const Placed *right_of(Report *r, const Placed *t)
{
    const char *w = const_key(r->arena, t->packed->value->in[0]);
    for (int i = 0; i < r->y->tensors.n; i++) {
        const Placed *x = r->y->tensors.p[i];
        const Value *v = x->packed->value;
        if (v->op == OP_svd_right && same_turns(t, x) &&
            attr_size(v, "rank") == attr_size(t->packed->value, "rank") &&
            !strcmp(const_key(r->arena, v->in[0]), w))
            return x;
    }
    return NULL;
}

static bool pair_error(Report *r, const Placed *left, double *error)
{
    const Placed *right = right_of(r, left);
    Tensor a, b, w;
    if (!right || !packed_of(r, left, &a) || !packed_of(r, right, &b) ||
        !value_of(r, left, left->packed->value->in[0], &w))
        return false;
    double *y = NEWN(r->arena, double, w.n + 1);
    for (int64_t i = 0; i < w.dim[0]; i++)
        for (int64_t q = 0; q < a.dim[1]; q++)
            for (int64_t j = 0; j < w.dim[1]; j++)
                y[i * w.dim[1] + j] +=
                    a.data[i * a.dim[1] + q] * b.data[q * w.dim[1] + j];
    *error = relative_error(y, w.data, w.n);
    return true;
}

static bool error_of(Report *r, const Placed *t, double *error)
{
    const Value *v = t->packed->value;
    Tensor got, want;
    *error = 0;
    if (t->packed->format == FORMAT_f32 && v->op != OP_prune && v->op != OP_svd_left)
        return true;  // nothing was rounded
    if (v->op == OP_svd_left)
        return pair_error(r, t, error);
    if (v->op == OP_prune)
        v = v->in[0];
    if (!packed_of(r, t, &got) || !value_of(r, t, v, &want))
        return false;
    *error = relative_error(got.data, want.data, want.n);
    return true;
}

// ---- the table -------------------------------------------------------------------------

static void put_line(Report *r, const Placed *t)
{
    const Packed *p = t->packed;
    double error = 0;
    const char *shape =
        arena_printf(r->arena, "[%" PRId64 ", %" PRId64 "]", t->size.n, t->size.k);
    text_printf(r->out, "  %-9s %-14s %12" PRId64 "  ", format_info[p->format].name,
                shape, t->bytes);
    if (p->value->op == OP_svd_right)
        text_puts(r->out, "    with ");
    else if (r->ck && error_of(r, t, &error))
        text_printf(r->out, error > 0 ? "%8.2e " : "   exact ", error);
    else
        text_puts(r->out, "       - ");
    text_printf(r->out, " %s\n", t->name);
}

static void put_json(Report *r, const Placed *t)
{
    const Packed *p = t->packed;
    double error = 0;
    text_puts(r->out, "    {\"name\": ");
    text_json(r->out, t->name);
    text_printf(r->out,
                ", \"format\": \"%s\", \"shape\": [%" PRId64 ", %" PRId64
                "], \"bytes\": %" PRId64 ", \"error\": ",
                format_info[p->format].name, t->size.n, t->size.k, t->bytes);
    if (p->value->op != OP_svd_right && r->ck && error_of(r, t, &error))
        text_printf(r->out, "%.6g}", error);
    else
        text_puts(r->out, "null}");
}

// A line has an arena of its own: matrices in double are large.
static void put_line_apart(Report *r, const Placed *t,
                           void (*put)(Report *r, const Placed *t))
{
    Guard guard;
    r->arena = arena_new();
    if (GUARD_SET(&guard)) {
        arena_free(r->arena);
        guard_again(&guard);
    }
    put(r, t);
    guard_drop(&guard);
    arena_free(r->arena);
}

static void put_steps(const Module *m, Text *out)
{
    for (int i = 0; i < m->steps.n; i++) {
        const Step *s = m->steps.p[i];
        text_printf(out, "%s%s: %d weight%s", i ? "  " : "\nrecipe\n  ", s->text,
                    s->matched, s->matched == 1 ? "" : "s");
        if (s->tied)
            text_printf(out, "; %d left as %s, being read in another way too", s->tied,
                        s->tied == 1 ? "it is" : "they are");
        text_puts(out, "\n");
    }
}

void report_weights(const Layout *y, Checkpoint *ck, Text *out)
{
    Report r = {.y = y, .ck = ck, .out = out};
    int64_t bytes = 0, plain = 0, weights = 0;
    int others = 0;
    put_steps(y->prog->module, out);
    for (int i = 0; i < y->tensors.n; i++) {
        const Placed *t = y->tensors.p[i];
        if (t->packed->format == FORMAT_plain) {
            plain += t->bytes;
            others++;
            continue;
        }
        if (bytes == 0)
            text_printf(out, "\nmatrices\n  %-9s %-14s %12s  %8s  %s\n", "format",
                        "shape", "bytes", "error", "name");
        bytes += t->bytes;
        weights += t->size.n * t->size.k;
        put_line_apart(&r, t, put_line);
    }
    if (weights > 0)
        text_printf(out,
                    "  %" PRId64 " bytes, %.2f bits a weight; %" PRId64
                    " of %d other constants\n",
                    bytes, 8 * (double)bytes / (double)weights, plain, others);
}

void report_weights_json(const Layout *y, Checkpoint *ck, Text *out)
{
    Report r = {.y = y, .ck = ck, .out = out};
    const char *sep = "\n";
    text_puts(out, ",\n  \"matrices\": [");
    for (int i = 0; i < y->tensors.n; i++) {
        if (y->tensors.p[i]->packed->format == FORMAT_plain)
            continue;
        text_puts(out, sep);
        put_line_apart(&r, y->tensors.p[i], put_json);
        sep = ",\n";
    }
    text_puts(out, "]");
}

// ---- memory ----------------------------------------------------------------------------

static double memory_ratio(const Prog *p)
{
    return p->least_scratch ? (double)p->scratch_bytes / (double)p->least_scratch : 1;
}

void report_memory(const Layout *y, Text *out)
{
    const Prog *p = y->prog;
    text_printf(out,
                "\nmemory of the emitted program, bytes\n"
                "  packed weights  %" PRId64 "\n"
                "  state           %" PRId64 "\n"
                "  scratch         %" PRId64 " at the bounds, %" PRId64
                " more for each further thread\n"
                "  least scratch   %" PRId64
                ", the most that lives at one place; ratio %.3f\n",
                y->file_bytes, p->state_bytes, p->scratch_bytes, p->work_bytes,
                p->least_scratch, memory_ratio(p));
}

void report_memory_json(const Layout *y, Text *out)
{
    const Prog *p = y->prog;
    text_printf(out,
                ",\n  \"memory\": {\"packed_bytes\": %" PRId64
                ", \"state_bytes\": %" PRId64 ",\n    \"scratch_bytes\": %" PRId64
                ", \"thread_bytes\": %" PRId64
                ",\n    \"least_scratch_bytes\": %" PRId64 ", \"scratch_ratio\": %.3f}",
                y->file_bytes, p->state_bytes, p->scratch_bytes, p->work_bytes,
                p->least_scratch, memory_ratio(p));
}
