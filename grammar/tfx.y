/* tfx.y - the grammar of .tfx files.
 *
 * An action is one call of a builder (ast.c). It may not look anything up, report
 * anything, keep a pointer into the text, or have an opinion on what the tree means:
 * names that are not declared, shapes that do not fit and constructs this version lacks
 * are compiler/sema's.
 *
 * Newlines are blanks and `;` is optional, so a statement starts with a keyword or a
 * name and there are no expression statements. Words that are keywords in one place
 * only stay names elsewhere: see `name`.
 *
 * After a mistake the scanner's wrapper (parse.c) skips to what begins something; the
 * `error` rules here take it up again in the innermost list, and read the braces of
 * whatever was broken, so that one run finds the mistakes inside too.
 *
 * Stack: lists are left-recursive, brackets nest at most MAX_NESTING deep (parse.c
 * counts), so YYINITDEPTH states are enough; what is left (---x, a ** b ** c) runs into
 * it and is reported as nested too deeply. Nothing is allocated. */

%require "3.8"
%define api.pure full
%define api.prefix {tfx_yy}
%define api.token.prefix {T_}
%define api.location.type {Loc}
%define api.value.type union
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%start file
%param {Parser *p}

%code requires {
#include "grammar/parser.h"
}

%code provides {
int tfx_scan(TFX_YYSTYPE *value, Loc *loc, void *scanner);  /* tfx.l */
int tfx_yylex(TFX_YYSTYPE *value, Loc *loc, Parser *p);     /* parse.c, around it */
}

%code {
#define YYINITDEPTH 4000
#define YYMAXDEPTH 4000
#define YYMALLOC(n) ((void)(n), (void *)0)
#define YYFREE(x) ((void)(x))
#define YYLLOC_DEFAULT(cur, rhs, n)                                                  \
    ((cur) = (n) ? loc_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n))                      \
                 : (Loc){YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end})

static void tfx_yyerror(const Loc *loc, Parser *p, const char *message);
}

%initial-action { @$ = (Loc){p->base, p->base}; }

/* "end of file", "name" and the like are what messages say. */
%token YYEOF 0 "end of file"
%token <const char *> ID "name"
%token <int64_t> INT "integer"
%token <double> FLOAT "number"
%token <const char *> STRING "string"
%token <DType> DTYPE "dtype"

/* Hard keywords. */
%token FN "fn" LET "let" RETURN "return" FOR "for" IF "if" ELSE "else"
%token EXIT "exit" SCAN "scan" YIELD "yield" STORED "stored"

/* Keywords where the grammar has them, names elsewhere. */
%token <const char *>
    TFX "tfx" CONFIG "config" DIM "dim" WEIGHTS "weights" IMPORT "import" BLOCK "block"
    ENTRY "entry" STATE "state" CONST "const" IN "in" WHEN "when" FROM "from"
    RAGGED "ragged" AT "at" BY "by" TOTAL "total" EXTERN "extern" OP "op"
    TOKENIZER "tokenizer" RECIPE "recipe"

%token RANGE ".." REST "..." ARROW "->" POW "**" LE "<=" GE ">=" EQ "==" NE "!="

%left '|'
%left '&'
%nonassoc '<' '>' "<=" ">=" "==" "!="
%left '+' '-'
%left '*' '/' '@'
%precedence NEG
%right "**"

%type <Name> name string cursor path
%type <NameList> names vars pattern
%type <Expr *> expr post prim init cond target step
%type <ExprList> exprs steps
%type <ArgList> args arglist binds
%type <Arg> arg
%type <Index *> index
%type <IndexList> indexes
%type <Expr *> bound
%type <TypeExpr *> type
%type <DimExpr> dim
%type <DimList> dims stored
%type <Param> param
%type <ParamList> params paramlist
%type <Result> one_result
%type <ResultList> result resultlist
%type <Use> use
%type <BlockParam> block_param
%type <BlockParamList> block_params block_paramlist
%type <Stmt *> stmt
%type <Chain> chain
%type <StmtList> stmts broken_stmts body
%type <Member *> member signature
%type <MemberList> members
%type <Item *> dim_item

%%

/* ---- where a mistake is a new one, however near to the last ---------------------- */

