// path.h - names of tensors in the checkpoint.

#ifndef TFXC_SEMA_PATH_H
#define TFXC_SEMA_PATH_H

#include "internal.h"

// The path of member m of `in` under its `which`-th name; index NULL: not an array
// element, else what stands for {i}: "3" or "{i}".
const char *member_path(Sema *s, Instance *in, const Member *m, int which,
                        const char *index);

// What the source calls the member: "layer.{i}.attn".
const char *member_name(Sema *s, const Instance *in, const Member *m, int which,
                        const char *index);

#endif
