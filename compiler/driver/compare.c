// compare.c - two tensors, and the table of a verification.

#include "verify.h"

#include "passes/format.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void note_rounding(Value *v, void *ctx)
{
    Format f;
    if (v->op == OP_linear && format_find(attr_str(v, "format", ""), &f))
        *(bool *)ctx = *(bool *)ctx || format_info[f].rounds_x != ROUNDS_none;
}

bool rounds_activations(const Job *job)
{
    bool rounds = false;
    for (int i = 0; i < job->module->graphs.n; i++)
        graph_walk(job->module->graphs.p[i], note_rounding, &rounds);
    return rounds;
}

Tolerance tolerance_of(const Job *job)
{
    const double contract = CONTRACT, flips = 0.05, mean = 0.01;
    const Settings *s = job->set;
    bool rounds = rounds_activations(job);
    Tolerance t = {.atol = s->atol, .rtol = s->rtol};
    t.atol = t.atol < 0 ? contract : t.atol;
    if (t.rtol < 0) {
        t.rtol = rounds ? flips : contract;
        t.mean = rounds ? mean : 0;
    }
    return t;
}

// The distance of two neighbouring floats at |x|.
static double ulp(double x)
{
    float f = fabsf((float)x);
    if (!isfinite(f))
        return HUGE_VAL;
    return (double)nextafterf(f, INFINITY) - (double)f;
}

static double error_of(double got, double want)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want) ? 0 : HUGE_VAL;
    if (got == want)  // infinities too
        return 0;
    return fabs(got - want);
}

Compared compare_tensors(const Tensor *got, const Tensor *want, const Tensor *rows,
                         Tolerance t)
{
    Compared c = {.ok = true};
    double largest = 0, sum = 0;
    int64_t row = want->rank > 0 && want->dim[0] > 0 ? want->n / want->dim[0] : 1;

    for (int64_t i = 0; i < want->n; i++) {
        int64_t at = rows ? (int64_t)rows->data[i / row] * row + i % row : i;
        double error = error_of(got->data[at], want->data[i]);
        sum += isfinite(error) ? error : 0;
        double ulps = error == 0 ? 0 : error / ulp(want->data[i]);
        if (isfinite(want->data[i]))
            largest = fmax(largest, fabs(want->data[i]));
        c.max_ulp = fmax(c.max_ulp, ulps);
        if (error > c.max_abs || i == 0) {
            c.max_abs = error;
            c.worst = i;
            c.got = got->data[at];
            c.want = want->data[i];
        }
    }
    bool is_float = dtype_info[got->dtype].kind == DK_FLOAT;
    c.limit = t.most + (is_float ? fmax(t.atol, t.rtol * largest) : 0);
    c.max_rel = largest > 0 ? c.max_abs / largest : c.max_abs;
    c.mean_abs = want->n > 0 ? sum / (double)want->n : 0;
    c.ok = c.max_abs <= c.limit &&
           (t.mean == 0 || c.mean_abs <= t.usual + fmax(t.atol, t.mean * largest));
    return c;
}

static void head(Tally *t)
{
    if (!t->headed)
        text_printf(t->out, "%-10s %-12s %-14s %-14s %10s %10s %10s %10s\n", "case",
                    "entry", "result", "shape", "max abs", "max rel", "max ulp",
                    "limit");
    t->headed = true;
}

void tally_line(Tally *t, const char *name, const char *entry, const char *result,
                const char *shape, const Compared *c)
{
    head(t);
    text_printf(t->out, "%-10s %-12s %-14s %-14s %10.2e %10.2e %10.3g %10.2e  %s\n",
                name, entry, result, shape, c->max_abs, c->max_rel, c->max_ulp,
                c->limit, c->ok ? "ok" : "DIFFERS");
    if (!c->ok)
        text_printf(t->out, "%-10s at element %" PRId64 ": %.9g, expected %.9g\n", "",
                    c->worst, c->got, c->want);
}

void tally_error(Tally *t, const char *name, const char *entry, const char *why)
{
    head(t);
    text_printf(t->out, "%-10s %-12s %s  FAILED\n", name, entry, why);
}
