/* What a call prints to a stream. Sources define _POSIX_C_SOURCE first. */
#ifndef ECG_CLI_PRINTS_H
#define ECG_CLI_PRINTS_H

#include <stdio.h>
#include <stdlib.h>

#include "unit/unit.h"

/* What was written to the stream of begin() is in `printed` once that is closed; until the next begin(). */
static char *printed;
static size_t printed_size;

static inline FILE *begin(void)
{
    free(printed);
    printed = NULL;
    FILE *f = open_memstream(&printed, &printed_size);
    ck_assert_ptr_nonnull(f);
    return f;
}

#define ck_prints(call, want)                                                                                \
    do {                                                                                                     \
        FILE *f = begin();                                                                                   \
        call;                                                                                                \
        fclose(f);                                                                                           \
        ck_assert_str_eq(printed, want);                                                                     \
    } while (0)

#endif
