/* Winograd's transforms and products against the sums that define them. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "math/winograd.h"
#include "unit/nets.h"

static double largest(const double *v, size_t n)
{
    double top = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, fabs(v[i]));
    return top;
}

static void close_to(const char *what, const float *got, const double *want, size_t n)
{
    const double top = largest(want, n);
    ck_assert(top > 0);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs((double)got[i] - want[i]) <= 2e-6 * top, "%s: value %zu is %.9g, not %.9g", what,
                      i, (double)got[i], want[i]);
}

/* A strip of rows x cols outputs, which tiles of 4x4 may overhang. */
static const struct {
    size_t rows, cols, c, n;
} strips[] = {{4, 4, 1, 8},  {2, 3, 1, 8},    {8, 12, 3, 16}, {5, 7, 8, 24}, {1, 9, 5, 40},
              {6, 1, 16, 8}, {11, 26, 9, 72}, {4, 10, 40, 8}, {7, 5, 35, 56}};

static ecg__tiles tiles_of(size_t rows, size_t cols)
{
    return (ecg__tiles){(rows + 3) / 4, (cols + 3) / 4};
}

START_TEST(gives_the_convolution)
{
    const ecg__grid_level *level = ecg__grid_level_at(0);
    const size_t rows = strips[_i].rows, cols = strips[_i].cols, c = strips[_i].c, n = strips[_i].n;
    const ecg__tiles t = tiles_of(rows, cols);
    const size_t tiles = t.rows * t.cols, pitch = (4 * t.cols + 2) * c + 5;
    if (!level)
        return; /* no vector units that it is written for */
    float *x = unit_values((4 * t.rows + 2) * pitch, 1), *k = unit_values(9 * c * n, 2),
          *b = unit_values(n, 3);
    float *w = ecg__alloc(36 * c * n * sizeof *w), *room = ecg__alloc(36 * n * sizeof *room);
    float *v = ecg__alloc(ecg__wino_floats(tiles, c) * sizeof *v);
    float *m = ecg__alloc(ecg__wino_floats(tiles, n) * sizeof *m);
    float *y = ecg__calloc(rows * cols * n + 16, sizeof *y);
    double *want = calloc(rows * cols * n, sizeof *want);
    ck_assert(w && room && v && m && y && want);
    for (int biased = 0; biased < 2; biased++) {
        for (size_t r = 0; r < rows; r++)
            for (size_t q = 0; q < cols; q++)
                for (size_t f = 0; f < n; f++) {
                    double sum = biased ? (double)b[f] : 0;
                    for (size_t i = 0; i < 9; i++)
                        for (size_t j = 0; j < c; j++)
                            sum += (double)x[(r + i / 3) * pitch + (q + i % 3) * c + j] *
                                   (double)k[(i * c + j) * n + f];
                    want[(r * cols + q) * n + f] = sum;
                }
        ecg__wino_kernel(level, k, c, n, w, room);
        ecg__wino_input(x, pitch, t, c, v);
        ecg__wino_product(level, v, w, tiles, c, n, m);
        for (size_t i = 0; i < 16; i++)
            y[rows * cols * n + i] = 7.0f;
        ecg__wino_output(m, t, n, biased ? b : NULL, rows, cols, y);
        close_to("y", y, want, rows * cols * n);
        for (size_t i = 0; i < 16; i++)
            ck_assert_msg(y[rows * cols * n + i] == 7.0f, "written beyond the strip");
    }
    ecg__free(x);
    ecg__free(k);
    ecg__free(b);
    ecg__free(w);
    ecg__free(room);
    ecg__free(v);
    ecg__free(m);
    ecg__free(y);
    free(want);
}
END_TEST

START_TEST(gives_the_gradient_of_the_kernel)
{
    const ecg__grid_level *level = ecg__grid_level_at(0);
    const size_t c = strips[_i].c, n = strips[_i].n;
    const ecg__tiles t = tiles_of(strips[_i].rows, strips[_i].cols);
    const size_t tiles = t.rows * t.cols, pitch = (4 * t.cols + 2) * c, dpitch = 4 * t.cols * n + 3;
    if (!level)
        return;
    float *x = unit_values((4 * t.rows + 2) * pitch, 1), *dy = unit_values(4 * t.rows * dpitch, 2);
    float *v = ecg__alloc(ecg__wino_floats(tiles, c) * sizeof *v);
    float *dm = ecg__alloc(ecg__wino_floats(tiles, n) * sizeof *dm);
    float *du = ecg__calloc(ecg__wino_floats(c, n), sizeof *du);
    float *dk = unit_values(9 * c * n, 4), *first = unit_values(9 * c * n, 4);
    double *want = calloc(9 * c * n, sizeof *want);
    ck_assert(v && dm && du && want);
    for (size_t i = 0; i < 9 * c * n; i++)
        want[i] = (double)dk[i]; /* is added to */
    for (size_t r = 0; r < 4 * t.rows; r++)
        for (size_t q = 0; q < 4 * t.cols; q++)
            for (size_t i = 0; i < 9; i++)
                for (size_t j = 0; j < c; j++)
                    for (size_t f = 0; f < n; f++)
                        want[(i * c + j) * n + f] += (double)x[(r + i / 3) * pitch + (q + i % 3) * c + j] *
                                                     (double)dy[r * dpitch + q * n + f];
    ecg__wino_input_columns(x, pitch, t, c, v);
    ecg__wino_doutput(level, dy, dpitch, t, n, dm);
    ecg__wino_dproduct(level, v, dm, tiles, c, n, du);
    ecg__wino_dkernel(du, c, n, dk);
    close_to("dkernel", dk, want, 9 * c * n);
    /* The sums go on from where they were, and are added once more: three times as much. */
    for (size_t i = 0; i < 9 * c * n; i++)
        want[i] += 2 * (want[i] - (double)first[i]);
    ecg__wino_dproduct(level, v, dm, tiles, c, n, du);
    ecg__wino_dkernel(du, c, n, dk);
    close_to("dkernel", dk, want, 9 * c * n);
    ecg__free(x);
    ecg__free(dy);
    ecg__free(v);
    ecg__free(dm);
    ecg__free(du);
    ecg__free(dk);
    ecg__free(first);
    free(want);
}
END_TEST

/* The turned kernel is that of a kernel that was turned by hand. */
START_TEST(turns_the_kernel)
{
    enum { C = 24, N = 5 };
    const ecg__grid_level *level = ecg__grid_level_at(0);
    static float turned[9 * N * C], want[36 * N * C], got[36 * N * C], room[45 * C];
    if (!level)
        return;
    float *k = unit_values(9 * C * N, 1);
    for (size_t t = 0; t < 9; t++)
        for (size_t f = 0; f < N; f++)
            for (size_t c = 0; c < C; c++)
                turned[(t * N + f) * C + c] = k[((8 - t) * C + c) * N + f];
    ecg__wino_kernel(level, turned, N, C, want, room);
    ecg__wino_turned(level, k, C, N, got, room);
    ck_assert(memcmp(got, want, sizeof want) == 0);
    ecg__free(k);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("winograd");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, gives_the_convolution, 0, sizeof strips / sizeof *strips);
    tcase_add_loop_test(t, gives_the_gradient_of_the_kernel, 0, sizeof strips / sizeof *strips);
    tcase_add_test(t, turns_the_kernel);
    suite_add_tcase(s, t);
    return unit_run(s);
}
