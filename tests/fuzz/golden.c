// golden.c - fuzzes the reader of golden files.

#include "compiler/driver/golden.h"
#include "fuzz.h"
#include "tempfile.h"

void fuzz_one(Arena *a, const char *text, size_t n)
{
    Settings set;
    Job job;
    CaseList cases = {NULL, 0, 0};
    settings_init(&set, a);
    job_init(&job, &set, a);
    bool ok = golden_read(&job, temp_file(text, n), &cases);
    fuzz_expect(ok == (diag_errors(job.diag) == 0), "an error, or cases", "");
    job_close(&job);
}
