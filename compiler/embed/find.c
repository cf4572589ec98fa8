// find.c - looking up an embedded text.

#include "embed.h"

#include <string.h>

const Embedded *embedded_find(const char *name)
{
    for (int i = 0; i < embedded_count; i++)
        if (strcmp(embedded[i].name, name) == 0)
            return &embedded[i];
    return NULL;
}
