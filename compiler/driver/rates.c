// rates.c - times the runtime's own kernels, one of each format, for format_cost.
//
// A square matrix is multiplied again and again, from cache; then many copies of it in turns,
// as many as the program has weights. With a quarter of its columns, or of its rows, what x
// and y take is told from what weights take.

#include "rates.h"

#include "cc.h"
#include "compiler/runtime_text.h"
#include "compiler/stages.h"
#include "compiler/tune.h"
#include "random.h"
#include "spawn.h"
#include "timed.h"

#include <dlfcn.h>
#include <math.h>
#include <string.h>

enum { SIDE = 384, PART = SIDE / 4 };  // of matrices that a second-level cache holds
enum { MIN_TIMES = 7, MAX_TIMES = 500 };
static const double ENOUGH_NS = 2e6;  // of calls, for a median
static const double WARM_NS = 5e7;    // of passes over all copies
enum { MANY = FORMAT_MANY, Y_FLOATS = MANY * SIDE, MOST_Y = 4 << 20 };
static const int64_t MOST_BYTES = (int64_t)256 << 20;

typedef void Kernel(const struct tfx_par *par, float *y, const float *x, const void *w,
                    ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float *work);

typedef struct Rater {
    Arena *arena, *scratch;  // scratch: as long as one format
    Job *job;
    const struct tfx_par *par;
    void *kernels;  // the shared object of the kernels
    float *w, *x, *work;
    float *y;         // of several calls
    int64_t ny, now;  // how many; the next
    int64_t weights;  // of the program
} Rater;

// ---- the kernels as C --------------------------------------------------------------------

static void put_kernel(Text *t, const char *name, Format f, const char *epilogue)
{
    const FormatInfo *i = &format_info[f];
    text_printf(t,
                "\n#define TFX_LINEAR linear_%s\n#define TFX_WEIGHT %s\n"
                "#define TFX_EPILOGUE(a) %s\n#include \"tfx_rt.h\"\n",
                name, i->kernel, epilogue);
    text_printf(
        t,
        "void tfx_rate_%s(const tfx_par *par, float *y, const float *x, const "
        "void *w,\n    ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float *work)\n"
        "{\n    (void)work;\n    linear_%s(par, y, n, x, k, w, m, n, k%s);\n}\n",
        name, name, i->work == WORK_none ? "" : ", work");
}

static void put_source(const Rater *r, const bool *wanted, Text *t)
{
    text_puts(t, "#include <math.h>\n#include <string.h>\n");
    if (settings_have_tiles(r->job->set))
        text_puts(t, "#define TFX_AMX 1\n");
    if (r->job->tune)
        text_puts(t, tune_defines(r->job->tune, r->arena));
    text_puts(t, "#include \"tfx_rt.h\"\n#include \"tfx_rt_q.h\"\n");
    put_kernel(t, "function", FORMAT_f32, "TFX_ERF(a)");
    for (int i = FORMAT_plain + 1; i < FORMAT_COUNT; i++)
        if (wanted[i] || i == FORMAT_f32)
            put_kernel(t, format_info[i].name, (Format)i, "(a)");
}

static bool write_file(const Rater *r, const char *folder, const char *name,
                       void (*make)(Text *out))
{
    Text t;
    text_init(&t, r->arena);
    make(&t);
    return job_write(r->job, arena_printf(r->arena, "%s/%s", folder, name), t.p, t.n);
}

static bool build_kernels(Rater *r, const char *folder, const bool *wanted)
{
    Text source, log;
    StrList sources = {0};
    Diag *d = r->job->diag;
    const char *path = arena_printf(r->arena, "%s/tfx_rates.c", folder);
    const char *library = arena_printf(r->arena, "%s/rates.so", folder);
    text_init(&source, r->arena);
    text_init(&log, r->arena);
    put_source(r, wanted, &source);
    vec_push(r->arena, &sources, path);
    if (!write_file(r, folder, "tfx_rt.h", runtime_header) ||
        !write_file(r, folder, "tfx_rt_q.h", runtime_packed_header) ||
        !write_file(r, folder, "tfx_rt_amx.h", runtime_tiles_header) ||
        !job_write(r->job, path, source.p, source.n))
        return false;
    if (!cc_shared(r->arena, &sources, r->job->set, folder, library, &log)) {
        text_puts(&r->job->notes, log.p);
        diag_error(d, (Loc){0, 0}, E0812, "the C compiler failed");
        return false;
    }
    r->kernels = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!r->kernels)
        diag_error(d, (Loc){0, 0}, E0813, "%s", dlerror());
    return r->kernels != NULL;
}

