// loop.h - the loop IR: functions over flat buffers, one step from C.
//
//     func attention(w: Attention) (x: f32[T, 64] inout) dims P T {
//         local q: f32[T, 128] at 0
//         linear_0(y = &q[0], 128, x = &x[0], 64, w.qkv, T, 128, 64)
//         for i in 0 .. 64*T {
//             y[i] = x[i] + h[i]
//         }
//
// A Func is an outlined scope of the source. Its buffers are parameters or locals; locals
// lie in the scratch frame of the function at an offset that the memory planner sets, and
// the frame of a callee lies inside the frame of its caller. Weights and states are reached
// through the function's Record: one struct of offsets for each kind of block, one row of a
// static table for each instance, so that code does not grow with depth. A size that differs
// from turn to turn is a number in that row.

#ifndef TFXC_LOOP_H
#define TFXC_LOOP_H

#include "ir.h"
#include "passes/format.h"

typedef struct Func Func;
typedef struct Buf Buf;
typedef struct LExpr LExpr;
typedef struct LStmt LStmt;
typedef struct Record Record;
typedef struct Prog Prog;

// ---- buffers -----------------------------------------------------------------------------

typedef enum BufKind {
    BUF_IN,     // const parameter of an entry
    BUF_OUT,    // result parameter of an entry
    BUF_PARAM,  // parameter of an inner function; see `outer`
    BUF_LOCAL,  // in the scratch frame
    BUF_STATE,  // in the state region, through a record field
    BUF_WEIGHT  // in the packed weights, through a record field
} BufKind;

struct Buf {
    BufKind kind;
    const char *name;  // unique in its function
    DType dtype;
    Type shape;         // for comments; storage is row-major in it
    const Size *count;  // elements
    Func *func;
    Buf *outer;           // BUF_PARAM: the caller's buffer at the (first) call
    bool written;         // BUF_PARAM: the function writes it
    struct Field *field;  // BUF_STATE, BUF_WEIGHT
    int64_t bytes;        // at the bounds
    int64_t offset;       // BUF_LOCAL, from the start of the frame; -1: not planned
    int first, last;      // BUF_LOCAL: positions of first and last use in the function
};

// ---- expressions ---------------------------------------------------------------------------

typedef enum LExprKind {
    LX_INT,   // i
    LX_NUM,   // num, a float constant
    LX_SIZE,  // size, an index expression over dims
    LX_VAR,   // name: loop variable, let, or an operand of an epilogue
    LX_LOAD,  // buf[arg[0]]
    LX_NEG,   // -arg[0]
    LX_BIN,   // arg[0] op arg[1], op one of + - * / %
    LX_CALL,  // name(arg...): EXP, MAX, ... or the name of a MAP row
    LX_CAST   // (dtype)arg[0]
} LExprKind;

struct LExpr {
    LExprKind kind;
    DType dtype;  // f32, i32, or i64 for indices
    int64_t i;
    double num;
    const Size *size;
    const char *name;
    char op;
    int n;
    LExpr *arg[3];
    Buf *buf;
};

// ---- statements ------------------------------------------------------------------------------

typedef enum ArgKind {
    ARG_ADDR,  // &buf[index]; `writes` says which way
    ARG_EXPR,  // a number or size
    ARG_PAR,   // the thread hook
    ARG_WORK,  // this program's per-thread scratch
    ARG_NULL   // no operand
} ArgKind;

typedef struct LArg {
    ArgKind kind;
    const char *name;  // field of the kernel's struct, or NULL: by position
    Buf *buf;
    LExpr *index;
    bool writes, reads;
    bool last;  // written when all operands have been read and all else is written
    LExpr *expr;
} LArg;

typedef enum LStmtKind {
    LS_FOR,  // for name in lo .. hi { body }
    LS_LET,  // name = value, never changed
    LS_VAR,  // name = value, changed by LS_SET
    LS_SET,
    LS_STORE,   // buf[index] = value
    LS_KERNEL,  // name(args)
    LS_CALL,    // callee, with its record at `record`
    LS_TAP,     // verify --taps: show buf to the caller
    LS_NOTE     // a comment: source line and shapes
} LStmtKind;

typedef VEC(LStmt *) LStmts;

