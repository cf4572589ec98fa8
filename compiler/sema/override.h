// override.h - what -D says of a config or a dim.

#ifndef TFXC_SEMA_OVERRIDE_H
#define TFXC_SEMA_OVERRIDE_H

#include "internal.h"

void override_config(Sema *s, const Item *item, Val *v);
void override_dim(Sema *s, const Item *item, int64_t *lo, int64_t *hi, int64_t by);

#endif
