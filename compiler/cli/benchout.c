// benchout.c - what driver/bench.c measured, as a table, as JSON and as a drawing.

#include "benchout.h"

#include "compiler/describe.h"

#include <inttypes.h>
#include <math.h>

// ---- words -------------------------------------------------------------------------------

static const char *spelled_ns(Arena *a, double ns)
{
    if (ns >= 1e9)
        return arena_printf(a, "%.3g s", ns / 1e9);
    if (ns >= 1e6)
        return arena_printf(a, "%.3g ms", ns / 1e6);
    return arena_printf(a, "%.3g us", ns / 1e3);
}

static const char *spelled_bytes(Arena *a, double n)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
    int u = 0;
    for (; n >= 1000 && u + 1 < COUNT(unit); u++)
        n /= 1000;
    return arena_printf(a, u ? "%.3g %s" : "%.0f %s", n, unit[u]);
}

// The part of the time that the machine would need, of products and attention.
static const char *spelled_roof(const Bench *b, double ns, double flop, double weights)
{
    double least = bench_least(b, flop, weights);
    if (flop <= 0 || least <= 0 || ns <= 0)
        return "-";
    return arena_printf(b->job->arena, "%.0f %%", least / ns * 100);
}

static const char *spelled_rate(const Bench *b, double ns, double flop)
{
    if (flop <= 0 || ns <= 0)
        return "-";
    return arena_printf(b->job->arena, "%.1f", flop / ns);
}

// What the format of a linear is said to cost.
static const char *spelled_cost(const Bench *b, double ns)
{
    return ns > 0 ? spelled_ns(b->job->arena, ns) : "-";
}

static double sum_ns(const Bench *b)
{
    double sum = 0;
    for (int i = 0; i < b->rows.n; i++)
        sum += b->rows.p[i].ns;
    return sum;
}

static double share(const Bench *b, const BenchRow *r)
{
    double sum = sum_ns(b);
    return sum > 0 ? r->ns / sum * 100 : 0;
}

static const char *place(const Bench *b, const BenchRow *r)
{
    if (!r->file)
        return "";
    return arena_printf(b->job->arena, "%s:%d", r->file, r->line);
}

// "T=128 P=0"
static const char *spelled_dims(const Bench *b)
{
    Text t;
    const Module *m = b->job->module;
    text_init(&t, b->job->arena);
    for (int i = 0; i < m->dims.n; i++)
        text_printf(&t, "%s%s=%" PRId64, i ? " " : "", m->dims.p[i]->name, b->dims[i]);
    return t.p;
}

// ---- the table -----------------------------------------------------------------------------

void bench_text(const Bench *b, Text *out)
{
    Arena *a = b->job->arena;
    text_printf(out, "entry     %s  %s\n", b->graph->name, spelled_dims(b));
    text_printf(out, "threads   %d\n", b->threads);
    text_printf(out, "limits    %.0f GFLOP/s, %.1f GB/s read, measured\n", b->gflops,
                b->gbytes);
    text_printf(out, "call      %s, median of %d; the fastest %s\n",
                spelled_ns(a, b->ns), b->runs, spelled_ns(a, b->least_ns));
    text_printf(out, "          %s GFLOP/s, %s of weights, roof %s\n",
                spelled_rate(b, b->ns, b->flop), spelled_bytes(a, b->weight_bytes),
                spelled_roof(b, b->ns, b->flop, b->weight_bytes));
    text_printf(out, "          %s with a mark before each op, as below\n",
                spelled_ns(a, b->marked_ns));
    if (b->linear_ns > 0)
        text_printf(out, "linears   %s of that, predicted %s\n",
                    spelled_ns(a, b->linear_ns), spelled_ns(a, b->predicted_ns));
    text_puts(out, "\n");
    text_printf(out, "%-20s %6s %10s %10s %6s %9s %9s %6s  %s\n", "op", "calls", "time",
                "predicted", "share", "GFLOP/s", "bytes", "roof", "what");
    for (int i = 0; i < b->rows.n; i++) {
        const BenchRow *r = &b->rows.p[i];
        text_printf(
            out, "%-20s %6.0f %10s %10s %5.1f%% %9s %9s %6s  %s  %s\n", r->name,
            r->calls, spelled_ns(a, r->ns), spelled_cost(b, r->predicted_ns),
            share(b, r), spelled_rate(b, r->ns, r->flop), spelled_bytes(a, r->bytes),
            spelled_roof(b, r->ns, r->flop, r->weight_bytes), r->what, place(b, r));
    }
}

// ---- JSON ------------------------------------------------------------------------------------

