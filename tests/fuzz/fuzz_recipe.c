/* Recipes: refused with a message, or one whose text is the same recipe, and which draws the beats of a short
 * signal into just the pixels that it says. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/beats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 4096, N = 900, BEATS = 4, MOST_PIXELS = 20000 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* All beats, one after another, in memory of the caller's. NULL: out of memory, or too large to be quick. */
static uint8_t *draw(const ecg_recipe *r, size_t *bytes)
{
    static const uint64_t beats[BEATS] = {3, 260, 500, N - 1};
    const ecg_shape shape = ecg_recipe_shape(r);
    const size_t one = (size_t)shape.h * shape.w * shape.c;
    float mv[N], second[N];
    ecg_painter *p = NULL;
    require(shape.h >= 8 && shape.h <= 4096 && shape.w >= 8 && shape.w <= 4096 &&
            (shape.c == 1 || shape.c == 3));
    if ((size_t)shape.h * shape.w > MOST_PIXELS)
        return NULL;
    for (int i = 0; i < N; i++) {
        mv[i] = i / 50 == 13 ? NAN : (float)(i % 37) * 0.05f - 0.5f;
        second[i] = (float)((i * 7) % 61) * 100.0f;
    }
    for (int i = 0; i < BEATS; i++)
        mv[beats[i]] = i == 2 ? -3.0f : 2.0f;
    uint8_t *px = malloc(BEATS * one);
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_status s = px ? ecg_painter_new(&p, r, mv, second, N, 360.0, beats, BEATS, &err) : ECG_ENOMEM;
    require(s == ECG_OK || s == ECG_ENOMEM);
    for (size_t i = 0; s == ECG_OK && i < BEATS; i++)
        require(ecg_painter_draw(p, i, px + i * one) == ECG_OK);
    ecg_painter_free(p);
    *bytes = BEATS * one;
    if (s == ECG_OK)
        return px;
    free(px);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT], first[TEXT], second[TEXT], few[16];
    if (size >= sizeof text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    ecg_recipe *r = NULL, *again = NULL;
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_status s = ecg_recipe_parse(&r, text, &err);
    require((s == ECG_OK) == (r != NULL));
    if (s != ECG_OK) {
        require(err.status == s && strncmp(err.message, "recipe: ", 8) == 0);
        return 0;
    }
    const size_t n = ecg_recipe_print(r, first, sizeof first);
    require(n < sizeof first && strlen(first) == n && !strchr(first, '\n'));
    require(ecg_recipe_print(r, few, sizeof few) == n && strlen(few) < sizeof few);
    require(ecg_recipe_parse(&again, first, NULL) == ECG_OK);
    require(ecg_recipe_print(again, second, sizeof second) == n && strcmp(first, second) == 0);
    size_t bytes = 0;
    uint8_t *a = draw(r, &bytes), *b = draw(again, &bytes);
    require(!a || !b || memcmp(a, b, bytes) == 0);
    free(a);
    free(b);
    ecg_recipe_free(r);
    ecg_recipe_free(again);
    return 0;
}