struct LStmt {
    LStmtKind kind;
    Loc loc;
    const char *name;
    DType dtype;
    LExpr *lo, *hi;
    bool turns;  // LS_FOR over the turns of a repeat
    LStmts body;
    Buf *buf;
    LExpr *index, *value;
    VEC(LArg) args;
    bool fails;              // LS_KERNEL: returns a status
    const char *arg_struct;  // LS_KERNEL: takes (par, &(arg_struct){.name = arg, ...})
    const char *why;         // LS_KERNEL, LS_NOTE: comment
    Func *callee;
    struct Field
        *record;         // LS_CALL: field of the caller's record, NULL: the same record
    LExpr *turn;         // LS_CALL: which element of an array field, or NULL
    VEC(Buf *) actuals;  // LS_CALL: caller's buffers for callee->params
    const Value *tap;    // LS_TAP; LS_NOTE of a program with marks
    int64_t frame_at;    // LS_CALL: where the callee's frame lies in the caller's
    int64_t work_bytes;  // LS_KERNEL: of the scratch that one thread of it takes
    int position, end;   // set by the memory planner
};

// ---- records: offsets of weights and states, sizes that differ by turn ----------------

typedef enum FieldKind {
    FIELD_WEIGHT,
    FIELD_STATE,
    FIELD_RECORD,
    FIELD_SIZE
} FieldKind;

typedef struct Field {
    FieldKind kind;
    const char *name;
    Record *owner;
    struct Packed *packed;  // FIELD_WEIGHT
    State *state;           // FIELD_STATE
    const TurnVar *size;    // FIELD_SIZE: what it is in this instance
    Record *record;         // FIELD_RECORD
    int64_t lo, turns;      // FIELD_RECORD: 1 turn and no index: not an array
    const char *index;      // the repeat's index, or NULL
    Loc loc;
} Field;

struct Record {
    const char *type;  // C name of the struct: "Attention"
    const char *path;  // of the block instance, with turns in braces
    Record *parent;
    VEC(Field *) fields;
    bool emitted;
};

// A constant as the packed file holds it. Where its sizes differ by turn, these are the
// greatest.
typedef struct Packed {
    const Value *value;  // constant; may use turns of repeats
    Format format;       // plain, or a row of formats.def: panels
    DType storage;       // of the elements: as the checkpoint has it; i32; of the row
    const char *name;    // path in the packed file, turns in braces
    int64_t count;       // elements stored (panels are padded)
    int64_t n, k;        // of panels: w is [n, k]
    int64_t kept;        // blocks of 48 x 1 stored, where zeros are left out
} Packed;

// packed.c: the same in one instance; of no turns at all, at its greatest.
FormatSize packed_size(const Packed *k, int nturns, const Turn *turns);
int64_t packed_count(const Packed *k, int nturns, const Turn *turns);

// lower_record.c: the field with this size, or NULL.
Field *record_size(const Record *r, const TurnVar *v);

// ---- functions and programs --------------------------------------------------------------------

struct Func {
    const char *name;
    Prog *prog;
    Func *caller;  // where it was outlined from; NULL: an entry
    Graph *entry;  // of an entry
    const Scope *scope;
    Record *record;
    VEC(Buf *) params;  // buffers, in order of first use
    VEC(Buf *) bufs;    // all
    LStmts body;
    bool uses_par, uses_work, uses_state, uses_scratch, uses_weights, fails,
        uses_record;
    uint64_t dims;            // set of dim ids it needs
    VEC(const char *) turns;  // indices of repeats around it that it uses as numbers
    int64_t frame_bytes;
    int64_t work_at;      // the threads' scratch may begin here in its frame
    int64_t lower_bound;  // most bytes live at one place
    int names;            // for unique names
    Map *taken;
};

// Where one slice of a state lies in the state region.
typedef struct StatePlace {
    const State *state;
    const char *path;  // turns put in: "layers.0.attn.k"
    int64_t offset, bytes;
} StatePlace;

enum { MAX_HEADS = 2 };

// A kernel template made for one epilogue.
typedef struct Template {
    const char *name;  // "linear_gelu"
    const char *doc;
    Format weight;  // how it is packed
    int nextra;
    int heads;        // ranges of the last columns that go elsewhere by heads
    bool rounds;      // the rows of y too, for the next product
    LExpr *epilogue;  // over a, e0, e1, ...
    const char *key;
} Template;

