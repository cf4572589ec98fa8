// make.c - writes texts of the source tree as C arrays; a program of the build only.
//
//     embed-make OUT.c DEPFILE ROOT FOLDER-OR-FILE...
//
// Every file, and every *.tfx, *.h, *.c and *.def in the folders (relative to ROOT, not
// below them) becomes one array, named by its path without the first folder. The folders themselves are
// dependencies too, so that a new file is seen without an edit of meson.build. Numbers
// rather than string literals: those are limited in length by the C standard.

#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 256, MAX_PATH = 1024 };

typedef struct Found {
    char path[MAX_PATH];  // from ROOT on
} Found;

typedef struct List {
    Found file[MAX_FILES];
    int n;
} List;

static bool is_wanted(const char *name)
{
    static const char *const endings[] = {".tfx", ".h", ".c", ".def"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        size_t k = strlen(endings[i]);
        if (n > k && strcmp(name + n - k, endings[i]) == 0)
            return name[0] != '.';
    }
    return false;
}

static bool add(List *list, const char *folder, const char *name)
{
    const char *slash = *name ? "/" : "";
    if (list->n == MAX_FILES || snprintf(list->file[list->n].path, MAX_PATH, "%s%s%s",
                                         folder, slash, name) >= MAX_PATH) {
        fprintf(stderr, "%s: too many files, or a name too long\n", folder);
        return false;
    }
    list->n++;
    return true;
}

static bool list_folder(List *list, const char *root, const char *folder)
{
    char full[2 * MAX_PATH];
    bool ok = true;
    snprintf(full, sizeof(full), "%s/%s", root, folder);
    DIR *dir = opendir(full);
    if (!dir && errno == ENOTDIR)
        return add(list, folder, "");
    if (!dir) {
        perror(full);
        return false;
    }
    for (struct dirent *e; ok && (e = readdir(dir)) != NULL;)
        if (is_wanted(e->d_name))
            ok = add(list, folder, e->d_name);
    closedir(dir);
    return ok;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const Found *)a)->path, ((const Found *)b)->path);
}

static bool write_array(FILE *out, const char *root, const char *path, int id,
                        size_t *size)
{
    char full[2 * MAX_PATH];
    snprintf(full, sizeof(full), "%s/%s", root, path);
    FILE *in = fopen(full, "rb");
    if (!in) {
        perror(full);
        return false;
    }
    fprintf(out, "\n// %s\nstatic const unsigned char text_%d[] = {", path, id);
    *size = 0;
    for (int c; (c = getc(in)) != EOF; (*size)++)
        fprintf(out, "%s%d,", *size % 20 == 0 ? "\n    " : "", c);
    fprintf(out, "\n    0};\n");
    bool ok = !ferror(in);
    fclose(in);
    return ok;
}

static bool write_all(FILE *out, const char *root, const List *list)
{
    static size_t size[MAX_FILES];
    fprintf(out, "// Made by embed/make.c; do not edit.\n\n"
                 "#include \"compiler/embed/embed.h\"\n");
    for (int i = 0; i < list->n; i++)
        if (!write_array(out, root, list->file[i].path, i, &size[i]))
            return false;
    fprintf(out, "\nconst Embedded embedded[] = {\n");
    for (int i = 0; i < list->n; i++)
        fprintf(out, "    {\"%s\", (const char *)text_%d, %zu},\n",
                strchr(list->file[i].path, '/') + 1, i, size[i]);
    fprintf(out, "    {0, 0, 0}};\n\nconst int embedded_count = %d;\n", list->n);
    return !ferror(out);
}

int main(int argc, char **argv)
{
    static List list;
    if (argc < 5) {
        fprintf(stderr, "usage: embed-make OUT.c DEPFILE ROOT FOLDER-OR-FILE...\n");
        return 2;
    }
    for (int i = 4; i < argc; i++)
        if (!list_folder(&list, argv[3], argv[i]))
            return 1;
    qsort(list.file, (size_t)list.n, sizeof(*list.file), by_path);

    FILE *dep = fopen(argv[2], "w");
    FILE *out = fopen(argv[1], "w");
    bool ok = dep && out && write_all(out, argv[3], &list);
    if (dep) {
        fprintf(dep, "%s:", argv[1]);
        for (int i = 4; i < argc; i++)
            fprintf(dep, " %s/%s", argv[3], argv[i]);
        for (int i = 0; i < list.n; i++)
            fprintf(dep, " %s/%s", argv[3], list.file[i].path);
        fprintf(dep, "\n");
        ok = fclose(dep) == 0 && ok;
    }
    if (out)
        ok = fclose(out) == 0 && ok;
    if (!ok)
        perror(argv[1]);
    return ok ? 0 : 1;
}
