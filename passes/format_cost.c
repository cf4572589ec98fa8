// format_cost.c - what a product with packed weights costs, by the rates of a machine.
//
//     cost = weights t(m) + bytes wait(m) + m k x + m n y        nanoseconds
//
// t(m) is what a weight takes that is in a cache, multiplied with m rows; wait(m) what a byte
// of weights takes more that is not. The larger of both times was meant to be the cost, but
// how much of the reading is hidden behind products is a matter of the kernel: with many rows
// by tiles next to nothing. So it is measured. Neither is a line in m (vectors do one row,
// registers a few, tiles 16 and more); between what was measured lines are drawn.

#include "format.h"

const int64_t format_rows[FORMAT_ROWS] = {1, 16, FORMAT_MANY};

// Through the points; `beyond` the last goes on as a line, or stays as it is.
static double at_rows(double m, const double t[FORMAT_ROWS], bool beyond)
{
    int i = 1;
    while (i + 1 < FORMAT_ROWS && m > (double)format_rows[i])
        i++;
    double m0 = (double)format_rows[i - 1], m1 = (double)format_rows[i];
    if (m > m1 && !beyond)
        m = m1;
    return t[i - 1] + (t[i] - t[i - 1]) * (m - m0) / (m1 - m0);
}

double format_cost(const FormatSize *w, int64_t m, const FormatRates *r, int64_t bytes,
                   int64_t weights)
{
    double rows = (double)m;
    return (double)weights * at_rows(rows, r->weight, true) +
           (double)bytes * at_rows(rows, r->wait, false) +
           rows * ((double)w->k * r->x + (double)w->n * r->y);
}
