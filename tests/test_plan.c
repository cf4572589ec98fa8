// test_plan.c - places in scratch: a plan that overlaps is told, and what the planner makes
// does not.

#include "compiler/stages.h"
#include "looptexts.h"

static const Edit overlaps[] = {
    {"two locals in one place", "width=4] at 384", "width=4] at 256",
     "forward: x is read after something else was written over it\n"},
    {"locals that overlap in part", "width=4] at 384", "width=4] at 320",
     "forward: x is read after something else was written over it\n"},
    {"a frame over an operand of the call", "record layer[i] at 0",
     "record layer[i] at 128", "forward: x lies under the frame of layer\n"},
    {"a frame over a local", "record layer[i] at 0", "record layer[i] at 192",
     "forward: exp_ is read after something else was written over it\n"},
    {"a frame outside its caller's", "record layer[i] at 0", "record layer[i] at 448",
     "forward: the frame of layer is outside\n"},
    {"a local outside the frame", "width=4] at 384", "width=4] at 448",
     "forward: exp_ is written outside the frame\n"},
    {"a local without a place", "width=4] at 384", "width=4]",
     "forward: exp_ is read but has no place\n"},
};

// down_rounded may lie over norm_rounded, of which it is made, but over nothing else.
static const Edit rounded_overlaps[] = {
    {"rounded rows over the product they are of", "down_rounded: f32[17*T] at 0",
     "down_rounded: f32[17*T] at 512",
     "forward: down is read after something else was written over it\n"},
    {"a product over its rounded operand", "gate: f32[T, 16] at 576",
     "gate: f32[T, 16] at 512",
     "forward: x_rounded is read after something else was written over it\n"},
    {"a norm's rounded rows over what it reads", "norm_rounded: f32[17*T] at 0",
     "norm_rounded: f32[17*T] at 64",
     "forward: gate is read after something else was written over it\n"},
};

static void check_overlaps(Arena *a, const char *text, int n, const Edit *edit)
{
    for (int i = 0; i < n; i++) {
        const Edit *e = &edit[i];
        Diag *d = diag_new(a);
        Prog *p = parse(a, d, edited(a, text, e->from, e->to));
        cr_assert(p != NULL, "%s: %s", e->claim, messages(a, d));
        Text why;
        text_init(&why, a);
        cr_expect(!plan_check(p, &why), "%s", e->claim);
        cr_expect(strstr(why.p, e->message) != NULL, "%s: %s", e->claim, why.p);
    }
    Text why;
    text_init(&why, a);
    Prog *p = parse(a, diag_new(a), text);
    cr_assert(p != NULL);
    cr_expect(plan_check(p, &why), "%s", why.p);
}

Test(plan, plans_that_overlap_are_told)
{
    Arena *a = arena_new();
    const char *rounded = program_of(a, "rounded");
    check_overlaps(a, small_program(a), COUNT(overlaps), overlaps);
    check_overlaps(a, rounded, COUNT(rounded_overlaps), rounded_overlaps);
    arena_free(a);
}

// What the second turn would read is seen at any depth.
Test(plan, deep_loops_are_checked_at_once)
{
    Arena *a = arena_new();
    Text text, why;
    text_init(&text, a);
    text_init(&why, a);
    const int depth = 11;
    text_puts(&text, "program m\nmodule \"m\"\n"
                     "memory weights 0 state 0 scratch 128 work 0\n"
                     "record M \"\" {\n}\nentry e frame 128 {\n"
                     "    out y: f32[4]\n    local a: f32[4] at 0\n"
                     "    local b: f32[4] at 64\n"
                     "    for i in 0 .. 4 {\n        a[i] = 1.0\n    }\n");
    for (int i = 0; i < depth; i++)
        text_printf(&text, "for i%d in 0 .. 2 {\n", i);
    text_puts(&text, "for j in 0 .. 4 {\nb[j] = a[j]\n}\n");
    for (int i = 0; i < depth; i++)
        text_puts(&text, "}\n");
    text_puts(&text, "    for i in 0 .. 4 {\n        y[i] = b[i]\n    }\n}\n");
    Diag *d = diag_new(a);
    Prog *p = parse(a, d, text.p);
    cr_assert(p != NULL, "%s", messages(a, d));
    cr_expect(plan_check(p, &why), "%s", why.p);
    p = parse(a, d, edited(a, text.p, "at 64", "at 8"));
    cr_assert(p != NULL, "%s", messages(a, d));
    cr_expect(!plan_check(p, &why));
    arena_free(a);
}

// The kernels' scratch begins right above what lives during them: lower is an overlap.
Test(plan, the_scratch_of_kernels_lies_over_nothing_live)
{
    Arena *a = arena_new();
    Settings set;
    Job job;
    Text why;
    settings_init(&set, a);
    job_init(&job, &set, a);
    text_init(&why, a);
    cr_assert(job_build(&job, rooted(a, "examples/models/stories260K.tfx")) &&
              job_lower(&job));
    Prog *p = job.prog;
    cr_expect(p->work_at < p->scratch_bytes - p->work_bytes + 64);
    cr_expect(p->scratch_bytes == p->least_scratch);
    cr_expect(plan_check(p, &why), "%s", why.p);
    p->work_at -= 64;
    cr_expect(!plan_check(p, &why));
    cr_expect(strstr(why.p, "attn: y lies under the kernels' scratch\n") != NULL, "%s",
              why.p);
    job_close(&job);
    arena_free(a);
}
