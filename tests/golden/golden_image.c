/* golden_image DIR: run the reference cases of DIR/resize_cases.tsv and DIR/load_cases.tsv (one of them may
 * be missing). */
#include <stdio.h>
#include <stdlib.h>

#include "golden/golden_image_cases.h"

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: golden_image DIR\n");
        return 2;
    }
    const golden_tally a = golden_table_run(argv[1], "resize_cases.tsv", golden_resize_case);
    const golden_tally b = golden_table_run(argv[1], "load_cases.tsv", golden_load_case);
    const int passed = a.passed + b.passed, run = a.run + b.run;
    printf("passed %d of %d\n", passed, run);
    return run > 0 && passed == run ? EXIT_SUCCESS : EXIT_FAILURE;
}
