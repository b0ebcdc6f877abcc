/* golden_augment DIR: run the reference cases of every *_cases.tsv in DIR. A line for each that failed,
 * `passed N of M` at the end; 0 when all passed and there was one. A table of an unknown kind is a failure.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/golden_augment_cases.h"
#include "golden/golden_image_cases.h"

static const struct {
    const char *table;
    golden_run *run;
} kinds[] = {
    {"directory_cases.tsv", golden_directory_case},
    {"fit_cases.tsv", golden_fit_case},
    {"iterator_cases.tsv", golden_iterator_case},
    {"iterator_order_cases.tsv", golden_order_case},
    {"load_cases.tsv", golden_load_case},
    {"ninecrop_cases.tsv", golden_ninecrop_case},
    {"permutation_cases.tsv", golden_permutation_case},
    {"resize_cases.tsv", golden_resize_case},
    {"rng_cases.tsv", golden_rng_case},
    {"standardize_cases.tsv", golden_standardize_case},
    {"transform_cases.tsv", golden_transform_case},
};

static golden_tally run_table(const char *dir, const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].table, name) == 0)
            return golden_table_run(dir, name, kinds[i].run);
    printf("FAILED %s: unknown kind of cases\n", name);
    return (golden_tally){0, 1};
}

static int is_table(const struct dirent *e)
{
    static const char end[] = "_cases.tsv";
    const size_t n = strlen(e->d_name), m = sizeof end - 1;
    return n > m && strcmp(e->d_name + n - m, end) == 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    if (argc != 2) {
        fprintf(stderr, "usage: golden_augment DIR\n");
        return 2;
    }
    const int n = scandir(argv[1], &entries, is_table, alphasort);
    if (n < 0) {
        fprintf(stderr, "golden_augment: cannot read the folder %s\n", argv[1]);
        return EXIT_FAILURE;
    }
    golden_tally all = {0, 0};
    for (int i = 0; i < n; i++) {
        const golden_tally one = run_table(argv[1], entries[i]->d_name);
        all.passed += one.passed, all.run += one.run;
        free(entries[i]);
    }
    free(entries);
    printf("passed %d of %d\n", all.passed, all.run);
    return all.run > 0 && all.passed == all.run ? EXIT_SUCCESS : EXIT_FAILURE;
}