static Kernel *kernel_of(const Rater *r, const char *name)
{
    Kernel *k;
    *(void **)&k = dlsym(r->kernels, arena_printf(r->arena, "tfx_rate_%s", name));
    if (!k)
        bug("no kernel %s was built", name);
    return k;
}

// ---- a matrix of a format ----------------------------------------------------------------

typedef struct Packing {
    const float *w;
    int64_t k, n;  // columns; bytes so far
    unsigned char *bytes;
} Packing;

static const float *rows_of(void *ctx, int64_t first, int64_t n)
{
    const Packing *p = ctx;
    (void)n;
    return p->w + first * p->k;
}

static bool put_bytes(void *ctx, const void *bytes, int64_t n)
{
    Packing *p = ctx;
    memcpy(p->bytes + p->n, bytes, (size_t)n);
    p->n += n;
    return true;
}

static const void *packed(Rater *r, Format f, const FormatSize *w)
{
    const FormatInfo *i = &format_info[f];
    Packing p = {.w = r->w, .k = w->k, .bytes = fenced(r->arena, (size_t)i->bytes(w))};
    FormatIo io = {rows_of, put_bytes, &p, r->arena};
    if (!i->pack(w, &io))
        bug("%s packs nothing", i->name);
    return p.bytes;
}

// As many as the program has, at least one.
static int64_t fit(int64_t n, int64_t most)
{
    return n < 1 ? 1 : n < most ? n : most;
}

// A matrix, or many of the same one behind each other.
typedef struct Matrix {
    FormatSize size;
    const unsigned char *bytes;
    int64_t step, copies, now;
} Matrix;

static Matrix matrix(Rater *r, Format f, int64_t n, int64_t k)
{
    const FormatSize w = {n, k, format_blocks(n, k)};
    return (Matrix){.size = w, .bytes = packed(r, f, &w), .copies = 1};
}

static Matrix copies_of(Rater *r, Format f, const Matrix *one)
{
    const int64_t bytes = format_info[f].bytes(&one->size);
    const int64_t step = (bytes + 63) / 64 * 64;
    const int64_t n = fit(r->weights / ((int64_t)SIDE * SIDE), MOST_BYTES / step);
    unsigned char *all = fenced(r->scratch, (size_t)(n * step));
    for (int64_t i = 0; i < n; i++)
        memcpy(all + i * step, one->bytes, (size_t)bytes);
    return (Matrix){one->size, all, step, n, 0};
}

// ---- times -------------------------------------------------------------------------------

// x is what a program has just written; y lies in as much memory as it has scratch.
static double time_call(Rater *r, Kernel *kernel, Matrix *w, int64_t m)
{
    float *y = r->y + r->now++ % r->ny * Y_FLOATS;
    const void *bytes = w->bytes + w->now++ % w->copies * w->step;
    double start = now_ns();
    kernel(r->par, y, r->x, bytes, m, w->size.n, w->size.k, r->work);
    return now_ns() - start;
}

// Median nanoseconds of a call.
static double time_of(Rater *r, Kernel *kernel, Matrix *w, int64_t m)
{
    double took[MAX_TIMES], total = 0;
    int times = 0;
    time_call(r, kernel, w, m);
    while (times < MIN_TIMES || (times < MAX_TIMES && total < ENOUGH_NS)) {
        took[times] = time_call(r, kernel, w, m);
        total += took[times++];
    }
    return median_of(took, times);
}

// All of the copies are read with one row first, until they lie where they will when a
// program is called often: large caches keep what has come before.
static void measure_wait(Rater *r, Format format, const Matrix *one, const double *near,
                         FormatRates *f)
{
    Matrix w = copies_of(r, format, one);
    Kernel *kernel = kernel_of(r, format_info[format].name);
    for (double start = now_ns(); now_ns() - start < WARM_NS;)
        for (int64_t i = 0; i < w.copies; i++)
            time_call(r, kernel, &w, 1);
    for (int i = 0; i < FORMAT_ROWS; i++) {
        double far = time_of(r, kernel, &w, format_rows[i]);
        f->wait[i] =
            fmax(far - near[i], 0) / (double)format_info[format].bytes(&w.size);
    }
}

