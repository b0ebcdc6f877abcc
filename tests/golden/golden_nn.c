/* golden_nn DIR: run every reference case that DIR/manifest.tsv names (the README.md there says what they
 * are). A line for each that failed, `passed N of M` at the end; 0 when all passed and there was one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/golden_nn_case.h"

static const golden_kind *find_kind(const char *kind)
{
    const golden_kind *const tables[] = {golden_layer_kinds, golden_train_kinds};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const golden_kind *k = tables[t]; k->kind; k++)
            if (strcmp(k->kind, kind) == 0)
                return k;
    return NULL;
}

static bool run_case(const char *dir, char *line)
{
    static golden_case c;
    golden_open(&c, dir, line);
    const golden_kind *k = find_kind(c.kind);
    if (!k)
        golden_fail(&c, "unknown kind");
    if (!c.failed)
        k->run(&c);
    if (c.failed)
        printf("FAILED %s (%s): %s\n", c.name, c.kind, c.why);
    golden_close(&c);
    return !c.failed;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: golden_nn DIR\n");
        return 2;
    }
    static char line[GOLDEN_LINE];
    char path[2048];
    snprintf(path, sizeof path, "%s/manifest.tsv", argv[1]);
    FILE *f = fopen(path, "r");
    if (!f) {
        fprintf(stderr, "golden_nn: cannot open %s\n", path);
        return EXIT_FAILURE;
    }
    unsigned passed = 0, cases = 0;
    while (fgets(line, sizeof line, f)) {
        const size_t n = strcspn(line, "\r\n");
        if (n == sizeof line - 1)
            printf("FAILED: a line of the manifest is too long\n");
        line[n] = '\0';
        if (n == 0 || line[0] == '#')
            continue;
        cases++;
        passed += run_case(argv[1], line);
    }
    const bool broken = ferror(f) != 0;
    fclose(f);
    printf("passed %u of %u\n", passed, cases);
    return passed == cases && cases > 0 && !broken ? EXIT_SUCCESS : EXIT_FAILURE;
}
