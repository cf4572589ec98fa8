// ir.h - the graph IR: a module of entries, each a region of SSA values.
//
//     entry decode(tokens: i32[T]) at P advance T -> (logits) {
//         w = weight {path = "embed.weight"} : f32[512, 64]
//         x = gather(w, tokens) {axis = 0} : f32[T, 64] @hidden/embed
//         %0 = repeat i in 0..5 (x.1 = x) @hidden {
//             n = rms_norm(x.1, w1) {eps = 1e-05} : f32[T, 64] @layer/n1
//             ...
//             yield y
//         }
//         h = item(%0) {i = 0} : f32[T, 64]
//
// irtext.h describes the whole form.
//
// A region is a list in execution order. Equal layers stay one `repeat` region; a weight
// or state inside it is named by a path with the turn in braces, "model.layers.{i}.norm",
// and stands for one slice a turn. Blocks of the source are inlined; every value keeps the
// Scope (the call of a block) it came from, and emission outlines functions by scope.
//
// Elementwise work that a pass has gathered is a `map` value with a region over scalars;
// a `linear` has the same kind of region as its epilogue. Constant weight arithmetic is
// ordinary values whose inputs are all constant (value_is_const); the packer evaluates it.
//
// A state is an SSA value too: `state` reads the version that is current where it stands,
// `set_slice` on a version makes the next one; a version has one successor, and the last
// one is kept. Order among the values of one state is the order of the list.

#ifndef TFXC_IR_H
#define TFXC_IR_H

#include "diag.h"
#include "dtype.h"
#include "recipe.h"
#include "size.h"

enum { MAX_RANK = 8 };
// The largest before and after of attention's windows: more than any sequence, and both with
// a position fit into 32 bits.
enum { ATTENTION_MOST_WINDOW = 1 << 29 };

// ---- ops -------------------------------------------------------------------------------

typedef enum Op {
#define CORE(name, arity, doc) OP_##name,
#define MAP1(name, expr, doc)  OP_##name,
#define MAP2(name, expr, doc)  OP_##name,
#define OP(name, arity, doc)   OP_##name,
#include "ops.def"
#undef CORE
#undef MAP1
#undef MAP2
#undef OP
    OP_COUNT
} Op;

typedef enum OpClass { OPC_CORE, OPC_MAP, OPC_OP } OpClass;

typedef struct OpInfo {
    const char *name;
    OpClass class;
    int arity;         // -1: any number
    const char *expr;  // MAP: the expression over a, b as text, functions in capitals
    const char *doc;
} OpInfo;

extern const OpInfo op_info[OP_COUNT];
bool op_find(const char *name, Op *op);

// ---- types -----------------------------------------------------------------------------

typedef struct Dim {
    const Size *size;
    const char *name;  // as the user spelled it ("hidden", "heads * head"), or NULL
} Dim;

typedef struct Type {
    DType dtype;
    int rank;
    Dim dim[MAX_RANK];
} Type;

Type type_scalar(DType d);
bool type_same_shape(const Type *a, const Type *b);  // names do not count
bool type_equal(const Type *a, const Type *b);
const Size *type_count(Sizes *s, const Type *t);  // number of elements
void type_print(const Type *t, Text *out);        // f32[T, 384]
void type_spell(const Type *t, Text *out);        // f32[T, hidden=384]
const char *type_str(const Type *t, Arena *a);    // spelled
// NumPy broadcasting of shapes; false: they do not (dtype of a is taken).
bool type_broadcast(Sizes *s, const Type *a, const Type *b, Type *out);

// ---- values ----------------------------------------------------------------------------

typedef struct Value Value;
typedef struct Region Region;
typedef struct Graph Graph;
typedef struct Module Module;

// One call of a block or of a named function of it; a path of them is a place in the source.
typedef struct Scope {
    struct Scope *parent;  // NULL: the root
    const char *name;      // what the caller calls it: "attn", "layer", "hidden"
    const char *block;     // its block: "SelfAttention"
    const char *path;      // weights prefix: "encoder.layer.{i}.attention.self"
    bool library;          // from std/
    Loc loc;               // the body in the source
    Loc call;              // the call in the source
    int id;                // unique in the module
} Scope;

typedef enum AttrKind {
    AT_INT,
    AT_NUM,
    AT_STR,
    AT_INTS,
    AT_SIZE,  // one of AT_SIZES, written without brackets
    AT_SIZES,
    AT_DTYPE
} AttrKind;