static void json_row(const Bench *b, const BenchRow *r, Text *out)
{
    text_puts(out, "    {\"name\": ");
    text_json(out, r->name);
    text_puts(out, ", \"what\": ");
    text_json(out, r->what);
    text_puts(out, ", \"at\": ");
    text_json(out, place(b, r));
    text_printf(out,
                ", \"calls\": %.0f, \"ns\": %.0f, \"flop\": %.0f, \"bytes\": %.0f, "
                "\"weight_bytes\": %.0f, \"least_ns\": %.0f",
                r->calls, r->ns, r->flop, r->bytes, r->weight_bytes,
                bench_least(b, r->flop, r->weight_bytes));
    if (r->predicted_ns > 0)
        text_printf(out, ", \"predicted_ns\": %.0f", r->predicted_ns);
    text_puts(out, "}");
}

void bench_json(const Bench *b, Text *out)
{
    const Module *m = b->job->module;
    text_puts(out, "{\n  \"model\": ");
    text_json(out, m->name);
    text_puts(out, ",\n  \"entry\": ");
    text_json(out, b->graph->name);
    text_puts(out, ",\n  \"dims\": {");
    for (int i = 0; i < m->dims.n; i++) {
        text_puts(out, i ? ", " : "");
        text_json(out, m->dims.p[i]->name);
        text_printf(out, ": %" PRId64, b->dims[i]);
    }
    text_printf(out,
                "},\n  \"threads\": %d,\n  \"peak_gflops\": %.3f,\n  \"read_gbytes\": "
                "%.3f,\n  \"runs\": %d,\n  \"ns\": %.0f,\n  \"fastest_ns\": %.0f,\n  "
                "\"marked_ns\": %.0f,\n  \"flop\": %.0f,\n  \"bytes\": %.0f,\n  "
                "\"weight_bytes\": %.0f,\n  \"least_ns\": %.0f,\n  \"ops\": [\n",
                b->threads, b->gflops, b->gbytes, b->runs, b->ns, b->least_ns,
                b->marked_ns, b->flop, b->bytes, b->weight_bytes,
                bench_least(b, b->flop, b->weight_bytes));
    for (int i = 0; i < b->rows.n; i++) {
        json_row(b, &b->rows.p[i], out);
        text_puts(out, i + 1 < b->rows.n ? ",\n" : "\n");
    }
    text_puts(out, "  ]\n}\n");
}

// ---- the drawing -------------------------------------------------------------------------------

enum { SVG_WIDE = 760, SVG_LEFT = 170, SVG_ROW = 20, SVG_TOP = 66, SVG_BAR = 380 };

static void svg_escaped(Text *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            text_puts(out, "&lt;");
        else if (*s == '&')
            text_puts(out, "&amp;");
        else if (*s == '>')
            text_puts(out, "&gt;");
        else
            text_put(out, s, 1);
    }
}

// A bar as long as the op's time; its darker part is what the machine needs at least.
static void svg_row(const Bench *b, const BenchRow *r, double y, double scale,
                    Text *out)
{
    double least = fmin(bench_least(b, r->flop, r->weight_bytes), r->ns);
    text_printf(out, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">", SVG_LEFT - 8,
                y + 13);
    svg_escaped(out, r->name);
    text_printf(out,
                "</text>\n<rect x=\"%d\" y=\"%.0f\" width=\"%.1f\" height=\"14\" "
                "fill=\"#a8c4e0\"/>\n",
                SVG_LEFT, y + 2, r->ns * scale);
    if (least > 0)
        text_printf(out,
                    "<rect x=\"%d\" y=\"%.0f\" width=\"%.1f\" height=\"14\" "
                    "fill=\"#2f6690\"/>\n",
                    SVG_LEFT, y + 2, least * scale);
    text_printf(out, "<text x=\"%.1f\" y=\"%.0f\">%s, %.1f %%</text>\n",
                (double)SVG_LEFT + r->ns * scale + 6, y + 13,
                spelled_ns(b->job->arena, r->ns), share(b, r));
}

void bench_svg(const Bench *b, Text *out)
{
    double most = 0;
    int high = SVG_TOP + b->rows.n * SVG_ROW + 12;
    for (int i = 0; i < b->rows.n; i++)
        most = fmax(most, b->rows.p[i].ns);
    double scale = most > 0 ? (double)SVG_BAR / most : 0;
    text_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
        "width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
        "<text x=\"16\" y=\"24\" font-size=\"15\">",
        SVG_WIDE, high, SVG_WIDE, high);
    svg_escaped(out, b->job->module->name);
    text_printf(out, " %s, %s, %d thread%s: %s</text>\n", b->graph->name,
                spelled_dims(b), b->threads, b->threads == 1 ? "" : "s",
                spelled_ns(b->job->arena, b->ns));
    text_printf(
        out,
        "<text x=\"16\" y=\"44\" fill=\"#555\">time of each op; dark: the least "
        "that %.0f GFLOP/s and %.1f GB/s allow</text>\n",
        b->gflops, b->gbytes);
    for (int i = 0; i < b->rows.n; i++)
        svg_row(b, &b->rows.p[i], SVG_TOP + i * SVG_ROW, scale, out);
    text_puts(out, "</svg>\n");
}
