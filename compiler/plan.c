// plan.c - memory: an offset for every local, a frame for every function.
//
// A function's locals and the frames of its callees are intervals over its statements. The
// frame is packed greedily, largest first, each at the lowest place where it meets nothing
// that lives at the same time; a second try goes by first use, and the smaller one stays.
// Frames nest: a callee's frame is one block inside its caller's, live during the call.

#include "compiler/loop.h"

#include <string.h>

enum { ALIGN = 64 };

typedef struct Block {
    Buf *buf;
    LStmt *call;
    int first, last;
    int64_t bytes, at;
} Block;
typedef VEC(Block) Blocks;

static int64_t round_up(int64_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

// ---- intervals -----------------------------------------------------------------------------

typedef struct Walk {
    Func *f;
    int now;
    Blocks *blocks;
} Walk;

static void touch(Buf *b, int at)
{
    if (!b || b->kind != BUF_LOCAL)
        return;
    if (b->first < 0 || at < b->first)
        b->first = at;
    if (at > b->last)
        b->last = at;
}

static void touch_expr(LExpr *e, int at)
{
    if (!e)
        return;
    touch(e->buf, at);
    for (int i = 0; i < e->n; i++)
        touch_expr(e->arg[i], at);
}

static void number(Walk *w, const LStmts *body)
{
    for (int i = 0; i < body->n; i++) {
        LStmt *s = body->p[i];
        s->position = w->now++;
        touch(s->buf, s->position);
        touch_expr(s->index, s->position);
        touch_expr(s->value, s->position);
        for (int k = 0; k < s->args.n; k++) {
            touch(s->args.p[k].buf, s->position);
            touch_expr(s->args.p[k].expr, s->position);
        }
        for (int k = 0; k < s->actuals.n; k++)
            touch(s->actuals.p[k], s->position);
        if (s->kind == LS_CALL && s->callee->frame_bytes > 0) {
            Block b = {NULL, s, s->position, s->position, s->callee->frame_bytes, -1};
            vec_push(w->f->prog->arena, w->blocks, b);
        }
        number(w, &s->body);
        s->end = w->now++;
    }
}

// A buffer that is used both in and out of a loop lives through all of the loop.
static void widen(const Func *f, const LStmts *body)
{
    for (int i = 0; i < body->n; i++) {
        const LStmt *s = body->p[i];
        if (s->kind != LS_FOR)
            continue;
        widen(f, &s->body);
        for (int k = 0; k < f->bufs.n; k++) {
            Buf *b = f->bufs.p[k];
            if (b->kind != BUF_LOCAL || b->last < s->position || b->first > s->end)
                continue;
            bool inside = b->first > s->position && b->last < s->end;
            if (!inside) {
                touch(b, s->position);
                touch(b, s->end);
            }
        }
    }
}

// ---- packing -----------------------------------------------------------------------------------

static bool meet(const Block *a, const Block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static void place(Blocks *blocks, int i)
{
    Block *b = &blocks->p[i];
    int64_t at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int k = 0; k < i; k++) {
            const Block *o = &blocks->p[k];
            if (meet(b, o) && at < o->at + o->bytes && o->at < at + b->bytes) {
                at = o->at + o->bytes;
                moved = true;
            }
        }
    }
    b->at = at;
}

static void sort(Blocks *blocks, bool by_size)
{
    for (int i = 1; i < blocks->n; i++) {
        Block b = blocks->p[i];
        int k = i;
        for (; k > 0; k--) {
            const Block *o = &blocks->p[k - 1];
            bool before = by_size ? b.bytes > o->bytes : b.first < o->first;
            if (!before)
                break;
            blocks->p[k] = *o;
        }
        blocks->p[k] = b;
    }
}

static int64_t pack(Blocks *blocks, bool by_size)
{
    int64_t bytes = 0;
    sort(blocks, by_size);
    for (int i = 0; i < blocks->n; i++) {
        place(blocks, i);
        if (blocks->p[i].at + blocks->p[i].bytes > bytes)
            bytes = blocks->p[i].at + blocks->p[i].bytes;
    }
    return bytes;
}

static int64_t most_live(const Blocks *blocks)
{
    int64_t most = 0;
    for (int i = 0; i < blocks->n; i++) {
        int64_t live = 0;
        for (int k = 0; k < blocks->n; k++) {
            const Block *b = &blocks->p[k];
            if (b->first <= blocks->p[i].first && blocks->p[i].first <= b->last)
                live += b->call ? b->call->callee->lower_bound : b->bytes;
        }
        if (live > most)
            most = live;
    }
    return most;
}

// ---- one function --------------------------------------------------------------------------------

