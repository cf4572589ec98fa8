// parser.h - what scanner, grammar and builders share: nobody else includes it.

#ifndef TFXC_PARSER_H
#define TFXC_PARSER_H

#include "parse.h"

enum {
    MAX_NESTING = 200,  // open brackets, else-ifs, turns of the scanner's memory
    MAX_HEIGHT = 500    // of an expression's tree: a + b + c has height 3
};

// A block used by a member: Linear(a, b). A bare name has no arguments.
typedef struct Use {
    Name name;
    ArgList args;
} Use;

// if .. else if .. : grows at `last`, so that a long chain needs no stack.
typedef struct Chain {
    Stmt *first, *last;
    int n;
} Chain;

typedef struct Bracket {
    int kind;  // '(' '[' '{'
    Loc loc;
} Bracket;

typedef struct Parser {
    Arena *arena;
    Diag *diag;
    File *file;
    const char *text;
    size_t n;
    uint32_t base, at;  // at: where the scanner stands, base included
    void *scanner;
    Bracket open[MAX_NESTING];  // brackets open at the token read last
    int opens;
    int header;   // the last `block`, `fn`, `entry`, `recipe` seen
    int closing;  // '}' to hand out before the held token
    int held;     // a token waiting for them; 0: none
    Loc held_loc;
    const char *held_text;
    int first;        // the first token of the text
    int last;         // the token handed out last
    Loc block_end;    // the last '}' after which nothing was open
    bool unopened;    // it is a '}' that closes nothing
    bool skip_items;  // skipping between items, not inside one
    bool skipping;    // after an error: on to the next token that begins something
    bool versioned;   // a version was given, if only a wrong one
    bool stopped;     // an error after which reading on would be guessing
} Parser;

// ---- parse.c ------------------------------------------------------------------------

bool starts_line(const Parser *p, Loc loc);  // only blanks before it on its line
void parser_stop(Parser *p);
void parser_too_deep(Parser *p, Loc loc);
void parser_skip(Parser *p, Loc loc);  // after a mistake at the last token

// ---- tfx.l --------------------------------------------------------------------------

void scanner_open(Parser *p);
void scanner_close(Parser *p);

// ---- scan.c: the values of tokens ---------------------------------------------------

int64_t scan_int(Parser *p, Loc loc, const char *s, int n);
double scan_float(Parser *p, Loc loc, const char *s, int n);
const char *scan_string(Parser *p, Loc loc, const char *s, int n);  // with its quotes
bool scan_dtype(const char *s, DType *d);
void scan_line(Parser *p, Loc loc, const char *s, int n);     // a comment
void scan_comment(Parser *p, Loc loc, const char *s, int n);  // a C comment
void scan_stray(Parser *p, Loc loc, const char *s, int n);

// ---- syntax.c: what a syntax error says ---------------------------------------------

typedef struct Unexpected {
    const char *token;  // the grammar's name of it: "let", "name", "'('"
    Loc loc;
    const char **expected;
    int n;
} Unexpected;

void syntax_error(Parser *p, const Unexpected *u);

// ---- ast.c: builders, one call per action -------------------------------------------

ExprList add_expr(Parser *p, ExprList list, Expr *e);
StmtList add_stmt(Parser *p, StmtList list, Stmt *s);
NameList add_name(Parser *p, NameList list, Name n);
ArgList add_arg(Parser *p, ArgList list, Arg a);
IndexList add_index(Parser *p, IndexList list, Index *x);
DimList add_dim(Parser *p, DimList list, DimExpr x);
ParamList add_param(Parser *p, ParamList list, Param x);
ResultList add_result(Parser *p, ResultList list, Result x);
MemberList add_member(Parser *p, MemberList list, Member *m);
BlockParamList add_block_param(Parser *p, BlockParamList list, BlockParam x);