static void measure(Rater *r, Format format, FormatRates *f)
{
    const FormatInfo *info = &format_info[format];
    Kernel *kernel = kernel_of(r, info->name);
    Matrix narrow = matrix(r, format, PART, SIDE), flat = matrix(r, format, SIDE, PART);
    Matrix whole = matrix(r, format, SIDE, SIDE);
    double near[FORMAT_ROWS];
    for (int i = 0; i < FORMAT_ROWS; i++)
        near[i] = time_of(r, kernel, &whole, format_rows[i]);
    double part = near[FORMAT_ROWS - 1] * PART / SIDE;
    f->x = fmax(time_of(r, kernel, &narrow, MANY) - part, 0) / (MANY * (SIDE - PART));
    f->y = fmax(time_of(r, kernel, &flat, MANY) - part, 0) / (MANY * (SIDE - PART));
    double weights = info->cost(&whole.size, 1, &(FormatRates){.weight = {1, 1, 1}});
    for (int i = 0; i < FORMAT_ROWS; i++) {
        double others = (double)format_rows[i] * SIDE * (f->x + f->y);
        double rest = fmax(near[i] - others, near[i] / 8);  // noise may not end it
        f->weight[i] = rest / weights;
    }
    measure_wait(r, format, &whole, near, f);
}

// Copies are large: those of a format go before the next.
static void measure_apart(Rater *r, Format format, FormatRates *f)
{
    Guard g;
    r->scratch = arena_new();
    if (GUARD_SET(&g)) {
        arena_free(r->scratch);
        guard_again(&g);
    }
    measure(r, format, f);
    guard_drop(&g);
    arena_free(r->scratch);
}

// What one of the functions of an epilogue adds.
static double time_function(Rater *r)
{
    Matrix flat = matrix(r, FORMAT_f32, SIDE, PART);
    double with = time_of(r, kernel_of(r, "function"), &flat, MANY);
    double without = time_of(r, kernel_of(r, "f32"), &flat, MANY);
    return fmax(with - without, 0) / (MANY * SIDE);
}

// Processors are slower with numbers that have all of their bits than with round ones.
static void fill(float *to, int64_t n, Random *random)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)(2 * random_unit(random) - 1);
}

static float *floats(Arena *a, int64_t n)
{
    void *raw = fenced(a, sizeof(float) * (size_t)n);
    return raw;
}

static void measure_all(Rater *r, Rates *rates, const bool *wanted)
{
    Random random = {1};
    r->w = floats(r->arena, (int64_t)SIDE * SIDE);
    r->x = floats(r->arena, Y_FLOATS);
    r->ny = fit(r->job->prog->scratch_bytes / 4 / Y_FLOATS, MOST_Y / Y_FLOATS);
    r->y = floats(r->arena, r->ny * Y_FLOATS);
    r->work = floats(r->arena, (int64_t)MANY * (SIDE + 64));
    fill(r->w, (int64_t)SIDE * SIDE, &random);
    fill(r->x, Y_FLOATS, &random);
    rates->function = time_function(r);
    for (int i = FORMAT_plain + 1; i < FORMAT_COUNT; i++)
        if (wanted[i])
            measure_apart(r, (Format)i, &rates->of[i]);
}

bool rates_measure(Rates *rates, struct Job *job, const bool wanted[FORMAT_COUNT],
                   int64_t weights, const struct tfx_par *par)
{
    Guard g;
    const char *why = NULL;
    Arena *arena = arena_new();
    const char *folder = temp_folder(arena, &why);
    Rater r = {.arena = arena, .job = job, .par = par, .weights = weights};
    volatile bool ok = false;
    *rates = (Rates){.function = 0};
    if (!folder) {
        diag_error(job->diag, (Loc){0, 0}, E0801, "%s", why);
        arena_free(arena);
        return false;
    }
    if (GUARD_SET(&g)) {
        temp_remove(arena, folder);
        arena_free(arena);
        guard_again(&g);
    }
    ok = build_kernels(&r, folder, wanted);
    if (ok)
        measure_all(&r, rates, wanted);
    guard_drop(&g);
    if (r.kernels)
        dlclose(r.kernels);
    temp_remove(arena, folder);
    arena_free(arena);
    return ok;
}
