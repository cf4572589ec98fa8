// pack.c - constants into the layout that kernels read, a tile at a time.
//
// A panel is 48 columns of w' and needs 48 rows of w: those are read, put into
// the format and written, so that a weight of any size passes through a few megabytes. Constants that are
// more than rows of checkpoint tensors one after the other are evaluated by the oracle.

#include "compiler/layout.h"

#include <stdlib.h>
#include <string.h>

enum { TILE_BYTES = 1 << 21, TILE = 4096 };

// ---- elements of a constant, in the storage type ------------------------------------

// Elements, in row-major order, that lie in a checkpoint tensor as they are, or in memory.
typedef struct Piece {
    const CkptTensor *tensor;  // NULL: data
    const double *data;
    int64_t first, count;
} Piece;

typedef struct Source {
    Layout *y;
    Checkpoint *ck;
    Diag *d;
    Arena *arena;  // scratch of this tensor
    const Placed *t;
    VEC(Piece) pieces;
    StType type;    // how it is stored
    int64_t bytes;  // of an element
} Source;

static bool read_weight(void *ctx, const char *name, int64_t n, double *out)
{
    Checkpoint *ck = ctx;
    const CkptTensor *t = ck ? ckpt_find(ck, name) : NULL;
    return t && t->count == n && ckpt_read_f64(ck, t, 0, n, out);
}

static const CkptTensor *plain_weight(Source *s, const Value *v)
{
    const Module *m = s->y->prog->module;
    if (v->op != OP_weight || !s->ck)
        return NULL;
    const Weight *w = value_weight(m, v);
    for (int k = 0; w && k < w->type.rank; k++)
        if (w->stored[k] != k)
            return NULL;
    const char *name = attr_str(v, "path", "");
    for (int i = 0; i < s->t->nturns; i++)
        name = path_at(s->arena, name, s->t->turn[i].index, s->t->turn[i].turn);
    return ckpt_find(s->ck, name);
}

static int64_t count_of(const Source *s, const Value *v)
{
    int64_t n = 1;
    for (int i = 0; i < v->type.rank; i++)
        n *= size_eval_at(v->type.dim[i].size, NULL, s->t->nturns, s->t->turn);
    return n;
}

static bool add_piece(Source *s, const Value *v, int64_t *first)
{
    if (v->op == OP_reshape || (v->op == OP_concat && attr_int(v, "axis", 0) == 0)) {
        for (int i = 0; i < v->nin; i++)
            if (!add_piece(s, v->in[i], first))
                return false;
        return true;
    }
    Piece piece = {.first = *first, .count = count_of(s, v)};
    const CkptTensor *t = plain_weight(s, v);
    if (t) {
        piece.tensor = t;
    } else {
        Tensor out;
        WeightSource from = {read_weight, s->ck};
        const char *why;
        if (!oracle_const(s->arena, s->y->prog->module, from, v, s->t->nturns,
                          s->t->turn, &out, &why)) {
            diag_error(s->d, v->loc, E0811, "the constant `%s` cannot be computed: %s",
                       s->t->name, why);
            return false;
        }
        piece.data = out.data;
    }
    vec_push(s->arena, &s->pieces, piece);
    *first += piece.count;
    return true;
}

// n elements of a piece from the first-th on.
static bool read_piece(Source *s, const Piece *p, int64_t first, int64_t n,
                       unsigned char *out)
{
    float x[TILE];
    if (p->tensor && p->tensor->type == s->type)
        return ckpt_read(s->ck, p->tensor, first, n, out);
    for (int64_t at = 0; at < n; at += TILE) {
        int64_t k = n - at < TILE ? n - at : TILE;
        if (p->tensor && !ckpt_read_f32(s->ck, p->tensor, first + at, k, x))
            return false;
        for (int64_t i = 0; !p->tensor && i < k; i++)
            x[i] = (float)p->data[first + at + i];
        convert_from_f32(s->type, x, k, out + at * s->bytes);
    }
    return true;
}

