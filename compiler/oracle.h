// oracle.h - the plain evaluator of the graph IR, in double.
//
// It is the judge of every pass and of every emitted program, so it is as simple as it can
// be: one Tensor of doubles a value, no views, no sharing. Integers are exact up to 2^53.

#ifndef TFXC_ORACLE_H
#define TFXC_ORACLE_H

#include "ir.h"

typedef struct Tensor {
    DType dtype;
    int rank;
    int64_t dim[MAX_RANK];
    int64_t n;  // number of elements
    double *data;
} Tensor;

// Where weights come from: fills n = product of the file's shape elements, in the order of
// the file, of the tensor called `name` (turns already put in). False: not to be had.
typedef struct WeightSource {
    bool (*read)(void *ctx, const char *name, int64_t n, double *out);
    void *ctx;
} WeightSource;

typedef struct Oracle Oracle;

// A tap sees every value that has a source name, with the turns of the repeats around it,
// but neither parameters nor what is inside an elementwise body.
typedef void Tap(void *ctx, const Value *v, int nturns, const int64_t *turns,
                 const Tensor *t);

// States live in the oracle between runs, as in the caller's region; tensors returned live
// until the next run.
Oracle *oracle_new(Arena *a, Module *m, WeightSource source);
void oracle_free(Oracle *o);
void oracle_reset(Oracle *o);  // states to init, cursor to 0
void oracle_tap(Oracle *o, Tap *tap, void *ctx);
// From now on every activation that a format rounds is first moved by `size` of the largest
// of its row, up or down as random bits of `seed` say; -size moves each to the other side.
void oracle_nudge(Oracle *o, double size, uint64_t seed);

// dims[id] for every dim of the module but the cursor, which the oracle keeps (and advances
// on success). in[] are the entry's params in order, out[] its results. False, with a
// sentence in *why, when an index is out of range, P + T passes its bound and the like.
bool oracle_run(Oracle *o, Graph *g, int64_t *dims, const Tensor *in, Tensor *out,
                const char **why);
// The state "layers.0.attn.k"; NULL before the first run that touches it.
const Tensor *oracle_state(const Oracle *o, const char *path);

// Evaluates one constant value (value_is_const); turns by name of the repeats' indices.
// On failure *why, if asked for, says the reason.
bool oracle_const(Arena *a, Module *m, WeightSource source, const Value *v, int nturns,
                  const Turn *turns, Tensor *out, const char **why);

// ---- for ops/<name>.c -------------------------------------------------------------------

typedef struct Eval Eval;

const Tensor *eval_in(Eval *e, const Value *v, int i);  // i-th operand
int64_t eval_size(Eval *e, const Size *s);  // under the dims and turns of this run
double eval_nudge(Eval *e);  // the next move of oracle_nudge, 0 without one
_Noreturn void eval_fail(Eval *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
// y has the shape of v->type under the dims of this run, data zeroed.
double map_eval(Op op, double a, double b);  // one MAP row
// One element to an element type: to floats it rounds to nearest even (beyond the range:
// infinite), to integers it truncates and saturates (NaN: 0), to bool it is x != 0. No
// other op rounds to the storage type.
double cast_eval(double x, DType to);
// The elementwise body of a map, or of a linear whose sums are `sum` (map: NULL), over its
// operands, broadcast to y's shape.
void eval_body(Eval *e, const Value *v, const Tensor *sum, Tensor *y);
void eval_map(Eval *e, const Value *v, Tensor *y);  // a MAP row
void eval_broadcast(const Tensor *x, Tensor *y);    // y = x as broadcast to y's shape
Module *eval_module(Eval *e, Arena **scratch);      // with the arena of eval_scratch
double *eval_scratch(Eval *e, int64_t n);           // zeroed, lives as long as y
// Row-major strides of a tensor.
void tensor_strides(const Tensor *t, int64_t stride[MAX_RANK]);
// Strides that walk t as broadcast to `rank` axes: 0 where it has size 1 or no axis.
void broadcast_strides(const Tensor *t, int rank, int64_t stride[MAX_RANK]);

#endif
