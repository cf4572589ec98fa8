// pass.h - what a pass is, the manager that runs them, and what passes share.
//
// A pass is `bool pass_<name>(PassContext *c)`: it changes c->module and says whether it
// did. It never prints, verifies or dumps, that is done here. A new pass is one file, one
// row in passes.def and its cases in tests/passes/.

#ifndef TFXC_PASS_H
#define TFXC_PASS_H

#include "compiler/oracle.h"

// ---- pass.c: rows and running ----------------------------------------------------------

typedef enum PassKind { PASS_EXACT, PASS_APPROX } PassKind;

typedef struct PassContext {
    Module *module;
    Diag *diag;            // of the run; a pass that cannot go on may report
    Arena *scratch;        // as long as this one pass
    WeightSource weights;  // read NULL: there are none
    void *data;            // of the pass itself
} PassContext;

typedef struct PassInfo {
    const char *name;
    unsigned needs, breaks;  // sets of properties
    PassKind kind;
    const char *doc;
    bool (*run)(PassContext *c);
} PassInfo;

// Rows in run order; NULL past the end. A name may come more than once.
const PassInfo *pass_row(int i);

typedef struct PassOptions {
    const char *list;        // "a,b": these, in this order; "none" or "": no pass;
                             // NULL: all rows
    const char *const *off;  // names left out: "qkv", "no-qkv" is the same
    int noff;
    const char *const *print_after;  // names, or "all"
    int nprint_after;
    bool time_passes;
    WeightSource weights;  // for passes that look at values
    // Gets what print_after and time_passes ask for; NULL: nobody.
    void (*write)(void *ctx, const char *text);
    void *ctx;
} PassOptions;

// Runs the passes; false after reporting (E0005 unknown pass, E0006 impossible order).
// ir_verify runs after every pass: a breach is a bug() that names the pass.
bool passes_run(Module *m, const PassOptions *o, Diag *d);

// Checks that no row needs what one above it breaks; the reason in *why.
bool passes_check(const PassInfo *const *rows, int n, Text *why);

#define PROPERTY(name, doc)
#define PASS(name, needs, breaks, kind, doc) bool pass_##name(PassContext *c);
#include "passes.def"
#undef PASS
#undef PROPERTY

// ---- rewrite.c: what passes share ------------------------------------------------------

// Calls f on every region of every graph but the bodies of maps and linears, inner ones
// first; true if one of the calls returned true.
typedef bool RegionPass(PassContext *c, Graph *g, Region *r);
bool pass_regions(PassContext *c, RegionPass *f);

// A builder that inserts before `at`, with its scope and place. Misfits go to a Diag of
// the pass's own: build() returns NULL, and the pass leaves things as they are.
Builder build_before(PassContext *c, Graph *g, Value *at);

// Every use of old becomes one of `with`, which takes its source name if it has none; old
// is taken out.
void replace_value(Graph *g, Value *old, Value *with);

bool is_elementwise(const Value *v);            // MAP or cast
bool is_number(const Value *v, double *x);      // a constant, also broadcast
bool is_zero(const Value *v);                   // +0, not -0
bool only_use(const Graph *g, const Value *v);  // used once
bool same_shape(const Value *a, const Value *b);
bool is_version(const Value *v);  // of a state: storage
// True if a state of which x is a version is written after x and before (or by) `at`;
// then x may not be read at `at`.
bool written_between(const Value *x, const Value *at);
// True when something between x and `at`, which stand in one region, could be passed by x.
bool can_move_down(const Value *x, const Value *at);
// Moves a constant value, and what it is made of, up to before `at`; false: it cannot.
bool hoist_constant(Graph *g, Value *v, Value *at);
// The nearest scope around both.
Scope *common_scope(Scope *a, Scope *b);
bool scope_within(const Scope *inner, const Scope *outer);

// ---- steps.c: recipes --------------------------------------------------------------------

// A matrix that steps choose, and the turns of the repeats around it that it differs by.
typedef struct Chosen {
    PassContext *c;
    const Value *w;        // the matrix
    const Weight *weight;  // that it is made of
    TurnRange range[MAX_TURN_RANGES];
    int nranges;
    int64_t n;    // turns in all, those of the innermost repeat fastest
    Step **step;  // of each turn: the last that chooses it
} Chosen;

int chosen_turn(const Chosen *x, int64_t i, Turn *turns);  // the i-th; how many indices
// value[i] in the i-th turn: an integer, or a table called by the weight.
const Size *chosen_size(const Chosen *x, const char *suffix, const int64_t *value);

// Does the steps' work on one linear (quantize: or gather) of the graph c->data; true if
// that changed it.
typedef bool StepChange(PassContext *c, Value *linear, const Chosen *x);

// All steps of this kind on everything whose weight they choose; steps get their counts. A
// pattern that matches nothing is reported, and a loop of which some turns have no step, or
// steps that make different code.
bool pass_steps(PassContext *c, StepKind kind, StepChange *change);

// The weight that the matrix of a linear (or gather) is made of; NULL: of none.
const Weight *linear_weight(const Module *m, const Value *linear);
const char *
weight_member(const Weight *w);  // or its path, where a source has no word for it

// ---- bodies.c: gathering elementwise values into the body of a map or linear -----------

enum { MAX_MAP_OPERANDS = 8 };

typedef struct Body {
    Graph *g;
    Arena *scratch;
    Region *region;
    VEC(Value *) outer, inner;  // what of the graph is what in the body
    VEC(Value *) in;            // operands of the map, as they got params
} Body;

// v of the graph is x of the body from now on.
void body_bind(Body *b, Value *v, Value *x);
// Puts an elementwise value or map into the body, bound and given back. Operands that are
// not bound yet become constants of the body if they are numbers, else params.
Value *body_add(Body *b, Value *v);
// True if v can go into a body at all: elementwise or a map, and no constant arithmetic,
// which is the packer's.
bool is_body_value(const Value *v);

#endif