static void plan_func(Func *f)
{
    Arena *a = f->prog->arena;
    Blocks blocks = {NULL, 0, 0};
    Walk w = {f, 1, &blocks};
    for (int i = 0; i < f->bufs.n; i++) {
        Buf *b = f->bufs.p[i];
        b->first = b->last = -1;
        int64_t bits = dtype_info[b->dtype].bits;
        b->bytes = size_max_value(b->count) * bits / 8;
    }
    number(&w, &f->body);
    widen(f, &f->body);
    for (int i = 0; i < f->bufs.n; i++) {
        Buf *b = f->bufs.p[i];
        if (b->kind != BUF_LOCAL || b->first < 0)
            continue;
        Block block = {b, NULL, b->first, b->last, round_up(b->bytes), -1};
        vec_push(a, &blocks, block);
    }
    int64_t by_use = pack(&blocks, false);
    int64_t by_size = pack(&blocks, true);
    f->frame_bytes = by_size <= by_use ? by_size : pack(&blocks, false);
    f->lower_bound = most_live(&blocks);
    for (int i = 0; i < blocks.n; i++) {
        const Block *b = &blocks.p[i];
        if (b->buf)
            b->buf->offset = b->at;
        else
            b->call->frame_at = b->at;
    }
    f->uses_scratch = f->frame_bytes > 0;
}

// States stand in the order of the records, the cursor in front of them.
static void place_state(Prog *p, const State *s, const char *path)
{
    for (int i = 0; i < p->states.n; i++)
        if (!strcmp(p->states.p[i].path, path))
            return;
    int64_t n = size_max_value(type_count(p->module->sizes, &s->type));
    StatePlace at = {s, path, p->state_bytes, n * dtype_info[s->type.dtype].bits / 8};
    vec_push(p->arena, &p->states, at);
    p->state_bytes += round_up(at.bytes);
}

static void place_states(Prog *p, const Record *r, int depth, const char *const *index,
                         const int64_t *turn)
{
    for (int i = 0; i < r->fields.n; i++) {
        const Field *f = r->fields.p[i];
        if (f->kind == FIELD_STATE) {
            const char *path = f->state->path;
            for (int k = 0; k < depth; k++)
                path = path_at(p->arena, path, index[k], turn[k]);
            place_state(p, f->state, path);
        }
        const char *inner[16] = {NULL};
        int64_t at[16] = {0};
        for (int k = 0; k < depth && k < 15; k++) {
            inner[k] = index[k];
            at[k] = turn[k];
        }
        for (int64_t t = 0; f->kind == FIELD_RECORD && depth < 15 && t < f->turns;
             t++) {
            inner[depth] = f->index;
            at[depth] = f->lo + t;
            place_states(p, f->record, depth + (f->index != NULL), inner, at);
        }
    }
}

void plan_memory(Prog *p)
{
    int64_t frame = 0;
    for (int i = 0; i < p->funcs.n; i++)
        plan_func(p->funcs.p[i]);
    for (int i = 0; i < p->entries.n; i++)
        if (p->entries.p[i]->frame_bytes > frame)
            frame = p->entries.p[i]->frame_bytes;
    p->work_bytes = round_up(p->work_bytes);
    p->scratch_bytes = frame + p->work_bytes;
    bool cursor = false;
    for (int i = 0; i < p->entries.n; i++)
        cursor = cursor || p->entries.p[i]->entry->cursor;
    p->state_bytes = cursor || p->module->states.n ? ALIGN : 0;
    place_states(p, p->root, 0, NULL, NULL);
}

// ---- as text ----------------------------------------------------------------------------------------

void plan_print(const Prog *p, Text *out)
{
    text_printf(out, "memory plan of %s, bytes at the bounds\n", p->prefix);
    text_printf(out, "  weights %lld  state %lld  scratch %lld  per thread %lld\n",
                (long long)p->weights_bytes, (long long)p->state_bytes,
                (long long)p->scratch_bytes, (long long)p->work_bytes);
    for (int i = 0; i < p->funcs.n; i++) {
        const Func *f = p->funcs.p[i];
        text_printf(out, "%s: frame %lld, least possible %lld\n", f->name,
                    (long long)f->frame_bytes, (long long)f->lower_bound);
        for (int k = 0; k < f->bufs.n; k++) {
            const Buf *b = f->bufs.p[k];
            if (b->kind != BUF_LOCAL || b->offset < 0)
                continue;
            text_printf(out, "  %10lld .. %-10lld %-16s live %d..%d  ",
                        (long long)b->offset, (long long)(b->offset + b->bytes),
                        b->name, b->first, b->last);
            type_print(&b->shape, out);
            text_puts(out, "\n");
        }
    }
}