typedef struct Attr {
    const char *name;
    AttrKind kind;
    int64_t i;        // AT_INT
    double num;       // AT_NUM
    const char *str;  // AT_STR
    int n;            // AT_INTS, AT_SIZES; AT_SIZE: 1
    const int64_t *ints;
    const Size *const *sizes;
    DType dtype;
} Attr;

struct Value {
    Op op;
    int id;     // unique in the graph, for printing and side tables
    Type type;  // of a tuple (repeat): rank -1
    int nin;
    Value **in;
    int nattr;
    Attr *attr;
    Region *body;  // repeat, map, linear's epilogue
    Scope *scope;
    Loc loc;
    const char *name;  // the source's name for it, or NULL
    Region *region;    // where it stands (params too)
};

struct Region {
    Value *owner;  // the repeat, map or linear it belongs to; NULL: a graph's body
    VEC(Value *)
    params;  // graph: the entry's; repeat: carried; map: operands;
             // linear: the sum, then the extra operands
    VEC(Value *) ops;
    VEC(Value *) yields;  // graph: results; repeat: carried on; map, linear: one
};

// A tensor of the checkpoint, or one a turn.
typedef struct Weight {
    const char *path;      // "model.layers.{i}.norm.weight"
    Type type;             // as the program sees it
    int stored[MAX_RANK];  // axis k of the file is axis stored[k] of the type
    const char *member;    // what the source calls it, "layer.{i}.norm.weight"; or NULL
    Loc loc;
    Scope *scope;  // of the block that declares it
} Weight;

typedef struct State {
    const char *path;
    Type type;
    double init;
    int64_t turns;   // slices: product of the turns of the repeats it is in
    bool by_cursor;  // every write is at the cursor, so that rewind is possible
    Loc loc;
    Scope *scope;
} State;

struct Graph {
    Module *module;
    const char *name;
    Region *body;
    VEC(const char *) result_names;
    DimVar *cursor;       // entry ... at P, or NULL
    const Size *advance;  // what the cursor grows by on success, or NULL
    int nvalues;          // next Value.id
    Loc loc;
};

struct Module {
    Arena *arena;
    Sizes *sizes;
    const char *name;     // prefix of what is emitted: "stories"
    const char *weights;  // the file the source names, or NULL
    VEC(DimVar *) dims;
    VEC(TurnVar *) tables;  // of sizes that differ from turn to turn
    VEC(Weight *) weights_list;
    VEC(State *) states;
    VEC(Scope *) scopes;  // by id; 0 is the root
    VEC(Graph *) graphs;
    VEC(Recipe *) recipes;  // of the source
    VEC(Step *) steps;      // of the chosen ones, for the passes
    Map *svds;              // svd.c: factors that are kept
    size_t svd_bytes;
    struct Factors *svd_last;  // and the last that were not
};

// ---- ir.c: building --------------------------------------------------------------------

Module *module_new(Arena *a, const char *name);
Scope *scope_new(Module *m, Scope *parent, const char *name, const char *block,
                 const char *path, Loc loc);
Graph *graph_new(Module *m, const char *name);
Region *region_new(Module *m, Value *owner);
Weight *module_weight(Module *m, const char *path, Type type);  // finds or adds
State *module_state(Module *m, const char *path, Type type);
DimVar *module_dim(Module *m, const char *name, int64_t lo, int64_t hi, int64_t by);
// Adds a table under a name that no dim or table has.
TurnVar *module_table_new(Module *m, const char *name, int nranges,
                          const TurnRange *range, const int64_t *value);
// Finds the table of these values or adds one, under this name or name2, name3...
TurnVar *module_table(Module *m, const char *name, int nranges, const TurnRange *range,
                      const int64_t *value);
bool module_has_name(const Module *m, const char *name);  // of a dim or table

// Where the next values go. Passes and the front end build through this.
typedef struct Builder {
    Graph *graph;
    Region *region;
    int at;  // index in region->ops to insert before; -1: the end
    Scope *scope;
    Loc loc;
    Diag *diag;  // where an illegal use is reported; NULL: it is a bug()
} Builder;

