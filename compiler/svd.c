// svd.c - singular values and factors by the symmetric eigenproblem.
//
// Householder reflections make the Gram matrix tridiagonal, then QL steps with implicit
// shifts make it diagonal; the reflections and rotations multiplied are its eigenvectors.
// Source: Golub and Van Loan, "Matrix Computations", 8.3; Wilkinson and Reinsch 1971, II/2
// and II/4.

#include "svd.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { KEEP_BYTES = 64 << 20, MAX_STEPS = 64 };

// ---- the eigenproblem ------------------------------------------------------------------

// a[n][n] symmetric becomes Q with Q' a Q tridiagonal: diagonal d, below it e[1..].
static void tridiagonal(double *a, int64_t n, double *d, double *e)
{
    for (int64_t i = n - 1; i > 0; i--) {
        double *x = a + i * n, norm = 0;
        for (int64_t k = 0; k < i; k++)
            norm += x[k] * x[k];
        double rest = norm - x[i - 1] * x[i - 1];
        d[i] = 0;
        e[i] = x[i - 1];
        if (rest <= 0)
            continue;
        double root = x[i - 1] > 0 ? -sqrt(norm) : sqrt(norm);
        double h = norm - x[i - 1] * root;  // |u|^2 / 2
        e[i] = root;
        x[i - 1] -= root;
        d[i] = h;
        double *p = e, dot = 0;  // a u / h in the part of e that is not set yet
        for (int64_t j = 0; j < i; j++)
            p[j] = 0;
        for (int64_t j = 0; j < i; j++) {
            const double *row = a + j * n;
            double sum = row[j] * x[j];
            for (int64_t k = 0; k < j; k++) {
                sum += row[k] * x[k];
                p[k] += row[k] * x[j];
            }
            p[j] += sum;
        }
        for (int64_t j = 0; j < i; j++) {
            p[j] /= h;
            dot += p[j] * x[j];
        }
        for (int64_t j = 0; j < i; j++)
            p[j] -= dot / (2 * h) * x[j];
        for (int64_t j = 0; j < i; j++)
            for (int64_t k = 0; k <= j; k++)
                a[j * n + k] -= x[j] * p[k] + p[j] * x[k];
    }
    d[0] = e[0] = 0;
}

// From the reflections in the rows of a, and h in d: Q in a and the diagonal in d.
static void gather_reflections(double *a, int64_t n, double *d, double *row)
{
    for (int64_t i = 0; i < n; i++) {
        const double *u = a + i * n;
        if (i > 0 && d[i] != 0) {
            memset(row, 0, (size_t)i * sizeof *row);
            for (int64_t k = 0; k < i; k++)
                for (int64_t j = 0; j < i; j++)
                    row[j] += u[k] * a[k * n + j];
            for (int64_t k = 0; k < i; k++)
                for (int64_t j = 0; j < i; j++)
                    a[k * n + j] -= u[k] / d[i] * row[j];
        }
        d[i] = a[i * n + i];
        for (int64_t k = 0; k < i; k++)
            a[i * n + k] = a[k * n + i] = 0;
        a[i * n + i] = 1;
    }
}

// Columns i and i + 1 of Q, which lie as rows of its transpose.
static void rotate(double *q, int64_t n, int64_t i, double c, double s)
{
    double *x = q + i * n, *y = x + n;
    for (int64_t k = 0; k < n; k++) {
        double z = y[k];
        y[k] = s * x[k] + c * z;
        x[k] = c * x[k] - s * z;
    }
}

// One QL step on rows l..m of the tridiagonal matrix.
static void ql_step(double *d, double *e, double *q, int64_t n, int64_t l, int64_t m)
{
    double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1);
    g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
    double s = 1, c = 1, p = 0;
    for (int64_t i = m - 1; i >= l; i--) {
        double f = s * e[i], b = c * e[i];
        r = hypot(f, g);
        e[i + 1] = r;
        if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        rotate(q, n, i, c, s);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

// d, e to eigenvalues in d; q[i] (a row) goes along with d[i].
static void diagonal(double *d, double *e, double *q, int64_t n)
{
    memmove(e, e + 1, (size_t)(n - 1) * sizeof *e);
    e[n - 1] = 0;
    for (int64_t l = 0; l < n; l++)
        for (int step = 0; step < MAX_STEPS; step++) {
            int64_t m = l;
            while (m + 1 < n &&
                   fabs(e[m]) > DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])))
                m++;
            if (m == l)
                break;
            ql_step(d, e, q, n, l, m);
        }
}

static void transpose(double *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < i; k++) {
            double x = a[i * n + k];
            a[i * n + k] = a[k * n + i];
            a[k * n + i] = x;
        }
}

// ---- singular values -------------------------------------------------------------------

