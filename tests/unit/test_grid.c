/* Products over views of pictures, against their definition in double precision, on every level there is. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "math/grid.h"

static size_t place(const ecg__grid *g, size_t i)
{
    return i / g->cols * g->row_step + i % g->cols * g->col_step;
}

static size_t count(const ecg__grid *g)
{
    return g->rows * g->cols;
}

static float *noise(size_t n, uint64_t seed)
{
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
    float *v = malloc((n ? n : 1) * sizeof *v);
    ck_assert_ptr_nonnull(v);
    for (size_t i = 0; i < n; i++)
        v[i] = ecg__rng_float(&r) - 0.5f;
    return v;
}

/* Memory ends where the last place is, for the sanitizers. C keeps what is not its own. */
static void check(const ecg__grid_level *level, ecg__grid m, ecg__grid k, size_t n, bool with_init, bool add)
{
    const size_t rows = count(&m), depth = count(&k), ldc = n + 3;
    float *a = noise(place(&m, rows - 1) + place(&k, depth - 1) + 1, 1), *b = noise(depth * n, 2),
          *init = noise(n, 3), *c = noise(rows * ldc, 4), *before = noise(rows * ldc, 4),
          *room = noise(depth * n, 5);
    const float *packed = ecg__grid_pack(level, depth, n, b, room);
    ecg__grid_gemm(level, a, m, k, packed, n, with_init ? init : NULL, add, c, ldc);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < ldc; j++) {
            const size_t at = i * ldc + j;
            if (j >= n) {
                ck_assert_msg(memcmp(&c[at], &before[at], sizeof *c) == 0, "row %zu column %zu", i, j);
                continue;
            }
            double want = (with_init ? (double)init[j] : 0.0) + (add ? (double)before[at] : 0.0);
            for (size_t l = 0; l < depth; l++)
                want += (double)a[place(&m, i) + place(&k, l)] * (double)b[l * n + j];
            ck_assert_msg(fabs((double)c[at] - want) <= 1e-5, "%zu x %zu x %zu, [%zu][%zu] is %g, not %g",
                          rows, n, depth, i, j, (double)c[at], want);
        }
    free(a), free(b), free(init), free(c), free(before), free(room);
}

START_TEST(agrees_with_its_definition)
{
    const ecg__grid_level *level = ecg__grid_level_at((size_t)_i);
    if (!level)
        return;
    for (size_t n = 8; n <= 72; n += 8)
        for (size_t cols = 1; cols <= 13; cols += 3)
            for (size_t rows = 1; rows <= 3; rows++) {
                check(level, (ecg__grid){rows, 31, cols, 2}, (ecg__grid){3, 17, 5, 1}, n, rows == 2, false);
                check(level, (ecg__grid){rows, 17, cols, 1}, (ecg__grid){2, 40, 7, 3}, n, rows == 1, true);
            }
}
END_TEST

/* One row's sums do not depend on the other rows, nor on the level. */
START_TEST(a_row_by_itself_has_the_same_bits)
{
    enum { ROWS = 30, DEPTH = 50, COLS = 56 };
    float *a = noise(ROWS * DEPTH, 6), *b = noise(DEPTH * COLS, 7), *room = noise(DEPTH * COLS, 8);
    float *all = noise(ROWS * COLS, 9), *one = noise(COLS, 10), *first = NULL;
    const ecg__grid m = {1, 0, ROWS, DEPTH}, k = {1, 0, DEPTH, 1}, single = {1, 0, 1, 0};
    const ecg__grid_level *level;
    for (size_t l = 0; (level = ecg__grid_level_at(l)) != NULL; l++) {
        const float *packed = ecg__grid_pack(level, DEPTH, COLS, b, room);
        ecg__grid_gemm(level, a, m, k, packed, COLS, NULL, false, all, COLS);
        for (size_t i = 0; i < ROWS; i++) {
            ecg__grid_gemm(level, a + i * DEPTH, single, k, packed, COLS, NULL, false, one, COLS);
            ck_assert_mem_eq(one, all + i * COLS, COLS * sizeof *one);
        }
        if (!first) {
            first = noise(ROWS * COLS, 11);
            memcpy(first, all, ROWS * COLS * sizeof *first);
        }
        ck_assert_mem_eq(first, all, ROWS * COLS * sizeof *first);
    }
    free(a), free(b), free(room), free(all), free(one), free(first);
}
END_TEST

