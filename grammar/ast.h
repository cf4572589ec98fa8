// ast.h - what the parser makes of a .tfx file: the source, as a tree.
//
// Trees say what was written, nothing is resolved. Every node has the Loc of its whole
// text. Strings are unescaped copies; names are interned per arena by the parser only so
// far that they end in a NUL. Lists are vectors in source order.

#ifndef TFXC_AST_H
#define TFXC_AST_H

#include "compiler/diag.h"
#include "compiler/dtype.h"

typedef struct Expr Expr;
typedef struct Stmt Stmt;
typedef VEC(Expr *) ExprList;
typedef VEC(Stmt *) StmtList;

typedef struct Name {
    const char *s;
    Loc loc;
} Name;
typedef VEC(Name) NameList;

// ---- expressions -----------------------------------------------------------------------

typedef enum ExprKind {
    EX_NAME,    // name
    EX_INT,     // integer
    EX_FLOAT,   // number (text keeps the spelling)
    EX_STRING,  // string
    EX_DTYPE,   // dtype
    EX_TUPLE,   // items
    EX_LIST,    // items
    EX_NEG,     // a
    EX_BINARY,  // op, a, b; op_loc is the operator's place
    EX_SWAP,    // a'
    EX_CALL,    // a(args)
    EX_INDEX,   // a[index]
    EX_MEMBER,  // a.name
    EX_SCAN     // scan name in a from binds body
} ExprKind;

typedef enum BinOp {
    BIN_ADD,
    BIN_SUB,
    BIN_MUL,
    BIN_DIV,
    BIN_MATMUL,
    BIN_POW,
    BIN_LT,
    BIN_GT,
    BIN_LE,
    BIN_GE,
    BIN_EQ,
    BIN_NE,
    BIN_AND,
    BIN_OR
} BinOp;

typedef struct Arg {   // `value` or `name = value`
    const char *name;  // NULL: positional
    Loc name_loc;
    Expr *value;
} Arg;
typedef VEC(Arg) ArgList;

typedef enum IndexKind { IX_AT, IX_SLICE, IX_ELLIPSIS } IndexKind;
typedef struct Index {  // a[at], a[start:stop:step], a[...]
    IndexKind kind;
    Loc loc;
    Expr *at;                   // IX_AT
    Expr *start, *stop, *step;  // IX_SLICE; each may be NULL
} Index;
typedef VEC(Index) IndexList;

struct Expr {
    ExprKind kind;
    Loc loc;
    Loc op_loc;  // operator, '(' or '[' or the member name: where a caret helps most
    const char
        *text;  // EX_NAME, EX_STRING, EX_MEMBER: the name; EX_FLOAT: its spelling
    int64_t integer;
    double number;
    DType dtype;
    BinOp op;
    Expr *a, *b;
    ExprList items;
    ArgList args;
    IndexList index;
    StmtList body;  // EX_SCAN
    int height;     // of the tree; the parser bounds it, so recursion over it is safe
};

// ---- types -----------------------------------------------------------------------------

typedef struct DimExpr {  // one axis: an expression, or "..."
    Loc loc;
    Expr *size;  // NULL: "..."
} DimExpr;
typedef VEC(DimExpr) DimList;

typedef struct TypeExpr {
    Loc loc;
    DType dtype;
    DimList dims;  // empty: a scalar
} TypeExpr;

// ---- statements ------------------------------------------------------------------------

typedef enum StmtKind {
    ST_LET,      // let targets [: type] = value; several targets only as (a, b)
    ST_LET_DIM,  // let dim name in lo..hi
    ST_ASSIGN,   // name = value, name[index] = value, name.member = value
    ST_RETURN,   // return value
    ST_YIELD,
    ST_FOR,  // for name in value { } ; for name in lo..hi { }
    ST_IF,   // if value { } else { }
    ST_EXIT  // exit when value -> result
} StmtKind;

struct Stmt {
    StmtKind kind;
    Loc loc;
    NameList targets;  // ST_LET; ST_FOR and ST_LET_DIM: one
    TypeExpr *type;    // ST_LET, may be NULL
    Expr *target;      // ST_ASSIGN: EX_NAME, EX_INDEX or EX_MEMBER
    Expr *value;
    Expr *lo, *hi;  // ST_FOR over a range, ST_LET_DIM
    Expr *result;   // ST_EXIT
    StmtList body;
    StmtList otherwise;  // ST_IF; `else if` is one ST_IF in it
    bool has_else;
};

// ---- members of a block ----------------------------------------------------------------

typedef struct Param {  // of a function: name: type
    Name name;
    TypeExpr *type;
} Param;
typedef VEC(Param) ParamList;

typedef struct Result {  // name NULL: unnamed
    Name name;
    TypeExpr *type;
} Result;
typedef VEC(Result) ResultList;

typedef enum MemberKind {
    MB_WEIGHT,
    MB_BLOCK,
    MB_STATE,
    MB_CONST,
    MB_FN,
    MB_ENTRY
} MemberKind;

typedef struct Member {
    MemberKind kind;
    Loc loc;
    NameList names;  // `gate, up: Linear(...)` has two; MB_FN without a name: none
    // MB_WEIGHT, MB_STATE, MB_CONST
    TypeExpr *type;
    DimList stored;  // MB_WEIGHT: order in the file; has_stored says it was given
    bool has_stored;
    Expr *init;  // MB_STATE (may be NULL), MB_CONST
    // MB_BLOCK
    Name block;  // the type's name
    ArgList args;
    const char *index;  // ff[i < 3]: "i", NULL: not an array
    Loc index_loc;
    Expr *count;
    // MB_WEIGHT, MB_BLOCK
    const char *path;  // = "path", NULL: the member's name
    Loc path_loc;
    Expr *cond;  // if cond, may be NULL
    // MB_FN, MB_ENTRY
    NameList vars;  // fn [n] (...)
    ParamList params;
    Name cursor;  // MB_ENTRY: at P; s NULL: none
    ResultList results;
    StmtList body;
} Member;
typedef VEC(Member *) MemberList;

// ---- items of a file -------------------------------------------------------------------

typedef enum ItemKind {
    IT_CONFIG,
    IT_DIM,
    IT_WEIGHTS,
    IT_IMPORT,
    IT_BLOCK,
    IT_TOKENIZER,
    IT_EXTERN,
    IT_RECIPE
} ItemKind;

typedef struct BlockParam {
    Name name;
    Expr *value;  // default, may be NULL
} BlockParam;
typedef VEC(BlockParam) BlockParamList;

typedef struct Item {
    ItemKind kind;
    Loc loc;
    Name name;  // IT_CONFIG (one item per name), IT_DIM, IT_BLOCK, IT_EXTERN, IT_RECIPE
    const char *string;  // IT_WEIGHTS, IT_IMPORT, IT_TOKENIZER; IT_EXTERN: from
    Loc string_loc;
    Expr *value;         // IT_CONFIG
    Expr *lo, *hi, *by;  // IT_DIM; by may be NULL
    Name ragged_by;      // IT_DIM: ragged by name total expr; s NULL: not
    Expr *total;
    BlockParamList params;  // IT_BLOCK
    MemberList members;     // IT_BLOCK
    ParamList fn_params;    // IT_EXTERN
    ResultList results;     // IT_EXTERN
    ExprList steps;         // IT_RECIPE: calls
} Item;

typedef struct File {
    const char *name;  // as messages print it
    uint32_t base;     // its first offset, see diag_source
    int version;       // tfx 1; 0: missing or refused
    VEC(Item *) items;
} File;

#endif
