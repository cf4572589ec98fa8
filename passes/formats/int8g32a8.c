// int8g32a8 - int8g32, and activations rounded as the program runs: of each row, every 32 along k to
// q s, s = max |x| / 127 of the 32. Packed as int8g32 is.

#include "passes/format.h"

int64_t bytes_int8g32a8(const FormatSize *w)
{
    return bytes_int8g32(w);
}

bool pack_int8g32a8(const FormatSize *w, FormatIo *io)
{
    return pack_int8g32(w, io);
}

void mean_int8g32a8(const FormatSize *w, float *rows)
{
    mean_int8g32(w, rows);
}

double cost_int8g32a8(const FormatSize *w, int64_t m, const FormatRates *r)
{
    return cost_int8g32(w, m, r);
}