open:       '{'          { yyerrok; } ;
close:      '}'          { yyerrok; } ;
config_:    "config"     { yyerrok; } ;
dim_:       "dim"        { yyerrok; } ;
weights_:   "weights"    { yyerrok; } ;
import_:    "import"     { yyerrok; } ;
block_:     "block"      { yyerrok; } ;
extern_:    "extern"     { yyerrok; } ;
tokenizer_: "tokenizer"  { yyerrok; } ;
recipe_:    "recipe"     { yyerrok; } ;
fn_:        "fn"         { yyerrok; } ;
let_:       "let"        { yyerrok; } ;
return_:    "return"     { yyerrok; } ;
for_:       "for"        { yyerrok; } ;
if_:        "if"         { yyerrok; } ;

/* ---- files ----------------------------------------------------------------------- */

file: items  { (void)yynerrs; } ;

items:
  %empty
| items item
| items ';'  { yyerrok; }
| broken_items
;

/* What was wrong had braces: if it was a block, its members are worth reading. */
broken_items:
  items error
| items error open members close  { (void)$4; }
;

item:
  "tfx" INT                    { file_version(p, @$, $2); }
| config_ configs
| dim_item
| weights_ string             { item_string(p, @$, IT_WEIGHTS, $2); }
| import_ string              { item_string(p, @$, IT_IMPORT, $2); }
| tokenizer_ string           { item_string(p, @$, IT_TOKENIZER, $2); }
| block_ name block_params open members close
                               { item_block(p, @$, $2, $3, $5); }
| extern_ "op" name '(' params ')' "->" result "from" string
                               { item_extern(p, @$, $3, $5, $8, $10); }
| recipe_ name open steps close  { item_recipe(p, @$, $2, $4); }
;

configs:
  config
| configs ',' config
;

config:
  name '=' expr                { item_config(p, @$, $1, $3); }
;

dim_item:
  dim_ name "in" expr ".." expr    { $$ = item_dim(p, @$, $2, $4, $6); }
| dim_item "by" expr                { item_by($1, @$, $3); $$ = $1; }
| dim_item "ragged" "by" name "total" expr
                                    { item_ragged($1, @$, $4, $6); $$ = $1; }
;

block_params:
  %empty                       { $$ = (BlockParamList){0}; }
| '(' ')'                      { $$ = (BlockParamList){0}; }
| '(' block_paramlist ')'      { $$ = $2; }
| '(' block_paramlist ',' ')'  { $$ = $2; }
;

block_paramlist:
  block_param                      { $$ = add_block_param(p, (BlockParamList){0}, $1); }
| block_paramlist ',' block_param  { $$ = add_block_param(p, $1, $3); }
;

block_param:
  name                         { $$ = (BlockParam){$1, NULL}; }
| name '=' expr                { $$ = (BlockParam){$1, $3}; }
;

steps:
  %empty                       { $$ = (ExprList){0}; }
| steps step                   { $$ = add_expr(p, $1, $2); }
| steps ';'                    { $$ = $1; }
| steps error                  { $$ = $1; }
;

step:
  name '(' args ')'            { $$ = expr_call(p, @$, @2, expr_name(p, $1), $3); }
;

/* ---- members of a block ---------------------------------------------------------- */

members:
  %empty                            { $$ = (MemberList){0}; }
| members member                    { $$ = add_member(p, $1, $2); }
| members ';'                       { $$ = $1; yyerrok; }
| members error                     { $$ = $1; }
| members error open stmts close    { $$ = $1; (void)$4; }
;

member:
  names ':' type stored path cond
      { $$ = member_from(member_weight(p, @$, $1, $3, $4), $5, $6); }
| names ':' use path cond
      { $$ = member_from(member_block(p, @$, $1, $3), $4, $5); }
| name '[' name '<' expr ']' ':' use path cond
      { $$ = member_from(member_array(p, @$, $1, $3, $5, $8), $9, $10); }
| "state" name ':' type init        { $$ = member_value(p, @$, MB_STATE, $2, $4, $5); }
| "const" name ':' type '=' expr    { $$ = member_value(p, @$, MB_CONST, $2, $4, $6); }
| signature body                    { $$ = member_body($1, @$, $2); }
;

