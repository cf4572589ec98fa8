// report.h - what becomes of each weight: format, bytes, error; and of memory.

#ifndef TFXC_REPORT_H
#define TFXC_REPORT_H

#include "layout.h"

// The steps of the chosen recipes, then a line for every packed matrix of a linear: its
// format, its bytes (scales and indices included), and |w - packed| / |w| in the sum of
// squares, w being what the checkpoint has. Of a low-rank pair the product counts; the line
// of the right factor says so. Without a checkpoint there are no errors to tell.
void report_weights(const Layout *y, Checkpoint *ck, Text *out);
// The same as a further member of an object, "matrices"; "error" is null where there is none
// to tell, and of a right factor.
void report_weights_json(const Layout *y, Checkpoint *ck, Text *out);

// Bytes of the regions; of scratch also the least possible, and how many times that it is.
void report_memory(const Layout *y, Text *out);
void report_memory_json(const Layout *y, Text *out);  // a further member of an object

#endif
