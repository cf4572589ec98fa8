// parse.h - text to tree, and tree to canonical text.

#ifndef TFXC_PARSE_H
#define TFXC_PARSE_H

#include "ast.h"

// Parses a text already registered by diag_source at `base`. Always returns a File; what
// could not be read was reported to d and left out.
File *tfx_parse(Arena *a, Diag *d, const char *name, const char *text, size_t n,
                uint32_t base);

// Canonical form of a source text: two-space comments kept, one style. Formatting the
// result changes nothing. Returns false (and reports) when the text does not parse.
bool tfx_format(Arena *a, Diag *d, const char *name, const char *text, size_t n,
                Text *out);

#endif