signature:
  fn_ vars '(' params ')' "->" result
      { $$ = member_sign(member_fn(p, @$, (NameList){0}, $2), $4, (Name){0}, $7); }
| fn_ name vars '(' params ')' "->" result
      { $$ = member_sign(member_fn(p, @$, add_name(p, (NameList){0}, $2), $3), $5,
                         (Name){0}, $8); }
| "entry" name '(' params ')' cursor "->" result
      { $$ = member_sign(member_entry(p, @$, $2), $4, $6, $8); }
;

use:
  name                         { $$ = (Use){$1, {0}}; }
| name '(' args ')'            { $$ = (Use){$1, $3}; }
;

stored:
  %empty                       { $$ = (DimList){0}; }
| "stored" '[' dims ']'        { $$ = $3; }
| "stored" '[' dims ',' ']'    { $$ = $3; }
;

path:
  %empty                       { $$ = (Name){0}; }
| '=' string                   { $$ = $2; }
;

cond:
  %empty                       { $$ = NULL; }
| "if" expr                    { $$ = $2; }
;

init:
  %empty                       { $$ = NULL; }
| '=' expr                     { $$ = $2; }
;

vars:
  %empty                       { $$ = (NameList){0}; }
| '[' names ']'                { $$ = $2; }
| '[' names ',' ']'            { $$ = $2; }
;

cursor:
  %empty                       { $$ = (Name){0}; }
| "at" name                    { $$ = $2; }
;

params:
  %empty                       { $$ = (ParamList){0}; }
| paramlist
| paramlist ','                { $$ = $1; }
;

paramlist:
  param                        { $$ = add_param(p, (ParamList){0}, $1); }
| paramlist ',' param          { $$ = add_param(p, $1, $3); }
;

param:
  name ':' type                { $$ = (Param){$1, $3}; }
;

result:
  one_result                   { $$ = add_result(p, (ResultList){0}, $1); }
| '(' resultlist ')'           { $$ = $2; }
| '(' resultlist ',' ')'       { $$ = $2; }
;

resultlist:
  one_result                   { $$ = add_result(p, (ResultList){0}, $1); }
| resultlist ',' one_result    { $$ = add_result(p, $1, $3); }
;

one_result:
  type                         { $$ = (Result){{0}, $1}; }
| name ':' type                { $$ = (Result){$1, $3}; }
;

/* ---- types ----------------------------------------------------------------------- */

type:
  DTYPE                        { $$ = type_expr(p, @$, $1, (DimList){0}); }
| DTYPE '[' ']'                { $$ = type_expr(p, @$, $1, (DimList){0}); }
| DTYPE '[' dims ']'           { $$ = type_expr(p, @$, $1, $3); }
| DTYPE '[' dims ',' ']'       { $$ = type_expr(p, @$, $1, $3); }
;

dims:
  dim                          { $$ = add_dim(p, (DimList){0}, $1); }
| dims ',' dim                 { $$ = add_dim(p, $1, $3); }
;

dim:
  expr                         { $$ = (DimExpr){@$, $1}; }
| "..."                        { $$ = (DimExpr){@$, NULL}; }
;

/* ---- statements ------------------------------------------------------------------ */

body:
  open stmts close             { $$ = $2; }
;

stmts:
  %empty                       { $$ = (StmtList){0}; }
| stmts stmt                   { $$ = add_stmt(p, $1, $2); }
| stmts ';'                    { $$ = $1; yyerrok; }
| broken_stmts
;

/* Had it been a loop or an if, its braces are read. */
broken_stmts:
  stmts error                            { $$ = $1; }
| stmts error body                       { $$ = $1; (void)$3; }
| stmts error body "else" body           { $$ = $1; (void)$3, (void)$5; }
| stmts error body "else" chain          { $$ = $1; (void)$3, (void)$5; }
| stmts error body "else" chain "else" body
                                         { $$ = $1; (void)$3, (void)$5, (void)$7; }
;

stmt:
  let_ "dim" name "in" expr ".." expr   { $$ = stmt_let_dim(p, @$, $3, $5, $7); }
| let_ pattern '=' expr                 { $$ = stmt_let(p, @$, $2, NULL, $4); }
| let_ name ':' type '=' expr
      { $$ = stmt_let(p, @$, add_name(p, (NameList){0}, $2), $4, $6); }
