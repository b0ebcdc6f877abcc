#include "math/grid.h"

#include <string.h>

/* Registers hold a tile of sums, one vector of B and one value of A in all lanes: 12 x 2 of 32 vectors with
 * AVX-512, 6 x 2 of 16 with AVX2. This file is compiled with fused multiply-add allowed. */
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
#undef TILE_TARGET

#endif

enum { MOST_ROWS = 12, MOST_WIDTH = 32, KERNELS = 3 };

typedef void tile_fn(const float *const *a, const ecg__grid *k, const float *b, size_t ldb, const float *init,
                     bool add, float *c, size_t ldc);

/* What a processor runs: tiles of one height, the widest first. */
struct ecg__grid_level {
    size_t rows;
    struct {
        size_t width;
        tile_fn *run;
    } tile[KERNELS];
};

const ecg__grid_level *ecg__grid_level_at(size_t i)
{
#ifdef ECG__GRID_TILES
    static const ecg__grid_level avx512 = {12, {{32, tile512x2}, {16, tile512}, {8, tile512_half}}};
    static const ecg__grid_level avx2 = {6, {{16, tile256x2}, {8, tile256}}};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && i-- == 0)
        return &avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && i == 0)
        return &avx2;
#endif
    (void)i;
    return NULL;
}

/* The widest tile that `left` columns fill. */
static size_t pick(const ecg__grid_level *l, size_t left)
{
    size_t i = 0;
    while (l->tile[i].width > left)
        i++;
    return i;
}

size_t ecg__grid_panel(const ecg__grid_level *level, size_t n, size_t j)
{
    return level->tile[pick(level, n - j)].width;
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

/* All rows of one panel. */
static void run_panel(const ecg__grid_level *l, size_t which, const float *a, const ecg__grid *m,
                      const ecg__grid *k, const float *b, const float *init, bool add, float *c, size_t ldc)
{
    const size_t rows = m->rows * m->cols, width = l->tile[which].width;
    const float *from[MOST_ROWS], *row = a;
    size_t col = 0;
    for (size_t first = 0; first < rows; first += l->rows) {
        const size_t n = rows - first < l->rows ? rows - first : l->rows;
        for (size_t i = 0; i < n; i++) {
            from[i] = row + col * m->col_step;
            if (++col == m->cols) {
                col = 0;
                row += m->row_step;
            }
        }
        if (n == l->rows) {
            l->tile[which].run(from, k, b, width, init, add, c + first * ldc, ldc);
            continue;
        }
        /* The last rows: the tile is filled up with one of them, and not all of it is taken. */
        float spare[MOST_ROWS * MOST_WIDTH];
        for (size_t i = n; i < l->rows; i++)
            from[i] = from[0];
        l->tile[which].run(from, k, b, width, init, false, spare, width);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < width; j++) {
                float *to = &c[(first + i) * ldc + j];
                *to = add ? *to + spare[i * width + j] : spare[i * width + j];
            }
    }
}

void ecg__grid_gemm(const ecg__grid_level *level, const float *a, ecg__grid m, ecg__grid k,
                    const float *packed, size_t n, const float *init, bool add, float *c, size_t ldc)
{
    for (size_t j = 0; j < n;) {
        const size_t which = pick(level, n - j);
        run_panel(level, which, a, &m, &k, packed + k.rows * k.cols * j, init ? init + j : NULL, add, c + j,
                  ldc);
        j += level->tile[which].width;
    }
}