Expr *expr_name(Parser *p, Name n);
Expr *expr_int(Parser *p, Loc loc, int64_t i);
Expr *expr_float(Parser *p, Loc loc, double x);
Expr *expr_string(Parser *p, Loc loc, const char *s);
Expr *expr_dtype(Parser *p, Loc loc, DType d);
Expr *expr_items(Parser *p, Loc loc, ExprKind kind, ExprList items);
Expr *expr_paren(Parser *p, Loc loc, ExprList items);  // (e) or a tuple
Expr *expr_neg(Parser *p, Loc loc, Loc op, Expr *a);
Expr *expr_binary(Parser *p, Loc loc, Loc op_loc, BinOp op, Expr *a, Expr *b);
Expr *expr_swap(Parser *p, Loc loc, Loc op, Expr *a);
Expr *expr_call(Parser *p, Loc loc, Loc open, Expr *a, ArgList list);
Expr *expr_index(Parser *p, Loc loc, Loc open, Expr *a, IndexList list);
Expr *expr_member(Parser *p, Loc loc, Expr *a, Name n);
Expr *expr_scan(Parser *p, Loc loc, Name n, Expr *a, ArgList from, StmtList body);

Index *index_at(Parser *p, Loc loc, Expr *e);
Index *index_rest(Parser *p, Loc loc);
Index *index_slice(Parser *p, Loc loc, Expr *start, Expr *stop, Expr *step);

TypeExpr *type_expr(Parser *p, Loc loc, DType d, DimList list);

Stmt *stmt_let(Parser *p, Loc loc, NameList targets, TypeExpr *type, Expr *value);
Stmt *stmt_let_dim(Parser *p, Loc loc, Name n, Expr *lo, Expr *hi);
Stmt *stmt_assign(Parser *p, Loc loc, Expr *target, Expr *value);
Stmt *stmt_value(Parser *p, Loc loc, StmtKind kind, Expr *value);
Stmt *stmt_for(Parser *p, Loc loc, Name n, Expr *value, Expr *hi, StmtList body);
Stmt *stmt_exit(Parser *p, Loc loc, Expr *when, Expr *result);
Chain chain_if(Parser *p, Loc loc, Expr *cond, StmtList body);
Chain chain_else_if(Parser *p, Chain c, Loc loc, Expr *cond, StmtList body);
Stmt *stmt_if(Parser *p, Loc loc, Chain c);
Stmt *stmt_if_else(Parser *p, Loc loc, Chain c, StmtList otherwise);

Member *member_weight(Parser *p, Loc loc, NameList list, TypeExpr *type,
                      DimList stored);
Member *member_block(Parser *p, Loc loc, NameList list, Use use);
Member *member_array(Parser *p, Loc loc, Name n, Name index, Expr *count, Use use);
Member *member_from(Member *m, Name path, Expr *cond);
Member *member_value(Parser *p, Loc loc, MemberKind kind, Name n, TypeExpr *t,
                     Expr *init);
Member *member_fn(Parser *p, Loc loc, NameList list, NameList vars);
Member *member_entry(Parser *p, Loc loc, Name n);
Member *member_sign(Member *m, ParamList in, Name cursor, ResultList out);
Member *member_body(Member *m, Loc loc, StmtList body);

void file_version(Parser *p, Loc loc, int64_t version);
void item_config(Parser *p, Loc loc, Name n, Expr *value);
Item *item_new(Parser *p, Loc loc, ItemKind kind, Name n);
void item_string(Parser *p, Loc loc, ItemKind kind, Name s);
Item *item_dim(Parser *p, Loc loc, Name n, Expr *lo, Expr *hi);
void item_ragged(Item *item, Loc loc, Name by, Expr *total);
void item_by(Item *item, Loc loc, Expr *by);
void item_block(Parser *p, Loc loc, Name n, BlockParamList in, MemberList list);
void item_extern(Parser *p, Loc loc, Name n, ParamList in, ResultList out, Name from);
void item_recipe(Parser *p, Loc loc, Name n, ExprList steps);

#endif
