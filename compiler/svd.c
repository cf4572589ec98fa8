// svd.c - singular values and factors, by LAPACK.
//
// dsyevr finds the largest eigenvalues of the smaller Gram matrix, x' x or x x', and their
// vectors V: those of the singular values only that a rank keeps, where dgesdd would find
// all, at five times the time. The other factor is then w V.
//
// The bits are those of the BLAS in use. OpenBLAS is told to use one thread, so that they
// do not depend on how many there are.

#include "svd.h"

#include <cblas.h>
#include <dlfcn.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { KEEP_BYTES = 64 << 20 };

// ---- threads of the library --------------------------------------------------------------

// Sets how many threads OpenBLAS uses and tells how many it did; 0: another library.
static int set_threads(int n)
{
    int (*get)(void) = NULL;
    void (*set)(int) = NULL;
    void *self = dlopen(NULL, RTLD_LAZY);
    if (!self)
        return 0;
    void *found[2] = {dlsym(self, "openblas_get_num_threads"),
                      dlsym(self, "openblas_set_num_threads")};
    memcpy(&get, &found[0], sizeof get);
    memcpy(&set, &found[1], sizeof set);
    int was = get && set ? get() : 0;
    if (was > 0 && was != n)
        set(n);
    dlclose(self);
    return was;
}

// ---- eigenvalues -------------------------------------------------------------------------

typedef struct Eigen {
    int64_t n;       // of the Gram matrix: the smaller size of w
    bool tall;       // it is w' w, else w w'
    double *value;   // the largest, rising, >= 0
    double *vector;  // row i belongs to value i; NULL: not asked for
} Eigen;

static bool is_finite(const double *w, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(w[i]))
            return false;
    return true;
}

// The `count` largest of w[n][k].
static Eigen eigen_of(Arena *a, const double *w, int64_t n, int64_t k, int64_t count,
                      bool vectors)
{
    Eigen e = {.n = n < k ? n : k, .tall = n >= k};
    const lapack_int size = (lapack_int)e.n, first = (lapack_int)(e.n - count + 1);
    double *gram = NEWN(a, double, e.n *e.n);
    e.value = NEWN(a, double, e.n);
    e.vector = vectors ? NEWN(a, double, count *e.n) : NULL;
    lapack_int *support = NEWN(a, lapack_int, 2 * e.n), found = 0;
    cblas_dsyrk(CblasRowMajor, CblasLower, e.tall ? CblasTrans : CblasNoTrans, size,
                (lapack_int)(e.tall ? n : k), 1, w, (lapack_int)k, 0, gram, size);
    // Lower by rows is upper by columns.
    lapack_int info = LAPACKE_dsyevr(LAPACK_COL_MAJOR, vectors ? 'V' : 'N', 'I', 'U',
                                     size, gram, size, 0, 0, first, size, 0, &found,
                                     e.value, e.vector, size, support);
    if (info != 0 || found != count)
        bug("dsyevr: status %d, %d of %lld eigenvalues", (int)info, (int)found,
            (long long)count);
    for (int64_t i = 0; i < count; i++)
        e.value[i] = fmax(e.value[i], 0);
    return e;
}

bool svd_values(Arena *scratch, const double *w, int64_t n, int64_t k, double *s)
{
    const int64_t count = n < k ? n : k;
    if (!is_finite(w, n * k))
        return false;
    if (count == 0)
        return true;
    int threads = set_threads(1);
    Eigen e = eigen_of(scratch, w, n, k, count, false);
    set_threads(threads);
    for (int64_t i = 0; i < count; i++)
        s[i] = sqrt(e.value[count - 1 - i]);
    return true;
}

// ---- factors -----------------------------------------------------------------------------

// left[n][rank] = w V / root, right = root V'; V has the vectors as columns.
static void fill_tall(Factors *f, const double *w, int n, int k, const double *v,
                      const double *root)
{
    const int rank = (int)f->rank;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, rank, k, 1, w, k, v, k, 0,
                f->left, rank);
    for (int64_t i = 0; i < n; i++)
        for (int64_t r = 0; r < rank; r++)
            f->left[i * rank + r] *= root[r] > 0 ? 1 / root[r] : 0;
    for (int64_t r = 0; r < rank; r++)
        for (int64_t j = 0; j < k; j++)
            f->right[r * k + j] = root[r] * v[r * k + j];
}

// left = root U, right[rank][k] = U' w / root.
static void fill_wide(Factors *f, const double *w, int n, int k, const double *u,
                      const double *root)
{
    const int rank = (int)f->rank;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rank, k, n, 1, u, n, w, k, 0,
                f->right, k);
    for (int64_t r = 0; r < rank; r++)
        for (int64_t j = 0; j < k; j++)
            f->right[r * k + j] *= root[r] > 0 ? 1 / root[r] : 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t r = 0; r < rank; r++)
            f->left[i * rank + r] = root[r] * u[r * n + i];
}

static void fill(Factors *f, Arena *scratch, const double *w, int64_t n, int64_t k)
{
    int threads = set_threads(1);
    Eigen e = eigen_of(scratch, w, n, k, f->rank, true);
    double *root = NEWN(scratch, double, f->rank);
    double *falling = NEWN(scratch, double, f->rank *e.n);
    for (int64_t r = 0; r < f->rank; r++) {
        int64_t from = f->rank - 1 - r;
        root[r] = sqrt(sqrt(e.value[from]));
        memcpy(falling + r * e.n, e.vector + from * e.n, (size_t)e.n * sizeof *falling);
    }
    if (e.tall)
        fill_tall(f, w, (int)n, (int)k, falling, root);
    else
        fill_wide(f, w, (int)n, (int)k, falling, root);
    set_threads(threads);
}

// ---- what is kept ------------------------------------------------------------------------

// Room for factors in the module: their own, or when that is full the one place that the
// next takes over.
static Factors *room_for(Module *m, const char *key, int64_t n, int64_t k, int64_t rank)
{
    const size_t bytes = (size_t)((n + k) * rank) * sizeof(double);
    Factors *f = m->svd_last;
    bool keep = m->svd_bytes + bytes <= KEEP_BYTES;
    if (keep || !f) {
        f = NEW(m->arena, Factors);
        m->svd_bytes += keep ? bytes : 0;
    }
    if (keep)
        map_set(m->svds, key, f);
    else
        m->svd_last = f;
    if (f->room < (n + k) * rank) {
        f->room = (n + k) * rank;
        f->left = NEWN(m->arena, double, f->room);
    }
    f->key = arena_strdup(m->arena, key);
    f->rank = rank;
    f->right = f->left + n * rank;
    return f;
}

const Factors *svd_factors(Module *m, Arena *scratch, const double *w, int64_t n,
                           int64_t k, int64_t rank)
{
    uint64_t hash = hash_bytes(w, (size_t)(n * k) * sizeof *w);
    const char *key =
        arena_printf(scratch, "%016llx %lld %lld %lld", (unsigned long long)hash,
                     (long long)n, (long long)k, (long long)rank);
    if (!m->svds)
        m->svds = map_new(m->arena);
    Factors *f = map_get(m->svds, key);
    if (!f && m->svd_last && !strcmp(m->svd_last->key, key))
        f = m->svd_last;
    if (f || !is_finite(w, n * k))
        return f;
    f = room_for(m, key, n, k, rank);
    fill(f, scratch, w, n, k);
    return f;
}
