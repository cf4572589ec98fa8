// internal.h - what the files of sema share, by file.
//
// Reading order: build.c (the whole), globals.c (configs, dims, files), block.c
// (members and instances), stmt.c, loop.c, call.c (bodies), expr.c, index.c, funcs*.c,
// einops.c.

#ifndef TFXC_SEMA_INTERNAL_H
#define TFXC_SEMA_INTERNAL_H

#include "sema.h"

typedef struct Sema Sema;
typedef struct Instance Instance;
typedef struct FileScope FileScope;
typedef struct Func Func;

// ---- values of the language ---------------------------------------------------------

typedef enum ValKind {
    VAL_POISON,  // after a report: quiet, so that one mistake is one message
    VAL_SIZE,    // an integer, or a polynomial over dims
    VAL_FLOAT,
    VAL_BOOL,
    VAL_STRING,
    VAL_LIST,
    VAL_TUPLE,
    VAL_DTYPE,
    VAL_TENSOR,
    VAL_TURN,      // the variable of a `for` that is built as one region
    VAL_BLOCK,     // a block without arguments yet
    VAL_INSTANCE,  // a member block
    VAL_ARRAY,     // a member array
    VAL_FN,        // a function of an instance
    VAL_FUNC       // an op of the table
} ValKind;

// A `for` being built as one region.
typedef struct Loop {
    struct Loop *up;
    const char *index;  // unique among the loops around it, in paths as {index}
    int64_t lo, hi;
    bool must_unroll;  // something needs the turn as a compile-time number
} Loop;

typedef struct Block {
    const Item *item;
    FileScope *file;
} Block;

typedef struct Val {
    ValKind kind;
    const char *spell;  // numbers: the user's words for it, or NULL
    union {
        const Size *size;
        double number;
        bool truth;
        const char *string;
        DType dtype;
        Value *value;
        Loop *loop;
        const Block *block;
        const Func *func;
        struct {
            const struct Val *items;
            int nitems;
        };
        struct {
            Instance *inst;
            const Member *member;  // VAL_ARRAY, VAL_FN
        };
    };
} Val;

// A block with its arguments at its place in the checkpoint.
struct Instance {
    const Block *block;
    const Val *args;     // by block->item->params
    const char *path;    // in the checkpoint; "" at the root
    const char *member;  // in the source: "layer.{i}.attn", "" at the root
    const char *name;    // what its owner calls it
    Instance *owner;
    int depth;
    int64_t turns;  // product of the counts of the arrays in path that are "{i}"
    Map *parts;     // realised member blocks: "attn", "layer.{i}", "layer.0"
};

// ---- names in scope -----------------------------------------------------------------

typedef struct Binding {
    const char *name;
    Val val;
    Loc loc;
    bool poisoned_once;
} Binding;

typedef struct Env {
    struct Env *up;
    VEC(Binding *) names;
} Env;

typedef struct Global {
    const Item *item;
    FileScope *file;
    Val val;
    bool ready;
} Global;

struct FileScope {
    File *file;
    bool library;
    Map *globals;  // name -> Global
    VEC(FileScope *) imports;
};

// A function body under way.
typedef struct Frame {
    struct Frame *up;
    Instance *self;
    const Member *fn;
    bool lead_bound;  // what `...` stands for in this call
    int nlead;
    Dim lead[MAX_RANK];
    bool returned;
    Val result;
    Loc result_loc;
    int fors;    // `for` statements around this one
    int errors;  // reported before the body
} Frame;

typedef struct Context {  // where names are looked up
    FileScope *file;
    Instance *self;  // NULL at file level
    Env *env;
    Frame *frame;  // NULL outside functions
} Context;

// What sema knows of a state beyond its row in the module.
typedef struct StateNow {
    const char *path;
    Value *value;  // current version, valid in `region` only
    Region *region;
    Loc loc;
    int nturns;  // the loops its path names, with the widest range seen
    Loop turns[8];
} StateNow;

struct Sema {
    Arena *arena;
    Diag *out;   // the caller's
    Diag *diag;  // staged: replayed into `out` without repetitions
    const SemaOptions *options;
    Module *module;
    Builder b;
    Context at;
    Loop *loop;
    Map *files;  // name -> FileScope
    FileScope *main;
    VEC(StateNow *) states;
    Map *map_funcs;       // a Func for each MAP row used
    Map *overridden;      // names of overrides that found their config
    const Size *advance;  // of the graph under way
    Loc advance_loc;
    bool advance_differs;
    int depth;     // calls
    int nesting;   // expressions and statements
    int64_t work;  // bodies built, see within_budget
};

// ---- value.c ------------------------------------------------------------------------

