// benchout.h - what driver/bench.c measured, as a table, as JSON and as a drawing.

#ifndef TFXC_BENCHOUT_H
#define TFXC_BENCHOUT_H

#include "compiler/driver/bench.h"

void bench_text(const Bench *b, Text *out);
void bench_json(const Bench *b, Text *out);
void bench_svg(const Bench *b, Text *out);

#endif