/* Rows by a matrix: against its definition, and alone as in company. */
START_TEST(rows_by_a_matrix)
{
    static const size_t sizes[][2] = {{1, 8}, {300, 32}, {700, 56}, {257, 1288}, {40, 128}, {256, 2048}};
    const ecg__grid_level *level = ecg__grid_level_at((size_t)_i);
    for (size_t s = 0; level && s < sizeof sizes / sizeof *sizes; s++)
        for (size_t n = 1; n <= 14; n += n < 5 ? 2 : 9) {
            const size_t in = sizes[s][0], out = sizes[s][1];
            float *x = noise(n * in, 1), *w = noise(in * out, 2), *y = noise(n * out, 3),
                  *one = noise(n * out, 3);
            float *room = noise(ecg__grid_rows_room(out), 4);
            double *want = malloc(out * sizeof *want);
            ck_assert_ptr_nonnull(want);
            ecg__grid_rows(level, x, n, in, w, out, out, y, out, room);
            for (size_t i = 0; i < n; i++) {
                for (size_t j = 0; j < out; j++)
                    want[j] = (double)one[i * out + j];
                for (size_t l = 0; l < in; l++)
                    for (size_t j = 0; j < out; j++)
                        want[j] += (double)x[i * in + l] * (double)w[l * out + j];
                for (size_t j = 0; j < out; j++)
                    ck_assert_msg(fabs((double)y[i * out + j] - want[j]) <= 2e-5, "%zu x %zu x %zu", n, in,
                                  out);
                ecg__grid_rows(level, x + i * in, 1, in, w, out, out, one + i * out, out, room);
                ck_assert_mem_eq(one + i * out, y + i * out, out * sizeof *y);
            }
            free(x), free(w), free(y), free(one), free(room), free(want);
        }
}
END_TEST

START_TEST(outer_products)
{
    const ecg__grid_level *level = ecg__grid_level_at((size_t)_i);
    for (size_t n = 1; level && n <= 101; n += 25)
        for (size_t rows = 1; rows <= 25; rows += 8)
            for (size_t cols = 8; cols <= 72; cols += 16)
                for (int add = 0; add < 2; add++) {
                    const size_t ldx = rows + 2;
                    float *x = noise(n * ldx - 2, 1), *y = noise(n * cols, 2), *c = noise(rows * cols, 3),
                          *before = noise(rows * cols, 3), *room = noise(ecg__grid_outer_room(rows), 4);
                    ecg__grid_outer(level, x, ldx, rows, y, n, cols, add, c, room);
                    for (size_t at = 0; at < rows * cols; at++) {
                        double want = add ? (double)before[at] : 0.0;
                        for (size_t i = 0; i < n; i++)
                            want += (double)x[i * ldx + at / cols] * (double)y[i * cols + at % cols];
                        ck_assert_msg(fabs((double)c[at] - want) <= 1e-5, "%zu x %zu, %zu samples", rows,
                                      cols, n);
                    }
                    free(x), free(y), free(c), free(before), free(room);
                }
}
END_TEST

/* Panels follow each other without a gap, and their widths are vectors. */
START_TEST(panels_cover_the_columns)
{
    const ecg__grid_level *level;
    for (size_t l = 0; (level = ecg__grid_level_at(l)) != NULL; l++)
        for (size_t n = 8; n <= 200; n += 8) {
            size_t j = 0;
            while (j < n) {
                const size_t width = ecg__grid_panel(level, n, j);
                ck_assert(width >= 8 && width % 8 == 0 && j + width <= n);
                j += width;
            }
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("grid");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, agrees_with_its_definition, 0, 2);
    tcase_add_test(t, a_row_by_itself_has_the_same_bits);
    tcase_add_loop_test(t, rows_by_a_matrix, 0, 2);
    tcase_add_loop_test(t, outer_products, 0, 2);
    tcase_add_test(t, panels_cover_the_columns);
    suite_add_tcase(s, t);
    return unit_run(s);
}