Val val_poison(void);
Val val_size(const Size *z);
Val val_int(Sema *s, int64_t v);
Val val_float(double v);
Val val_bool(bool v);
Val val_string(const char *t);
Val val_tensor(Value *v);  // NULL: poison
Val val_list(Sema *s, ValKind kind, const Val *items, int n);

bool is_numeric(Val v);  // compile-time integer, size or float
bool val_equal(Val a, Val b);
const char *val_str(Sema *s, Val v);  // for messages
// Whether v hangs on the turn of a loop; that loop is then built turn by turn.
bool needs_turn(Sema *s, Val v);

// Each reports E0320 and returns false when v is something else (quietly for poison).
bool want_size(Sema *s, Val v, Loc loc, const char *what, const Size **out);
bool want_int(Sema *s, Val v, Loc loc, const char *what, int64_t *out);
bool want_float(Sema *s, Val v, Loc loc, const char *what, double *out);
bool want_bool(Sema *s, Val v, Loc loc, const char *what, bool *out);
bool want_string(Sema *s, Val v, Loc loc, const char *what, const char **out);
// A tensor; numbers become scalars, i32 or f32. NULL after a report.
Value *want_tensor(Sema *s, Val v, Loc loc, const char *what);
// The scalar that a number is among tensors of type d.
Value *number_as(Sema *s, Val v, DType d, Loc loc);
Value *cast_to(Sema *s, Value *v, DType d);

