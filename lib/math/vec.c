#include "math/vec.h"

#include <string.h>

ECG__HOT void ecg__vec_add(float *restrict dst, const float *restrict src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] += src[i];
}

void ecg__vec_fill_rows(float *restrict y, size_t stride, const float *restrict row, size_t rows, size_t c)
{
    enum { CHUNK = 1024 }; /* floats that stay in the first-level cache */
    if (stride != c || c > CHUNK / 2) {
        for (size_t r = 0; r < rows; r++)
            memcpy(y + r * stride, row, c * sizeof *y);
        return;
    }
    const size_t all = rows * c, chunk = CHUNK / c * c;
    size_t done = all < c ? all : c;
    memcpy(y, row, done * sizeof *y);
    while (done < all) { /* doubling, then whole chunks */
        size_t n = done < chunk ? done : chunk;
        if (done < chunk && n > chunk - done)
            n = chunk - done;
        if (n > all - done)
            n = all - done;
        memcpy(y + done, y, n * sizeof *y);
        done += n;
    }
}

enum { PIECE_ROWS = 128, PIECE_COLS = 64 };

/* At most PIECE_ROWS rows of `width` columns; called with constant widths to be unrolled. */
static inline void sum_piece(const float *restrict x, size_t stride, size_t rows, size_t width,
                             float *restrict sum)
{
    float acc[PIECE_COLS] = {0};
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < width; j++)
            acc[j] += x[r * stride + j];
    for (size_t j = 0; j < width; j++)
        sum[j] += acc[j];
}

ECG__HOT void ecg__vec_sum_rows(const float *restrict x, size_t stride, size_t rows, size_t c,
                                float *restrict sum)
{
    for (size_t first = 0; first < rows; first += PIECE_ROWS) {
        const size_t n = rows - first < PIECE_ROWS ? rows - first : PIECE_ROWS;
        const float *from = x + first * stride;
        size_t j = 0;
        for (; j + 64 <= c; j += 64)
            sum_piece(from + j, stride, n, 64, sum + j);
        for (; j + 32 <= c; j += 32)
            sum_piece(from + j, stride, n, 32, sum + j);
        for (; j + 16 <= c; j += 16)
            sum_piece(from + j, stride, n, 16, sum + j);
        if (j < c)
            sum_piece(from + j, stride, n, c - j, sum + j);
    }
}
