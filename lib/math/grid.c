#include "math/grid.h"

#include <string.h>

enum { FEW_ROWS = 4 };

/* Registers hold a tile of sums, one vector of B and one value of A in all lanes: 12 x 2 of 32 vectors with
 * AVX-512, 6 x 2 of 16 with AVX2; 4 x 2 for what is left below. This file is compiled with fused multiply-add
 * allowed. */
#if defined(__GNUC__) && defined(__x86_64__)
#define ECG__GRID_TILES

#define TILE_TARGET "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"
#define TILE_ROWS   12
#define TILE_NAME   tile512x2
#define TILE_WIDTH  16
#define TILE_VECS   2
#include "math/grid_tile.h"
#define TILE_NAME  tile512
#define TILE_WIDTH 16
#define TILE_VECS  1
#include "math/grid_tile.h"
#define TILE_NAME  tile512_half
#define TILE_WIDTH 8
#define TILE_VECS  1
#include "math/grid_tile.h"
#undef TILE_ROWS
#define TILE_ROWS  FEW_ROWS
#define TILE_NAME  few512x2
#define TILE_WIDTH 16
#define TILE_VECS  2
#include "math/grid_tile.h"
#define TILE_NAME  few512
#define TILE_WIDTH 16
#define TILE_VECS  1
#include "math/grid_tile.h"
#define TILE_NAME  few512_half
#define TILE_WIDTH 8
#define TILE_VECS  1
#include "math/grid_tile.h"
#undef TILE_ROWS
#define TILE_ROWS  1
#define TILE_NAME  row512x8
#define TILE_WIDTH 16
#define TILE_VECS  8
#include "math/grid_tile.h"
#define TILE_NAME  row512x2
#define TILE_WIDTH 16
#define TILE_VECS  2
#include "math/grid_tile.h"
#define TILE_NAME  row512_half
#define TILE_WIDTH 8
#define TILE_VECS  1
#include "math/grid_tile.h"
#undef TILE_ROWS
#undef TILE_TARGET

#define TILE_TARGET "avx2,fma"
#define TILE_ROWS   6
#define TILE_NAME   tile256x2
#define TILE_WIDTH  8
#define TILE_VECS   2
#include "math/grid_tile.h"
#define TILE_NAME  tile256
#define TILE_WIDTH 8
#define TILE_VECS  1
#include "math/grid_tile.h"
#undef TILE_ROWS
#define TILE_ROWS  FEW_ROWS
#define TILE_NAME  few256x2
#define TILE_WIDTH 8
#define TILE_VECS  2
#include "math/grid_tile.h"
#define TILE_NAME  few256
#define TILE_WIDTH 8
#define TILE_VECS  1
#include "math/grid_tile.h"
#undef TILE_ROWS
#define TILE_ROWS  1
#define TILE_NAME  row256x8
#define TILE_WIDTH 8
#define TILE_VECS  8
#include "math/grid_tile.h"
#define TILE_NAME  row256x2
#define TILE_WIDTH 8
#define TILE_VECS  2
#include "math/grid_tile.h"
#define TILE_NAME  row256
#define TILE_WIDTH 8
#define TILE_VECS  1
#include "math/grid_tile.h"
#undef TILE_ROWS
#undef TILE_TARGET

#endif

enum { MOST_ROWS = 12, MOST_WIDTH = 32, KERNELS = 3 };

typedef void tile_fn(const float *const *a, const ecg__grid *k, const float *b, size_t ldb, const float *init,
                     bool add, float *c, size_t ldc);

typedef struct kernel {
    size_t width;
    tile_fn *run;
} kernel;

/* What a processor runs: tiles of `rows` rows, the same of FEW_ROWS, and of one row; the widest first. */
struct ecg__grid_level {
    size_t rows;
    kernel tile[KERNELS], few[KERNELS], row[KERNELS];
};

const ecg__grid_level *ecg__grid_level_at(size_t i)
{
#ifdef ECG__GRID_TILES
    static const ecg__grid_level avx512 = {12,
                                           {{32, tile512x2}, {16, tile512}, {8, tile512_half}},
                                           {{32, few512x2}, {16, few512}, {8, few512_half}},
                                           {{128, row512x8}, {32, row512x2}, {8, row512_half}}};
    static const ecg__grid_level avx2 = {6,
                                         {{16, tile256x2}, {8, tile256}},
                                         {{16, few256x2}, {8, few256}},
                                         {{64, row256x8}, {16, row256x2}, {8, row256}}};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && i-- == 0)
        return &avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && i == 0)
        return &avx2;
#endif
    (void)i;
    return NULL;
}

/* The widest that `left` columns fill. */
static const kernel *pick(const kernel *k, size_t left)
{
    while (k->width > left)
        k++;
    return k;
}

size_t ecg__grid_panel(const ecg__grid_level *level, size_t n, size_t j)
{
    return pick(level->tile, n - j)->width;
}

const float *ecg__grid_pack(const ecg__grid_level *level, size_t k, size_t n, const float *b, float *room)
{
    float *to = room;
    if (ecg__grid_panel(level, n, 0) == n)
        return b;
    for (size_t j = 0, width; j < n; j += width) {
        width = ecg__grid_panel(level, n, j);
        for (size_t i = 0; i < k; i++, to += width)
            memcpy(to, b + i * n + j, width * sizeof *to);
    }
    return room;
}

/* One tile of `tile_rows` rows, of which n are there: it is filled up with one of them, and not all of it is
 * taken. */