typedef struct Eigen {
    int64_t n;
    double *value;   // >= 0, falling
    double *vector;  // row i belongs to value i
} Eigen;

// x[rows][n]: x' x.
static double *gram(Arena *a, const double *x, int64_t rows, int64_t n)
{
    double *g = NEWN(a, double, n *n);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) {
            double xi = x[r * n + i], *to = g + i * n;
            for (int64_t k = 0; k <= i && xi != 0; k++)
                to[k] += xi * x[r * n + k];
        }
    return g;
}

static void sort_falling(Eigen *e)
{
    for (int64_t i = 0; i < e->n; i++) {
        int64_t best = i;
        for (int64_t k = i + 1; k < e->n; k++)
            best = e->value[k] > e->value[best] ? k : best;
        double v = e->value[i];
        e->value[i] = fmax(e->value[best], 0);
        e->value[best] = v;
        for (int64_t k = 0; best != i && k < e->n; k++) {
            double x = e->vector[i * e->n + k];
            e->vector[i * e->n + k] = e->vector[best * e->n + k];
            e->vector[best * e->n + k] = x;
        }
        if (best == i)
            e->value[i] = fmax(v, 0);
    }
}

// Of the smaller Gram matrix of w[n][k]; *tall: it is w' w.
static Eigen eigen_of(Arena *a, const double *w, int64_t n, int64_t k, bool *tall)
{
    *tall = n >= k;
    const double *x = w;
    if (!*tall) {
        double *t = NEWN(a, double, n *k);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < k; j++)
                t[j * n + i] = w[i * k + j];
        x = t;
    }
    Eigen e = {.n = *tall ? k : n};
    e.value = NEWN(a, double, e.n + 1);
    e.vector = gram(a, x, *tall ? n : k, e.n);
    double *below = NEWN(a, double, e.n + 1);
    if (e.n > 0) {
        tridiagonal(e.vector, e.n, e.value, below);
        gather_reflections(e.vector, e.n, e.value, NEWN(a, double, e.n));
        transpose(e.vector, e.n);
        diagonal(e.value, below, e.vector, e.n);
        sort_falling(&e);
    }
    return e;
}

void svd_values(Arena *scratch, const double *w, int64_t n, int64_t k, double *s)
{
    bool tall;
    Eigen e = eigen_of(scratch, w, n, k, &tall);
    for (int64_t i = 0; i < e.n; i++)
        s[i] = sqrt(e.value[i]);
}

// ---- factors ---------------------------------------------------------------------------

// w times the vector of component r, over the root of its singular value.
static void factor_left(const double *w, int64_t n, int64_t k, const double *v,
                        double root, double *left, int64_t step)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < k; j++)
            sum += w[i * k + j] * v[j];
        left[i * step] = root > 0 ? sum / root : 0;
    }
}

static void factor_right(const double *w, int64_t n, int64_t k, const double *u,
                         double root, double *right)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++)
            right[j] += root > 0 ? u[i] * w[i * k + j] / root : 0;
}

static void fill(Factors *f, Arena *scratch, const double *w, int64_t n, int64_t k)
{
    bool tall;
    Eigen e = eigen_of(scratch, w, n, k, &tall);
    for (int64_t r = 0; r < f->rank; r++) {
        const double *x = e.vector + r * e.n;
        double root = sqrt(sqrt(e.value[r]));
        for (int64_t j = 0; tall && j < k; j++)
            f->right[r * k + j] = root * x[j];
        for (int64_t i = 0; !tall && i < n; i++)
            f->left[i * f->rank + r] = root * x[i];
        if (tall)
            factor_left(w, n, k, x, root, f->left + r, f->rank);
        else
            factor_right(w, n, k, x, root, f->right + r * k);
    }
}

const Factors *svd_factors(Module *m, Arena *scratch, const double *w, int64_t n,
                           int64_t k, int64_t rank)
{
    size_t bytes = (size_t)((n + k) * rank) * sizeof(double);
    uint64_t hash = hash_bytes(w, (size_t)(n * k) * sizeof *w);
    const char *key =
        arena_printf(scratch, "%016llx %lld %lld %lld", (unsigned long long)hash,
                     (long long)n, (long long)k, (long long)rank);
    if (!m->svds)
        m->svds = map_new(m->arena);
    Factors *f = map_get(m->svds, key);
    if (f)
        return f;
    bool keep = m->svd_bytes + bytes <= KEEP_BYTES;
    Arena *a = keep ? m->arena : scratch;
    f = NEW(a, Factors);
    f->rank = rank;
    f->left = NEWN(a, double, n *rank);
    f->right = NEWN(a, double, rank *k);
    fill(f, scratch, w, n, k);
    if (keep) {
        m->svd_bytes += bytes;
        map_set(m->svds, key, f);
    }
    return f;
}