| target '=' expr                        { $$ = stmt_assign(p, @$, $1, $3); }
| return_ expr                          { $$ = stmt_value(p, @$, ST_RETURN, $2); }
| "yield" expr                           { $$ = stmt_value(p, @$, ST_YIELD, $2); }
| for_ name "in" expr body              { $$ = stmt_for(p, @$, $2, $4, NULL, $5); }
| for_ name "in" expr ".." expr body    { $$ = stmt_for(p, @$, $2, $4, $6, $7); }
| chain                                  { $$ = stmt_if(p, @$, $1); }
| chain "else" body                      { $$ = stmt_if_else(p, @$, $1, $3); }
| "exit" "when" expr "->" expr           { $$ = stmt_exit(p, @$, $3, $5); }
;

chain:
  if_ expr body               { $$ = chain_if(p, @$, $2, $3); }
| chain "else" if_ expr body  { $$ = chain_else_if(p, $1, loc_join(@3, @5), $4, $5); }
;

pattern:
  name                         { $$ = add_name(p, (NameList){0}, $1); }
| '(' names ')'                { $$ = $2; }
| '(' names ',' ')'            { $$ = $2; }
;

target:
  name                         { $$ = expr_name(p, $1); }
| name '[' indexes ']'         { $$ = expr_index(p, @$, @2, expr_name(p, $1), $3); }
| name '[' indexes ',' ']'     { $$ = expr_index(p, @$, @2, expr_name(p, $1), $3); }
| name '.' name                { $$ = expr_member(p, @$, expr_name(p, $1), $3); }
;

/* ---- expressions ----------------------------------------------------------------- */

expr:
  expr '+' expr                { $$ = expr_binary(p, @$, @2, BIN_ADD, $1, $3); }
| expr '-' expr                { $$ = expr_binary(p, @$, @2, BIN_SUB, $1, $3); }
| expr '*' expr                { $$ = expr_binary(p, @$, @2, BIN_MUL, $1, $3); }
| expr '/' expr                { $$ = expr_binary(p, @$, @2, BIN_DIV, $1, $3); }
| expr '@' expr                { $$ = expr_binary(p, @$, @2, BIN_MATMUL, $1, $3); }
| expr "**" expr               { $$ = expr_binary(p, @$, @2, BIN_POW, $1, $3); }
| expr '<' expr                { $$ = expr_binary(p, @$, @2, BIN_LT, $1, $3); }
| expr '>' expr                { $$ = expr_binary(p, @$, @2, BIN_GT, $1, $3); }
| expr "<=" expr               { $$ = expr_binary(p, @$, @2, BIN_LE, $1, $3); }
| expr ">=" expr               { $$ = expr_binary(p, @$, @2, BIN_GE, $1, $3); }
| expr "==" expr               { $$ = expr_binary(p, @$, @2, BIN_EQ, $1, $3); }
| expr "!=" expr               { $$ = expr_binary(p, @$, @2, BIN_NE, $1, $3); }
| expr '&' expr                { $$ = expr_binary(p, @$, @2, BIN_AND, $1, $3); }
| expr '|' expr                { $$ = expr_binary(p, @$, @2, BIN_OR, $1, $3); }
| '-' expr %prec NEG           { $$ = expr_neg(p, @$, @1, $2); }
| post
| "scan" name "in" expr "from" binds body
                               { $$ = expr_scan(p, @$, $2, $4, $6, $7); }
;

post:
  prim
| post '\''                    { $$ = expr_swap(p, @$, @2, $1); }
| post '(' args ')'            { $$ = expr_call(p, @$, @2, $1, $3); }
| post '[' indexes ']'         { $$ = expr_index(p, @$, @2, $1, $3); }
| post '[' indexes ',' ']'     { $$ = expr_index(p, @$, @2, $1, $3); }
| post '.' name                { $$ = expr_member(p, @$, $1, $3); }
;

prim:
  name                         { $$ = expr_name(p, $1); }