// Elements [first, first + n) as they are stored.
static bool read_elems(Source *s, int64_t first, int64_t n, unsigned char *out)
{
    for (int i = 0; i < s->pieces.n && n > 0; i++) {
        const Piece *p = &s->pieces.p[i];
        int64_t at = first - p->first;
        if (at < 0 || at >= p->count)
            continue;
        int64_t take = p->count - at < n ? p->count - at : n;
        if (!read_piece(s, p, at, take, out))
            return false;
        out += take * s->bytes;
        first += take;
        n -= take;
    }
    return n == 0;
}

// ---- sinks --------------------------------------------------------------------------

typedef struct Sink {
    PackSink *put;
    void *ctx;
    Layout *y;
    bool failed;  // the sink, which reports that itself
} Sink;

static bool put(Sink *k, const void *bytes, size_t n)
{
    k->y->sum = pack_sum(k->y->sum, bytes, n);
    k->failed = k->failed || !k->put(k->ctx, bytes, n);
    return !k->failed;
}

// Tiles are multiples of 8 bytes except at the end of a tensor, where zeros fill up.
uint64_t pack_sum(uint64_t sum, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t word = 0;
        memcpy(&word, p + i, n - i < 8 ? n - i : 8);  // a little-endian machine
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    return sum;
}

// ---- formats ------------------------------------------------------------------------

static bool put_zeros(Sink *sink, int64_t n)
{
    static const unsigned char zeros[64];
    for (; n > 0; n -= COUNT(zeros))
        if (!put(sink, zeros, (size_t)(n < COUNT(zeros) ? n : COUNT(zeros))))
            return false;
    return true;
}

typedef struct Matrix {
    Source *source;
    Sink *sink;
    float *rows;
    int64_t left;  // bytes still to be put
} Matrix;

static const float *matrix_rows(void *ctx, int64_t first, int64_t n)
{
    Matrix *m = ctx;
    int64_t k = m->source->t->size.k;
    bool ok = read_elems(m->source, first * k, n * k, (unsigned char *)m->rows);
    return ok ? m->rows : NULL;
}

static bool matrix_put(void *ctx, const void *bytes, int64_t n)
{
    Matrix *m = ctx;
    m->left -= n;
    if (m->left < 0)
        bug("%s takes more bytes than its format says", m->source->t->name);
    return put(m->sink, bytes, (size_t)n);
}

static bool pack_matrix(Source *s, Sink *sink)
{
    const Packed *p = s->t->packed;
    float *rows = NEWN(s->arena, float, FORMAT_PANEL * s->t->size.k);
    Matrix m = {s, sink, rows, s->t->bytes};
    FormatIo io = {matrix_rows, matrix_put, &m, s->arena};
    return format_info[p->format].pack(&s->t->size, &io) && put_zeros(sink, m.left);
}

static bool pack_ints(Source *s, Sink *sink)
{
    int64_t n = s->t->count;
    Tensor out;
    WeightSource from = {read_weight, s->ck};
    if (!oracle_const(s->arena, s->y->prog->module, from, s->t->packed->value,
                      s->t->nturns, s->t->turn, &out, NULL))
        return false;
    int32_t *tile = NEWN(s->arena, int32_t, n + 1);
    for (int64_t i = 0; i < n; i++)
        tile[i] = (int32_t)out.data[i];
    return put(sink, tile, (size_t)n * 4);
}

static bool pack_plain(Source *s, Sink *sink)
{
    const Packed *p = s->t->packed;
    if (dtype_info[p->storage].kind != DK_FLOAT)
        return pack_ints(s, sink);
    int64_t step = TILE_BYTES / s->bytes;
    step = s->t->count < step ? s->t->count : step;
    unsigned char *tile = arena_alloc(s->arena, (size_t)(step * s->bytes));
    for (int64_t at = 0; at < s->t->count; at += step) {
        int64_t n = s->t->count - at < step ? s->t->count - at : step;
        if (!read_elems(s, at, n, tile) || !put(sink, tile, (size_t)(n * s->bytes)))
            return false;
    }
    return true;
}

