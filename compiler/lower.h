// lower.h - what the lowering of an op stands on: views, destinations, loop nests.
//
// Every value lowers to a View: a buffer, an offset and a stride an axis. Reshape,
// transpose, slice and expand only change the view; a kernel that cannot take a view as it
// is asks for a dense copy. The producer of a value asks lower_dest where to write: into a
// result, into a state, over an operand that dies here, or into a new local.

#ifndef TFXC_LOWER_H
#define TFXC_LOWER_H

#include "compiler/loop.h"
#include "compiler/ops.h"

typedef struct View {
    Buf *buf;
    const Size *offset;
    int rank;
    const Size *dim[MAX_RANK];
    const Size *stride[MAX_RANK];
} View;

typedef VEC(const Value *) ValueVec;

// What is known of a value while its graph is lowered; by Value.id.
typedef struct Low {
    bool done;
    View view;
    Func *func;  // where its op is emitted
    Func *home;  // the function that must own its buffer
    int at;      // index in its region
    ValueVec users;
    bool yielded;
    Buf **carried;  // of a repeat: the buffer of each carried value
    Buf *rounded;   // its rows, once they are rounded for products
    bool placed;    // its product has written it elsewhere, see lower_heads.c
} Low;

// One statement to be of a function: an op, or the call of an outlined scope.
typedef struct Items Items;
typedef struct Item {
    const Value *value;
    Func *call;     // with value: the turns of that repeat
    Items *inside;  // what the called function does
} Item;
struct Items {
    Item *p;
    int n, cap;
};

struct Lower {
    Prog *p;
    const LowerOptions *options;
    Graph *g;
    Diag *diag;
    Sizes *sizes;
    Arena *arena;
    Low *low;
    Func *f;  // being filled
    LStmts *out;
    Value **values;  // by id
    Map *indices;    // names of the repeats' indices in this graph
    Map *panels;     // const_key of weights that some linear reads
    Map *packed;     // key -> Packed
    VEC(Buf *) results;
    const char *turn[8];  // indices of the repeats around, outermost first
    int nturns;
    LStmt *note;  // the last one, for the name of its destination
    const Value *noted;
};

// ---- operands and destinations ------------------------------------------------------------

Low *low_of(Lower *l, const Value *v);
// The i-th operand as seen from the function being filled. Constants become weight views.
View lower_in(Lower *l, const Value *v, int i);
View lower_value(Lower *l, const Value *v);
View lower_base(Lower *l, const Value *v, int i);
bool is_packable(const Value *v);
void lower_state(Lower *l, const Value *v);
// A scalar constant, size or turn as an expression, or NULL.
LExpr *lower_scalar(Lower *l, const Value *v, DType want);
// Where v is to be written; bit i of alias: operand i may be overwritten in place.
View lower_dest(Lower *l, const Value *v, unsigned alias);
// v goes into a slice of a state, and nobody looks at the older version meanwhile, since v,
// or the value that v is seen of, is made.
bool lower_state_slot(Lower *l, const Value *made, const Value *v, View *out);
void lower_set(Lower *l, const Value *v, View view);  // v is this view
void lower_note(Lower *l, const Value *v);
// The packed constant behind a constant value, in the given format.
Buf *lower_packed(Lower *l, const Value *v, Format format);
// The format in which some linear reads the matrix v, plain if none does, or if that format
// is not the checkpoint's own but a recipe's.
Format lower_matrix_format(Lower *l, const Value *v);
Format lower_linear_format(Lower *l, const Value *linear);
void lower_refuse(Lower *l, const Value *v, const char *what, const char *hint);

// ---- views ----------------------------------------------------------------------------------

View view_dense(Lower *l, Buf *b, const Type *t);
View view_transpose(View x, const int64_t *perm);
bool view_reshape(Lower *l, View x, int rank, const Size *const *dim, View *out);
View view_broadcast(Lower *l, View x, const Type *to);  // NumPy rules
View view_slice(Lower *l, View x, const Size *const *start, const Size *const *stop,
                const int64_t *step);
bool view_same(const View *a, const View *b);
bool lower_is_dense(Lower *l, const View *x);
View lower_dense(Lower *l, View x, const char *name);  // x itself when it is dense
Buf *lower_temp(Lower *l, const char *name, DType d, int rank, const Size *const *dim);
void lower_copy(Lower *l, View to, View from);

// ---- loop nests over views --------------------------------------------------------------------

enum { MAX_VIEWS = 12 };

// A nest of loops over the leading `axes` axes that all views share; axes that lie in one
// piece in every view become one loop. index[k] is the element of view k at the current turn
// of all loops (the axes not looped over at 0); out is the innermost body.
typedef struct Nest {
    int nviews;
    View view[MAX_VIEWS];
    LExpr *index[MAX_VIEWS];
    LStmts *outer;
} Nest;

void nest_open(Lower *l, Nest *n, int axes,
               Loc loc);  // l->out moves into the innermost loop
void nest_close(Lower *l, Nest *n);

