/* One tile of ecg__grid_gemm: TILE_ROWS x (TILE_VECS * TILE_WIDTH) sums, kept in registers. Included once for
 * each size, with TILE_NAME, TILE_TARGET and these defined; no guard. */

__attribute__((target(TILE_TARGET))) static void TILE_NAME(const float *const a[TILE_ROWS],
                                                           const ecg__grid *k, const float *restrict b,
                                                           size_t ldb, const float *restrict init, bool add,
                                                           float *restrict c, size_t ldc)
{
    typedef float vec __attribute__((vector_size(4 * TILE_WIDTH), aligned(4), may_alias));
    vec sum[TILE_ROWS][TILE_VECS];
    for (int v = 0; v < TILE_VECS; v++) {
        const vec first = init ? *(const vec *)(init + v * TILE_WIDTH) : (vec){0};
        for (int m = 0; m < TILE_ROWS; m++)
            sum[m][v] = first;
    }
    for (size_t row = 0; row < k->rows; row++) {
        size_t at = row * k->row_step;
        for (size_t col = 0; col < k->cols; col++, at += k->col_step, b += ldb) {
            vec right[TILE_VECS];
            for (int v = 0; v < TILE_VECS; v++)
                right[v] = *(const vec *)(b + v * TILE_WIDTH);
            for (int m = 0; m < TILE_ROWS; m++)
                for (int v = 0; v < TILE_VECS; v++)
                    sum[m][v] += a[m][at] * right[v];
        }
    }
    for (int m = 0; m < TILE_ROWS; m++)
        for (int v = 0; v < TILE_VECS; v++) {
            vec *to = (vec *)(c + m * ldc + v * TILE_WIDTH);
            if (add)
                sum[m][v] += *to;
            *to = sum[m][v];
        }
}

#undef TILE_NAME
#undef TILE_WIDTH
#undef TILE_VECS
