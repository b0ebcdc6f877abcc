#include "unit.h"

#include <math.h>

#include "base/rng.h"
#include "math/im2col.h"

/* The value under tap (i, j) of window (r, q), channel c; index into x, or -1 in the padding. */
static int64_t cell(const ecg__window *g, uint32_t r, uint32_t q, uint32_t i, uint32_t j, uint32_t c)
{
    const int64_t h = (int64_t)r * g->sh + (int64_t)i * g->dh - g->top;
    const int64_t w = (int64_t)q * g->sw + (int64_t)j * g->dw - g->left;
    if (h < 0 || w < 0 || h >= (int64_t)g->h || w >= (int64_t)g->w)
        return -1;
    return (h * g->w + w) * g->c + c;
}

static float *random_floats(size_t n, uint64_t seed)
{
    float *v = malloc(n * sizeof *v); /* malloc: the sanitizer sees one float too many */
    ck_assert_ptr_nonnull(v);
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < n; i++)
        v[i] = ecg__rng_float(&r) - 0.5f;
    return v;
}

static ecg__window random_window(ecg__rng *r)
{
    ecg__window g = {0};
    g.h = 1 + ecg__rng_below(r, 12);
    g.w = 1 + ecg__rng_below(r, 40);
    g.c = 1 + ecg__rng_below(r, ecg__rng_below(r, 2) ? 3 : 20);
    g.kh = 1 + ecg__rng_below(r, 5);
    g.kw = 1 + ecg__rng_below(r, 7);
    g.sh = 1 + ecg__rng_below(r, 3);
    g.sw = 1 + ecg__rng_below(r, 3);
    g.dh = 1 + ecg__rng_below(r, 4) / 3;
    g.dw = 1 + ecg__rng_below(r, 4) / 3;
    g.top = ecg__rng_below(r, 9);
    g.left = ecg__rng_below(r, 9);
    g.oh = 1 + ecg__rng_below(r, 12); /* beyond what fits too: all padding */
    g.ow = 1 + ecg__rng_below(r, 40);
    return g;
}

/* Columns by definition; backwards, im2col and col2im must be adjoint: <cols, im2col(x)> = <col2im(cols), x>.
 */
START_TEST(columns_and_their_adjoint)
{
    ecg__rng r = ecg__rng_at(5, ECG__RNG_SYNTH, 0, (uint64_t)_i);
    for (int round = 0; round < 100; round++) {
        const ecg__window g = random_window(&r);
        const uint32_t first = ecg__rng_below(&r, g.oh), rows = 1 + ecg__rng_below(&r, g.oh - first);
        const size_t taps = (size_t)g.kh * g.kw * g.c, in = (size_t)g.h * g.w * g.c, n = rows * g.ow * taps;
        float *x = random_floats(in, 1), *cols = random_floats(n, 2), *back = random_floats(n, 3);
        float *dx = random_floats(in, 4), *before = random_floats(in, 4);
        double forward = 0, adjoint = 0;
        ecg__im2col(&g, x, first, rows, cols);
        ecg__col2im(&g, back, first, rows, dx);
        size_t k = 0;
        for (uint32_t row = first; row < first + rows; row++)
            for (uint32_t q = 0; q < g.ow; q++)
                for (uint32_t i = 0; i < g.kh; i++)
                    for (uint32_t j = 0; j < g.kw; j++)
                        for (uint32_t c = 0; c < g.c; c++, k++) {
                            const int64_t at = cell(&g, row, q, i, j, c);
                            const float want = at < 0 ? 0.0f : x[at];
                            ck_assert_msg(
                                memcmp(&cols[k], &want, sizeof want) == 0,
                                "%ux%ux%u k %ux%u s %ux%u d %ux%u p %u,%u out %ux%u: [%u][%u][%u][%u][%u]",
                                g.h, g.w, g.c, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.top, g.left, g.oh, g.ow,
                                row, q, i, j, c);
                            forward += (double)cols[k] * (double)back[k];
                        }
        for (size_t i = 0; i < in; i++)
            adjoint += ((double)dx[i] - (double)before[i]) * (double)x[i];
        ck_assert(fabs(forward - adjoint) <= 1e-5 * sqrt((double)n));
        free(x);
        free(cols);
        free(back);
        free(dx);
        free(before);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("im2col");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, columns_and_their_adjoint, 0, 20);
    suite_add_tcase(s, t);
    return unit_run(s);
}
