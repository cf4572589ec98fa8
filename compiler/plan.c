// plan.c - memory: an offset for every local, a frame for every function.
//
// A function's locals and the frames of its callees are intervals over its statements. The
// frame is packed greedily, largest first, each at the lowest place where it meets nothing
// that lives at the same time; further tries go by first use, and by what lives while a
// kernel has scratch of its own; the smallest stays. Frames nest: a callee's frame is one
// block inside its caller's, live during the call.
//
// The kernels' scratch, one piece a thread, begins in every program at one place, work_at:
// the lowest with nothing above that lives during such a kernel. So it lies over what is
// dead by then, and only what does not fit there adds to the region.

#include "compiler/loop.h"

#include <string.h>

enum { ALIGN = 64 };

typedef struct Block {
    Buf *buf;
    LStmt *call;
    int first, last;
    int64_t bytes, at;
    bool below;  // lives while a kernel has its scratch
} Block;
typedef VEC(Block) Blocks;

// A kernel with scratch, or a call of a function with such a kernel.
typedef struct Use {
    const LStmt *stmt;
    int at;
} Use;
typedef VEC(Use) Uses;

static int64_t round_up(int64_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// ---- intervals -----------------------------------------------------------------------------

typedef struct Walk {
    Func *f;
    int now;
    Blocks *blocks;
    Uses *uses;
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

// A kernel has two moments: s->position, and behind it that of an operand written last, to
// which what it writes lives on.
static void touch_arg(const LStmt *s, const LArg *a)
{
    bool has_last = false;
    for (int i = 0; i < s->args.n; i++)
        has_last = has_last || s->args.p[i].last;
    if (!a->last)
        touch(a->buf, s->position);
    if (has_last && a->writes)
        touch(a->buf, s->position + 1);
    touch_expr(a->expr, s->position);
}

static void number(Walk *w, const LStmts *body)
{
    for (int i = 0; i < body->n; i++) {
        LStmt *s = body->p[i];
        s->position = w->now++;
        touch(s->buf, s->position);
        touch_expr(s->index, s->position);
        touch_expr(s->value, s->position);
        for (int k = 0; k < s->args.n; k++)
            touch_arg(s, &s->args.p[k]);
        for (int k = 0; k < s->actuals.n; k++)
            touch(s->actuals.p[k], s->position);
        if (s->kind == LS_CALL && s->callee->frame_bytes > 0) {
            Block b = {.call = s,
                       .first = s->position,
                       .last = s->position,
                       .bytes = s->callee->frame_bytes};
            vec_push(w->f->prog->arena, w->blocks, b);
        }
        if (s->work_bytes || (s->kind == LS_CALL && s->callee->uses_work)) {
            Use u = {s, s->position};
            vec_push(w->f->prog->arena, w->uses, u);
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

typedef bool Before(const Block *a, const Block *b);

static bool by_use(const Block *a, const Block *b)
{
    return a->first < b->first;
}

static bool by_size(const Block *a, const Block *b)
{
    return a->bytes > b->bytes;
}

// What must lie below the kernels' scratch; frames with such kernels; the rest.
static int height(const Block *b)
{
    return !b->below ? 2 : b->call ? 1 : 0;
}

static bool by_height(const Block *a, const Block *b)
{
    int x = height(a), y = height(b);
    return x != y ? x < y : by_size(a, b);
}

static void sort(Blocks *blocks, Before *before)
{
    for (int i = 1; i < blocks->n; i++) {
        Block b = blocks->p[i];
        int k = i;
        for (; k > 0 && before(&b, &blocks->p[k - 1]); k--)
            blocks->p[k] = blocks->p[k - 1];
        blocks->p[k] = b;
    }
}

static bool lives_at(const Block *b, int at)
{
    return b->first <= at && at <= b->last;
}

// The lowest place with nothing live above it during any use.
static int64_t lowest_work(const Blocks *blocks, const Uses *uses)
{
    int64_t top = 0;
    for (int i = 0; i < uses->n; i++)
        for (int k = 0; k < blocks->n; k++) {
            const Block *b = &blocks->p[k];
            bool inner = b->call && b->call == uses->p[i].stmt;
            if (lives_at(b, uses->p[i].at))
                top =
                    larger(top, b->at + (inner ? b->call->callee->work_at : b->bytes));
        }
    return top;
}

// Packs in this order into f; the bytes with the scratch of one thread.
static int64_t pack(Func *f, Blocks *blocks, const Uses *uses, Before *before)
{
    int64_t bytes = 0;
    sort(blocks, before);
    for (int i = 0; i < blocks->n; i++) {
        place(blocks, i);
        bytes = larger(bytes, blocks->p[i].at + blocks->p[i].bytes);
    }
    f->frame_bytes = bytes;
    f->work_at = lowest_work(blocks, uses);
    int64_t end = uses->n ? f->work_at + f->prog->work_bytes : 0;
    return larger(end, bytes);
}

// Of buffers, and what the statement there takes: in its own scratch or in that of a callee.
static int64_t live_at(const Blocks *blocks, const Uses *uses, int at)
{
    int64_t live = 0;
    for (int i = 0; i < blocks->n; i++)
        if (blocks->p[i].buf && lives_at(&blocks->p[i], at))
            live += blocks->p[i].bytes;
    int64_t own = 0;
    for (int i = 0; i < uses->n; i++)
        if (uses->p[i].at == at)
            own = uses->p[i].stmt->kind == LS_CALL
                      ? uses->p[i].stmt->callee->lower_bound
                      : uses->p[i].stmt->work_bytes;
    for (int i = 0; i < blocks->n; i++)
        if (blocks->p[i].call && blocks->p[i].first == at)
            own = blocks->p[i].call->callee->lower_bound;
    return live + own;
}

static int64_t most_live(const Blocks *blocks, const Uses *uses)
{
    int64_t most = 0;
    for (int i = 0; i < blocks->n + uses->n; i++) {
        int at = i < blocks->n ? blocks->p[i].first : uses->p[i - blocks->n].at;
        most = larger(most, live_at(blocks, uses, at));
    }
    return most;
}

// ---- one function --------------------------------------------------------------------------------

static void find_blocks(Func *f, Blocks *blocks, Uses *uses)
{
    Arena *a = f->prog->arena;
    Walk w = {f, 1, blocks, uses};
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
        Block block = {
            .buf = b, .first = b->first, .last = b->last, .bytes = round_up(b->bytes)};
        vec_push(a, blocks, block);
    }
    for (int i = 0; i < blocks->n; i++)
        for (int k = 0; k < uses->n; k++)
            blocks->p[i].below |= lives_at(&blocks->p[i], uses->p[k].at);
}

static void plan_func(Func *f)
{
    static Before *const orders[] = {by_size, by_use, by_height};
    Blocks blocks = {NULL, 0, 0};
    Uses uses = {NULL, 0, 0};
    find_blocks(f, &blocks, &uses);
    int best = COUNT(orders) - 1;
    int64_t least = INT64_MAX;
    for (int i = 0; i < COUNT(orders); i++) {
        int64_t bytes = pack(f, &blocks, &uses, orders[i]);
        if (bytes < least) {
            least = bytes;
            best = i;
        }
    }
    pack(f, &blocks, &uses, orders[best]);
    f->lower_bound = most_live(&blocks, &uses);
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
    p->work_bytes = round_up(p->work_bytes);
    p->scratch_bytes = p->work_at = p->least_scratch = 0;
    for (int i = 0; i < p->funcs.n; i++)
        plan_func(p->funcs.p[i]);
    for (int i = 0; i < p->entries.n; i++) {
        const Func *f = p->entries.p[i];
        p->scratch_bytes = larger(p->scratch_bytes, f->frame_bytes);
        p->work_at = larger(p->work_at, f->uses_work ? f->work_at : 0);
        p->least_scratch = larger(p->least_scratch, f->lower_bound);
    }
    if (p->work_bytes)
        p->scratch_bytes = larger(p->scratch_bytes, p->work_at + p->work_bytes);
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
    text_printf(out,
                "  weights %lld  state %lld  scratch %lld, least possible %lld  per "
                "thread %lld at %lld\n",
                (long long)p->weights_bytes, (long long)p->state_bytes,
                (long long)p->scratch_bytes, (long long)p->least_scratch,
                (long long)p->work_bytes, (long long)p->work_at);
    for (int i = 0; i < p->funcs.n; i++) {
        const Func *f = p->funcs.p[i];
        text_printf(out, "%s: frame %lld, ", f->name, (long long)f->frame_bytes);
        if (f->uses_work)
            text_printf(out, "with the kernels' scratch %lld, ",
                        (long long)larger(f->frame_bytes, f->work_at + p->work_bytes));
        text_printf(out, "least possible %lld\n", (long long)f->lower_bound);
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