| INT                          { $$ = expr_int(p, @$, $1); }
| FLOAT                        { $$ = expr_float(p, @$, $1); }
| STRING                       { $$ = expr_string(p, @$, $1); }
| DTYPE                        { $$ = expr_dtype(p, @$, $1); }
| '(' exprs ')'                { $$ = expr_paren(p, @$, $2); }
| '(' exprs ',' ')'            { $$ = expr_items(p, @$, EX_TUPLE, $2); }
| '[' exprs ']'                { $$ = expr_items(p, @$, EX_LIST, $2); }
| '[' exprs ',' ']'            { $$ = expr_items(p, @$, EX_LIST, $2); }
;

exprs:
  expr                         { $$ = add_expr(p, (ExprList){0}, $1); }
| exprs ',' expr               { $$ = add_expr(p, $1, $3); }
;

args:
  %empty                       { $$ = (ArgList){0}; }
| arglist
| arglist ','                  { $$ = $1; }
;

arglist:
  arg                          { $$ = add_arg(p, (ArgList){0}, $1); }
| arglist ',' arg              { $$ = add_arg(p, $1, $3); }
;

arg:
  expr                         { $$ = (Arg){NULL, {0, 0}, $1}; }
| name '=' expr                { $$ = (Arg){$1.s, $1.loc, $3}; }
;

binds:
  name '=' expr
      { $$ = add_arg(p, (ArgList){0}, (Arg){$1.s, $1.loc, $3}); }
| binds ',' name '=' expr      { $$ = add_arg(p, $1, (Arg){$3.s, $3.loc, $5}); }
;

indexes:
  index                        { $$ = add_index(p, (IndexList){0}, $1); }
| indexes ',' index            { $$ = add_index(p, $1, $3); }
;

index:
  expr                         { $$ = index_at(p, @$, $1); }
| "..."                        { $$ = index_rest(p, @$); }
| bound ':' bound              { $$ = index_slice(p, @$, $1, $3, NULL); }
| bound ':' bound ':' bound    { $$ = index_slice(p, @$, $1, $3, $5); }
;

bound:
  %empty                       { $$ = NULL; }
| expr
;

string:
  STRING                       { $$ = (Name){$1, @$}; }
;

names:
  name                         { $$ = add_name(p, (NameList){0}, $1); }
| names ',' name               { $$ = add_name(p, $1, $3); }
;

name:
  ID         { $$ = (Name){$1, @$}; }
| TFX        { $$ = (Name){$1, @$}; }
| CONFIG     { $$ = (Name){$1, @$}; }
| DIM        { $$ = (Name){$1, @$}; }
| WEIGHTS    { $$ = (Name){$1, @$}; }
| IMPORT     { $$ = (Name){$1, @$}; }
| BLOCK      { $$ = (Name){$1, @$}; }
| ENTRY      { $$ = (Name){$1, @$}; }
| STATE      { $$ = (Name){$1, @$}; }
| CONST      { $$ = (Name){$1, @$}; }
| IN         { $$ = (Name){$1, @$}; }
| WHEN       { $$ = (Name){$1, @$}; }
| FROM       { $$ = (Name){$1, @$}; }
| RAGGED     { $$ = (Name){$1, @$}; }
| AT         { $$ = (Name){$1, @$}; }
| BY         { $$ = (Name){$1, @$}; }
| TOTAL      { $$ = (Name){$1, @$}; }
| EXTERN     { $$ = (Name){$1, @$}; }
| OP         { $$ = (Name){$1, @$}; }
| TOKENIZER  { $$ = (Name){$1, @$}; }
| RECIPE     { $$ = (Name){$1, @$}; }
;

%%

static int yyreport_syntax_error(const yypcontext_t *c, Parser *p)
{
    yysymbol_kind_t kinds[YYNTOKENS];
    const char *expected[YYNTOKENS];
    yysymbol_kind_t token = yypcontext_token(c);
    if (p->stopped || token == YYSYMBOL_YYEMPTY)
        return 0;
    int n = yypcontext_expected_tokens(c, kinds, YYNTOKENS);
    for (int i = 0; i < n; i++)
        expected[i] = yysymbol_name(kinds[i]);
    Loc loc = *yypcontext_location(c);
    syntax_error(p, &(Unexpected){yysymbol_name(token), loc, expected, n > 0 ? n : 0});
    return 0;
}

/* Bison calls it only when the stack is full. */
static void tfx_yyerror(const Loc *loc, Parser *p, const char *message)
{
    (void)message;
    parser_too_deep(p, *loc);
}