void sema_error(Sema *s, Loc loc, DiagCode code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void sema_hint(Sema *s, Loc loc, const char *fmt, ...) PRINTF_LIKE(3, 4);
Val unknown_name(Sema *s, Loc loc, const char *name);  // E0201 with a suggestion
// Says "did you mean" when one of the names is near.
void hint_nearest(Sema *s, Loc loc, const char *word, const char *const *names, int n);

// ---- number.c: compile-time arithmetic ----------------------------------------------

Val number_binary(Sema *s, const Expr *e, Val a, Val b);
Val compare_values(Sema *s, const Expr *e, Val a, Val b);

// ---- globals.c ----------------------------------------------------------------------

FileScope *globals_load(Sema *s, File *file, bool library);
void globals_check_overrides(Sema *s);
bool global_find(FileScope *f, const char *name, Global **out);
void global_names(FileScope *f, Arena *a, Map *names);

// ---- block.c ------------------------------------------------------------------------

const Member *member_find(const Block *b, const char *name, int *which);
const Member *block_fn(const Block *b, const char *name);  // NULL: the unnamed one
Instance *instance_new(Sema *s, const Block *b, const Val *args, const char *path,
                       const char *name, Instance *owner, Loc loc);
// Block arguments, evaluated where s->at stands. NULL after a report.
const Val *block_args(Sema *s, const Block *b, const ArgList *args, Loc loc);
int block_param(const Block *b, const char *name);  // -1: not there
// The block that a member without an index is.
Val part_get(Sema *s, Instance *in, const Member *m, int which);
bool array_count(Sema *s, Instance *in, const Member *m, int64_t *count);
// The element at a turn; with a loop, the one that stands for all of them.
Val array_at(Sema *s, Instance *in, const Member *m, int64_t turn, Loop *loop, Loc loc);
bool array_alike(Sema *s, Instance *in, const Member *m, int64_t i, int64_t j);
Context block_context(Instance *in);

// ---- member.c -----------------------------------------------------------------------

Val member_get(Sema *s, Instance *in, const char *name, Loc loc);

// ---- type.c -------------------------------------------------------------------------

bool eval_type(Sema *s, const TypeExpr *t, Type *out);
const char *spell_declared(Sema *s, const TypeExpr *t);
// Fits v to a declared type, binding size variables of `vars` and `...`; NULL after a
// report "<what> is ..., declared ...".
Value *fit_declared(Sema *s, const TypeExpr *t, const NameList *vars, Val v, Loc loc,
                    DiagCode code, const char *what);
// A value of this type to go on with after a report; poison if the type is not known.
Val stand_in(Sema *s, const TypeExpr *t);
bool refuse_dtype(Sema *s, DType d, Loc loc);

// ---- state.c ------------------------------------------------------------------------

Val state_read(Sema *s, Instance *in, const Member *m, int which);
// One assignment `target = value`.
void run_assign(Sema *s, const Stmt *st);
void states_check(Sema *s);

// ---- older.c ---------------------------------------------------------------------------

// Makes reads of a state from before a write, used after it, values of their own.
void keep_older_versions(Sema *s);
// A state that is read past the cursor cannot be rewound: clears State.by_cursor.
void check_reads_of_states(Sema *s);

// ---- stmt.c -------------------------------------------------------------------------

Binding *env_find(Env *e, const char *name);
void env_bind(Sema *s, const char *name, Val v, Loc loc);
Env *env_push(Sema *s);
void run_body(Sema *s, const StmtList *body);  // until it returned
void name_value(Val v, const char *name);
// Counts a body about to be built; false after reporting that the program is too large.
bool within_budget(Sema *s, Loc loc);

// ---- loop.c -------------------------------------------------------------------------

void run_for(Sema *s, const Stmt *st);
void diag_replay(Diag *from, Diag *to);

// ---- call.c -------------------------------------------------------------------------

Val call_expr(Sema *s, const Expr *e);
// What was returned in s->at.frame, fitted to the declared results.
Val fn_results(Sema *s, const Member *fn, const char *name);
Val call_fn(Sema *s, Instance *in, const Member *fn, const Expr *call,
            const char *name);

// ---- expr.c -------------------------------------------------------------------------

Val eval_expr(Sema *s, const Expr *e);
Val lookup_name(Sema *s, const char *name, Loc loc);
Val binary_values(Sema *s, const Expr *e, Val a, Val b);
Value *elementwise(Sema *s, Op op, Value *a, Value *b);
Value *matmul_values(Sema *s, Value *a, Value *b, Loc loc, const Expr *eb);
Val member_expr(Sema *s, const Expr *e);

// ---- shape.c: the moves everything is made of ---------------------------------------

Value *do_reshape(Sema *s, Value *x, int rank, const Dim *dim);
Value *do_transpose(Sema *s, Value *x, const int *perm);
Value *do_expand(Sema *s, Value *x, int rank, const Dim *dim);
Value *do_reduce(Sema *s, Op op, Value *x, int naxes, const int *axes, bool keep);
Value *do_concat(Sema *s, int n, Value *const *x, int axis);
Value *do_slice(Sema *s, Value *x, const Size *const *start, const Size *const *stop,
                const int64_t *step);
Value *swap_last(Sema *s, Value *x, Loc loc);

// ---- index.c ------------------------------------------------------------------------

typedef struct Picked {  // an index list against a type
    int rank;            // of what is indexed
    const Size *start[MAX_RANK], *stop[MAX_RANK];
    int64_t step[MAX_RANK];
    bool drop[MAX_RANK];   // an integer index: the axis goes
    Value *ids[MAX_RANK];  // a tensor index: gathered after slicing
    bool whole[MAX_RANK];  // the axis as it is
} Picked;

bool pick_index(Sema *s, const Expr *e, const Type *t, Picked *p);
Val index_expr(Sema *s, const Expr *e);

// ---- funcs.c ------------------------------------------------------------------------

enum { MAX_ARGS = 16 };

typedef struct Call {  // a call of a Func with its arguments in order
    Sema *s;
    const Func *func;
    const Expr *e;
    int n;  // parameters
    const char *name[MAX_ARGS];
    const Expr *given[MAX_ARGS];  // NULL: the default stands
    Val arg[MAX_ARGS];  // of `*x` a list; of `~x` nothing: the maker reads given
    Loc loc[MAX_ARGS];
    bool has[MAX_ARGS];  // false: left out, and the default is `none`
} Call;

struct Func {
    const char *name;
    // "x, axis = -1, keep|keepdims = false": with other names and defaults; "*x": all
    // that come by position, "~x": not evaluated, "= none": may be left out. What
    // begins with "!" is for people only: the maker reads the call itself.
    const char *params;
    Val (*make)(Call *c);
    Op op;  // of a MAP row, and where the maker wants one
};

// ---- mask.c ----------------------------------------------------------------------------

// Query i, which stands at from + i, sees key j iff
// from + i - before <= j <= from + i + after.
typedef struct Mask {
    int64_t before, after;  // at most MASK_ALL: no bound
} Mask;
enum { MASK_ALL = ATTENTION_MOST_WINDOW };

bool mask_read(Sema *s, const Expr *e, Mask *m);  // e NULL: none
int mask_attrs(const Mask *m, Attr out[3]);       // of attention; how many

const Func *func_find(Sema *s, const char *name);
Val func_call(Sema *s, const Func *f, const Expr *e);
void func_names(Map *names);

// Arguments as what is needed; each reports and returns NULL or false.
Value *arg_tensor(Call *c, int i);
bool arg_axis(Call *c, int i, int rank, int *axis);
bool arg_axes(Call *c, int i, int rank, int *n, int *axes);  // left out: all
bool arg_bool(Call *c, int i, bool *out);
bool arg_float(Call *c, int i, double *out);
bool arg_size(Call *c, int i, const Size **out);
bool arg_string(Call *c, int i, const char **out);
Val *arg_list(Call *c, int i, int *n);  // a list, or `*x`
Dim dim_of(Val v, const Size *z);
Val make_map(Call *c);

// One array a file, ended by a row without a name.
extern const Func funcs_math[], funcs_shape[], funcs_model[], funcs_einops[];

// ---- build.c ------------------------------------------------------------------------

void build_entries(Sema *s);

#endif