struct Prog {
    Arena *arena;
    Module *module;
    Diag *diag;
    const char *prefix;  // "stories"
    const char *upper;   // "STORIES"
    VEC(Func *) funcs;   // callees before callers; equal ones once
    VEC(Func *) entries;
    VEC(Template *) templates;
    VEC(Packed *) packed;
    VEC(StatePlace) states;
    Record *root;
    Map *kernels;        // names of the kernel parts used
    Map *maps;           // MAP rows printed as functions
    int64_t work_bytes;  // per thread
    int64_t work_at;     // where that of the first thread lies in the scratch region
    int64_t scratch_bytes, state_bytes;
    int64_t least_scratch;  // the most that lives at one place, with one thread
    int64_t weights_bytes;  // payload of the packed file
    bool taps;
    bool marks;  // for tfxc bench
    bool has_par;
};

// ---- loop.c: building -----------------------------------------------------------------------------

LExpr *lx_int(Prog *p, int64_t i);
LExpr *lx_num(Prog *p, double v);
LExpr *lx_size(Prog *p, const Size *s);
LExpr *lx_var(Prog *p, const char *name, DType d);
LExpr *lx_load(Prog *p, Buf *b, LExpr *index);
LExpr *lx_neg(Prog *p, LExpr *a);
LExpr *lx_bin(Prog *p, char op, LExpr *a, LExpr *b);  // folds 0 + x, 1 * x, sizes
LExpr *lx_call(Prog *p, const char *name, DType d, int n, LExpr *const *arg);
LExpr *lx_cast(Prog *p, DType d, LExpr *a);
// The expression of a MAP row with a and b put in, over LX_CALLs in capitals.
LExpr *lx_map(Prog *p, Op op, LExpr *a, LExpr *b);
// The same, but rows that name a operand twice become a call of the row by name.
LExpr *lx_map_call(Prog *p, Op op, LExpr *a, LExpr *b);

LStmt *ls_new(Prog *p, LStmts *into, LStmtKind kind, Loc loc);
void lexpr_walk(LExpr *e, void (*f)(LExpr *e, void *ctx), void *ctx);
void lstmts_walk(const LStmts *s, void (*f)(LStmt *s, void *ctx), void *ctx);
const char *func_name(Func *f, const char *wish);  // a C name not yet taken in f
const char *c_name(Arena *a, const char *wish);    // wish made a legal C identifier
// The module's name as prefix of a program: `linear_model` for one that C or the program
// needs itself.
const char *c_prefix(Arena *a, const Module *m);
bool prefix_owns(const char *prefix, const char *name);  // is it PREFIX or PREFIX_...?

// ---- looptext.c, loopread.c --------------------------------------------------------------------------------------

void loop_print(const Prog *p, Text *out);
// Reads what loop_print wrote; NULL after reporting (codes E09xx) when it is not that.
Prog *loop_parse(Arena *a, Diag *d, const char *text, size_t n, uint32_t base);

// ---- loopcheck.c -------------------------------------------------------------------------------------

// Checks every rule of a legal program; on a breach writes one line a breach and returns
// false. Whether the memory plan holds is plan_check's to say.
bool loop_check(const Prog *p, Text *why);

// ---- lower.c: graph to loops ---------------------------------------------------------------------------

typedef struct LowerOptions {
    bool taps, marks;
    bool tiles;  // scratch for tiles of AMX
    // Storage type of a checkpoint tensor (turns put in), DT_COUNT when there is none.
    DType (*storage)(void *ctx, const char *name);
    void *ctx;
} LowerOptions;

// NULL after reporting what cannot be lowered (E07xx).
Prog *lower_module(Arena *a, Module *m, const char *prefix, const LowerOptions *o,
                   Diag *d);

// ---- lower_finish.c: what each function needs of its callers -----------------------------------------------

// Orders p->funcs callees first, sets uses_*, fails, dims and Buf.written, and gives equal
// records one type name. Called by lower_module.
void lower_finish(Prog *p);
// Of that, what follows from the statements; callees first already.
void lower_needs(Prog *p);

// ---- plan.c: memory ----------------------------------------------------------------------------------------

void plan_memory(Prog *p);                  // offsets, frames, region sizes
bool plan_check(const Prog *p, Text *why);  // independent: no two live buffers overlap
void plan_print(const Prog *p, Text *out);

#endif
