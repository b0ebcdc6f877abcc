#include "common/nearest.h"

#include <string.h>

enum { LONGEST = 48 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance (optimal string alignment); three rows of the table are kept. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[3][LONGEST + 1];
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

nearest nearest_to(const char *wanted, size_t n)
{
    const size_t most = least(3, (n + 2) / 3);
    return (nearest){wanted, n, NULL, most + 1};
}

void nearest_try(nearest *s, const char *name)
{
    const size_t m = strlen(name);
    if (s->n > LONGEST || m > LONGEST)
        return;
    const size_t d = distance(s->wanted, s->n, name, m);
    if (d < s->distance) {
        s->distance = d;
        s->name = name;
    }
}