// Makes a value, infers its type and inserts it. Attributes are set beforehand in a list.
// Returns NULL after reporting when the operands do not fit (diag given).
Value *build(Builder *b, Op op, int nin, Value *const *in, int nattr, const Attr *attr);
Value *build1(Builder *b, Op op, Value *x);
Value *build2(Builder *b, Op op, Value *x, Value *y);
Value *build_const(Builder *b, DType d, double v);  // a scalar
Value *build_weight(Builder *b, Weight *w);
Value *build_param(Graph *g, Region *r, const char *name, Type t);
// repeat: the owner is appended first; fill value->body, then item values give its results.
Value *build_repeat(Builder *b, const char *index, const Size *lo, const Size *hi,
                    int n, Value *const *init);
Value *build_item(Builder *b, Value *tuple, int i);
// A map or linear over a body made beforehand by region_new(m, NULL) and build_param;
// body NULL: the plain epilogue of a linear, its sum (build() gives a linear the same).
Value *build_body(Builder *b, Op op, int nin, Value *const *in, Region *body);

// The parts of build(), for readers and passes that rebuild: a value that stands nowhere
// yet and has no type; its type; its place (at -1: the end).
Value *value_new(Graph *g, Op op, int nin, Value *const *in, int nattr,
                 const Attr *attr);
bool value_infer(Graph *g, Value *v, Diag *d);
void region_insert(Module *m, Region *r, int at, Value *v);

Attr attr_make_int(const char *name, int64_t i);
Attr attr_make_num(const char *name, double v);
Attr attr_make_str(const char *name, const char *s);
Attr attr_make_ints(const char *name, int n, const int64_t *v);
Attr attr_make_size(Arena *a, const char *name, const Size *v);
Attr attr_make_sizes(const char *name, int n, const Size *const *v);
Attr attr_make_dtype(const char *name, DType d);

const Attr *attr_find(const Value *v, const char *name);  // NULL: none
int64_t attr_int(const Value *v, const char *name, int64_t otherwise);
double attr_num(const Value *v, const char *name, double otherwise);
const Size *attr_size(const Value *v, const char *name);  // NULL: none
const char *attr_str(const Value *v, const char *name, const char *otherwise);
void attr_set(Module *m, Value *v, Attr a);  // adds or replaces
Attr attr_copy(Arena *a, Attr at);
bool attr_equal(const Attr *a, const Attr *b);

// What attrs.def says of an op's attributes.
typedef struct AttrRow {
    Op op;
    const char *name;
    AttrKind kind;
    int count;  // numbers in INTS or SIZES; 0: any
    bool need;
} AttrRow;
const AttrRow *attr_row(Op op, int i);  // i-th of op, or NULL
const AttrRow *attr_row_find(Op op, const char *name);

// ---- ir.c: asking and changing -----------------------------------------------------------

bool value_is_const(
    const Value *v);  // weights, constants and what is computed from them
bool value_is_scalar_const(const Value *v, double *x);  // a `const`, any rank 0
Weight *value_weight(const Module *m, const Value *v);  // of an OP_weight
State *value_state(const Module *m, const Value *v);    // of an OP_state
// The path of the state that v is a version of, itself or written since; NULL: of none.
const char *value_state_path(const Value *v);
// Does v, or something in its regions, write the state of this path?
bool value_writes_state(const Value *v, const char *path);
int value_uses(const Graph *g, const Value *v);        // counted, yields too
void replace_uses(Graph *g, Value *old, Value *with);  // everywhere, yields too
void region_remove(Region *r, Value *v);               // must have no uses
// Calls f on every value of the graph, params too, regions inside out, in order; f may
// change values, but not put them in or take them out.
void graph_walk(Graph *g, void (*f)(Value *v, void *ctx), void *ctx);
int region_index(const Region *r, const Value *v);  // -1: not there
// "model.layers.{i}.norm" with i = 3: "model.layers.3.norm".
const char *path_at(Arena *a, const char *path, const char *index, int64_t turn);
Graph *module_graph(const Module *m, const char *name);

// ---- irtext.c ----------------------------------------------------------------------------

void ir_print(const Module *m, Text *out);
void ir_print_graph(const Graph *g, Text *out);
// Reads what ir_print wrote; NULL after reporting (codes E09xx) when it is not that.
Module *ir_parse(Arena *a, Diag *d, const char *text, size_t n, uint32_t base);

// ---- verify.c ----------------------------------------------------------------------------

// Checks every rule of a legal graph; on a breach writes one line a breach and returns false.
bool ir_verify(const Module *m, Text *why);

#endif
