// oracle_eval.h - the inside of the oracle: what its two files share.

#ifndef TFXC_ORACLE_EVAL_H
#define TFXC_ORACLE_EVAL_H

#include "compiler/ops.h"

#include <setjmp.h>

enum { MAX_TURNS = 16 };  // repeats inside one another

typedef struct StateSlot {
    const State *state;
    Tensor kept, next;  // between runs; written by this run
    bool is_written;
} StateSlot;

typedef struct Slot {
    Tensor t;
    StateSlot *state;    // of which this is a version, or NULL
    struct Slot *tuple;  // a repeat: its results
    bool is_done;        // oracle_const
} Slot;

struct Oracle {
    Arena *arena;  // the caller's
    Module *module;
    WeightSource source;
    Tap *tap;
    void *tap_ctx;
    Arena *run;  // what the last run made
    Arena *inner[MAX_TURNS];
    Arena *cache_arena;
    Map *cache;      // Tensor by name in the file and by path
    Map *states;     // StateSlot by path with the turns put in
    int64_t cursor;  // of all entries
    double nudge;    // oracle_nudge
    uint64_t noise;
};

struct Eval {
    Oracle *oracle;  // NULL: oracle_const
    Arena *arena;    // of the turn
    Module *module;
    WeightSource source;
    Slot *slot;  // by id of the value
    const int64_t *dims;
    int nturns;
    Turn turn[MAX_TURNS];
    const char *why;
    jmp_buf fail;
};

// Evaluates the ops of a region in order; its params have their slots already.
void eval_region(Eval *e, const Region *r);
// Evaluates one value whose operands are evaluated.
void eval_value(Eval *e, const Value *v);
// The shape of a type under the dims of this run; no data yet.
Tensor eval_shape(Eval *e, const Type *type);
Tensor tensor_copy(Arena *a, const Tensor *t);
void state_reset(StateSlot *s);

#endif