static void run_part(const kernel *tile, size_t tile_rows, const float **from, size_t n, const ecg__grid *k,
                     const float *b, size_t ldb, const float *init, bool add, float *c, size_t ldc)
{
    float spare[MOST_ROWS * MOST_WIDTH];
    for (size_t i = n; i < tile_rows; i++)
        from[i] = from[0];
    tile->run(from, k, b, ldb, init, false, spare, tile->width);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < tile->width; j++) {
            float *to = &c[i * ldc + j];
            *to = add ? *to + spare[i * tile->width + j] : spare[i * tile->width + j];
        }
}

/* All rows of one panel. */
static void run_panel(const ecg__grid_level *level, const kernel *wide, const float *a, const ecg__grid *m,
                      const ecg__grid *k, const float *b, size_t ldb, const float *init, bool add, float *c,
                      size_t ldc)
{
    const kernel *few = level->few + (wide - level->tile);
    const float *from[MOST_ROWS], *row = a;
    size_t col = 0;
    for (size_t left = m->rows * m->cols, n; left > 0; left -= n, c += n * ldc) {
        /* Small tiles where they are less work than a large one. */
        const bool small = (left + FEW_ROWS - 1) / FEW_ROWS * FEW_ROWS < level->rows;
        const size_t tile_rows = small ? FEW_ROWS : level->rows;
        n = left < tile_rows ? left : tile_rows;
        for (size_t i = 0; i < n; i++) {
            from[i] = row + col * m->col_step;
            if (++col == m->cols) {
                col = 0;
                row += m->row_step;
            }
        }
        if (n == tile_rows)
            (small ? few : wide)->run(from, k, b, ldb, init, add, c, ldc);
        else
            run_part(small ? few : wide, tile_rows, from, n, k, b, ldb, init, add, c, ldc);
    }
}

void ecg__grid_gemm(const ecg__grid_level *level, const float *a, ecg__grid m, ecg__grid k,
                    const float *packed, size_t n, const float *init, bool add, float *c, size_t ldc)
{
    for (size_t j = 0; j < n;) {
        const kernel *tile = pick(level->tile, n - j);
        run_panel(level, tile, a, &m, &k, packed + k.rows * k.cols * j, tile->width, init ? init + j : NULL,
                  add, c + j, ldc);
        j += tile->width;
    }
}

/* ---- rows by a matrix that is too large to be packed as a whole ---- */

/* Each sum is cut in pieces of DEPTH, whatever the number of rows. Rows are copied side by side: powers of
 * two apart they would share a few lines of the cache. */
enum { DEPTH = 256, CHUNK = 1024, FEW = 4, GROUP = 48, PITCH = DEPTH + 16 };

size_t ecg__grid_rows_room(size_t out)
{
    return DEPTH * (out < CHUNK ? out : CHUNK) + GROUP * PITCH;
}

static void one_row(const ecg__grid_level *level, const float *x, const ecg__grid *k, const float *w,
                    size_t ldw, size_t out, float *y)
{
    for (size_t j = 0; j < out;) {
        const kernel *row = pick(level->row, out - j);
        row->run(&x, k, w + j, ldw, NULL, true, y + j, out);
        j += row->width;
    }
}

/* n columns of w[k][ldw]. */
static void pack_columns(const ecg__grid_level *level, size_t k, const float *w, size_t ldw, size_t n,
                         float *to)
{
    for (size_t j = 0, width; j < n; j += width, to += k * width) {
        width = ecg__grid_panel(level, n, j);
        for (size_t i = 0; i < k; i++)
            memcpy(to + i * width, w + i * ldw + j, width * sizeof *to);
    }
}

void ecg__grid_rows(const ecg__grid_level *level, const float *x, size_t n, size_t in, const float *w,
                    size_t ldw, size_t out, float *y, size_t ldy, float *room)
{
    float *rows = room, *packed = room + GROUP * PITCH;
    for (size_t done = 0; done < in; done += DEPTH) {
        const size_t depth = in - done < DEPTH ? in - done : DEPTH;
        const ecg__grid k = {1, 0, depth, 1};
        const float *piece = w + done * ldw;
        for (size_t i = 0; n < FEW && i < n; i++)
            one_row(level, x + i * in + done, &k, piece, ldw, out, y + i * ldy);
        for (size_t j = 0; n >= FEW && j < out; j += CHUNK) {
            const size_t width = out - j < CHUNK ? out - j : CHUNK;
            pack_columns(level, depth, piece + j, ldw, width, packed);
            for (size_t first = 0; first < n; first += GROUP) {
                const size_t count = n - first < GROUP ? n - first : GROUP;
                for (size_t i = 0; i < count; i++)
                    memcpy(rows + i * PITCH, x + (first + i) * in + done, depth * sizeof *rows);
                ecg__grid_gemm(level, rows, (ecg__grid){1, 0, count, PITCH}, k, packed, width, NULL, true,
                               y + first * ldy + j, ldy);
            }
        }
    }
}

/* ---- sums of outer products ---- */

size_t ecg__grid_outer_room(size_t rows)
{
    return GROUP * rows;
}

void ecg__grid_outer(const ecg__grid_level *level, const float *x, size_t ldx, size_t rows, const float *y,
                     size_t n, size_t cols, bool add, float *c, float *room)
{
    const ecg__grid m = {1, 0, rows, 1};
    for (size_t first = 0; first < n; first += GROUP) {
        const size_t count = n - first < GROUP ? n - first : GROUP;
        const ecg__grid k = {1, 0, count, rows};
        for (size_t i = 0; i < count; i++)
            memcpy(room + i * rows, x + (first + i) * ldx, rows * sizeof *room);
        for (size_t j = 0; j < cols;) {
            const kernel *tile = pick(level->tile, cols - j);
            run_panel(level, tile, room, &m, &k, y + first * cols + j, cols, NULL, add || first > 0, c + j,
                      cols);
            j += tile->width;
        }
    }
}