static bool pack_tensor(Layout *y, Checkpoint *ck, Diag *d, const Placed *t, Sink *sink)
{
    const Packed *p = t->packed;
    Source s = {.y = y, .ck = ck, .d = d, .arena = arena_new(), .t = t};
    bool panels = p->format != FORMAT_plain;
    s.type = panels ? ST_F32 : st_of(p->storage);
    s.bytes = st_info[s.type].bytes;
    int64_t first = 0;
    bool ok = true;
    if (t->count > 0 && (panels || dtype_info[p->storage].kind == DK_FLOAT))
        ok = add_piece(&s, p->value, &first);
    if (ok && t->count > 0)
        ok = panels ? pack_matrix(&s, sink) : pack_plain(&s, sink);
    if (!ok && !sink->failed && !diag_errors(d))
        diag_error(d, p->value->loc, E0811, "the constant `%s` cannot be read",
                   t->name);
    arena_free(s.arena);
    return ok;
}

// ---- the file -----------------------------------------------------------------------

// The zeros between a tensor and the next one count, as whoever checks a file sees them.
static void sum_filler(Layout *y, int i)
{
    static const uint64_t zero = 0;
    const Placed *t = y->tensors.p[i];
    if (i + 1 == y->tensors.n)
        return;
    int64_t next = y->tensors.p[i + 1]->offset;
    for (int64_t at = t->offset + (t->bytes + 7) / 8 * 8; at < next; at += 8)
        y->sum = pack_sum(y->sum, &zero, 8);
}

static bool pack_all(Layout *y, Checkpoint *ck, Diag *d, Sink *sink)
{
    y->sum = 0;
    for (int i = 0; i < y->tensors.n; i++) {
        diag_progress(d, "packing, tensor %d of %d: %s", i + 1, y->tensors.n,
                      y->tensors.p[i]->name);
        if (!pack_tensor(y, ck, d, y->tensors.p[i], sink))
            return false;
        sum_filler(y, i);
    }
    y->summed = true;
    return true;
}

static bool put_file(void *ctx, const void *bytes, size_t n)
{
    return stw_put(ctx, bytes, (int64_t)n);
}

bool pack_begin(Layout *y, Checkpoint *ck, Diag *d)
{
    if (!stw_begin(y->writer, ck))
        return false;
    Sink sink = {put_file, y->writer, y, false};
    if (pack_all(y, ck, d, &sink))
        return true;
    if (sink.failed)
        stw_end(y->writer);  // says why
    else
        stw_drop(y->writer);
    return false;
}

bool pack_commit(Layout *y)
{
    return stw_end(y->writer);
}

void pack_drop(Layout *y)
{
    stw_drop(y->writer);
}

// ---- into memory: the payload with its fillers, as the file has it ------------------

typedef struct Gap {
    PackSink *put;
    void *ctx;
    int64_t at;
} Gap;

static bool put_at(Gap *g, int64_t offset)
{
    static const char zeros[64];
    for (; g->at < offset; g->at++)
        if (!g->put(g->ctx, zeros, 1))
            return false;
    return true;
}

static bool put_gap(void *ctx, const void *bytes, size_t n)
{
    Gap *g = ctx;
    g->at += (int64_t)n;
    return g->put(g->ctx, bytes, n);
}

bool pack_to(Layout *y, Checkpoint *ck, Diag *d, PackSink *sink, void *ctx)
{
    Gap gap = {sink, ctx, 0};
    Sink to = {put_gap, &gap, y, false};
    y->sum = 0;
    if (!put_gap(&gap, y->header, y->header_bytes))
        return false;
    for (int i = 0; i < y->tensors.n; i++) {
        if (!put_at(&gap, y->tensors.p[i]->offset) ||
            !pack_tensor(y, ck, d, y->tensors.p[i], &to))
            return false;
        sum_filler(y, i);
    }
    y->summed = true;
    return put_at(&gap, y->file_bytes);
}