// Peels loops until axes [0, axes) are at most one per view: rows with one stride.
// rows is their number, ld[k] the row stride of view k.
typedef struct Rows {
    Nest nest;
    const Size *rows;
    const Size *ld[MAX_VIEWS];
} Rows;

void rows_open(Lower *l, Rows *r, int axes, Loc loc);
void rows_close(Lower *l, Rows *r);
bool rows_are_whole(const Lower *l, const Rows *r);  // all at once, without loops

// ---- kernels -------------------------------------------------------------------------------------

LStmt *kernel(Lower *l, const Value *v, const char *part, const char *name);
void karg_par(Lower *l, LStmt *s);
void karg_read(Lower *l, LStmt *s, const char *name, Buf *b, LExpr *index);
void karg_write(Lower *l, LStmt *s, const char *name, Buf *b, LExpr *index);
void karg_write_last(Lower *l, LStmt *s, const char *name, Buf *b, LExpr *index);
void karg_size(Lower *l, LStmt *s, const char *name, const Size *n);
// An axis, or a row stride of a view of b: said by the user's name for it.
void karg_dim(Lower *l, LStmt *s, const char *name, const Dim *d);
void karg_ld(Lower *l, LStmt *s, const char *name, const Buf *b, const Size *ld);
void karg_expr(Lower *l, LStmt *s, const char *name, LExpr *e);
void karg_null(Lower *l, LStmt *s, const char *name);
void karg_work(Lower *l, LStmt *s, const char *name, const Size *floats);

// Shared by several rows of ops.def.
void lower_norm(Lower *l, const Value *v, const char *name);
void lower_reduction(Lower *l, const Value *v);  // sum, mean, reduce_max, reduce_min

// ---- elementwise -----------------------------------------------------------------------------------

void lower_map(Lower *l, const Value *v);  // MAP rows, cast and OP_map
LExpr *map_body(Lower *l, const Region *body, LExpr *const *operand);
bool op_is_view(Op op);  // reshape, transpose, slice, expand

// ---- lower_outline.c ----------------------------------------------------------------------------------

// Splits ops [first, last) of a region into items of function f, making functions for the
// scopes that deserve one.
Items *outline(Lower *l, Func *f, const Region *r, int first, int last);
Func *func_new(Lower *l, Func *caller, const Scope *scope, const char *name);
const char *const_key(Arena *a, const Value *v);

// ---- lower_dest.c ------------------------------------------------------------------------

Buf *reach(Lower *l, Func *f, Buf *b);  // b as function f sees it
Buf *buf_new(Lower *l, Func *f, BufKind kind, const char *name, const Type *t);
const char *field_local(Lower *l, const Field *f);  // its name as a local of a function
const char *lower_local_name(Lower *l, const Value *v);
bool buf_free_at(Lower *l, const Buf *b, const Value *v, unsigned alias);
Func *func_common(Func *a, Func *b);
int index_in(const Region *r, const Value *v, const Lower *l);

// ---- lower_older.c -----------------------------------------------------------------------

// Views of the state as it was, used after v, a set_slice or a repeat that writes it, become
// copies before it; of a repeat of all states that it writes.
void lower_save_older(Lower *l, const Value *v, const State *state);
void lower_save_before(Lower *l, const Value *repeat);

// ---- lower_rounded.c ---------------------------------------------------------------------

// Does some linear read x as rounded rows; and does nothing read it otherwise?
bool lower_is_rounded(Lower *l, const Value *x);
bool lower_is_only_rounded(Lower *l, const Value *x);
// Where the op that makes x, being lowered, is to round its rows.
Buf *lower_round_here(Lower *l, const Value *x);
// Where this linear finds the rounded rows of its operand; *is_made: they are there, else it
// is to make them, from all rows of the operand at once.
Buf *lower_rounded(Lower *l, const Value *linear, bool *is_made);

// ---- lower_heads.c -----------------------------------------------------------------------

// Columns that a product writes by heads: element j of head h of row r goes to
// buf[offset + h * head + r * row + j].
typedef struct Heads {
    Buf *buf;
    const Size *offset, *head, *row, *n, *d;
    int64_t columns;
    View slot;  // as the state sees it
} Heads;

// How many ranges of the last columns of y its product is to write by heads; the last first.
int lower_heads(Lower *l, const Value *y, Heads h[MAX_HEADS]);
// Where the columns before these go. None are left: a view without a buffer; or, if they are
// one head, its place, and n becomes 0.
View lower_rest(Lower *l, const Value *y, const Heads *h, int *n);
void karg_heads(Lower *l, LStmt *s, const Heads *h);

// ---- lower_record.c -------------------------------------------------------------------------------------

Record *record_child(Lower *l, Record *parent, const char *name, const char *type,
                     const char *path, const char *index, int64_t lo, int64_t turns);
Field *record_packed(Lower *l, Record *r, Packed *k, const char *name, Loc loc);
Field *record_state(Lower *l, Record *r, State *s);
// A field for each size by turn that a function of the record computes with.
void record_sizes(Prog *p);

#endif
