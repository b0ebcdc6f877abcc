/* See what augmentation makes of a picture: augment_preview PICTURE SHEET.png [AUGMENTATION]. The sheet has
 * the picture first, then 23 versions of it as training would see them. AUGMENTATION is text as for ecg-train
 * --augment, "ecg" unless given. For research and teaching only, not a medical device. */
#include <ecgcnn/augment.h>
#include <ecgcnn/image.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 6, ROWS = 4, GAP = 4 };

/* Version i of the picture into its place on the sheet. */
static void paste(uint8_t *sheet, size_t stride, const float *x, const ecg_image *picture, unsigned i)
{
    const size_t row = (size_t)picture->w * picture->c;
    uint8_t *to = sheet + i / COLUMNS * (picture->h + GAP) * stride +
                  (size_t)(i % COLUMNS) * (picture->w + GAP) * picture->c;
    for (uint32_t r = 0; r < picture->h; r++, to += stride, x += row)
        for (size_t k = 0; k < row; k++)
            to[k] = (uint8_t)(x[k] < 0.0f ? 0.0f : x[k] > 255.0f ? 255.0f : x[k] + 0.5f);
}

int main(int argc, char **argv)
{
    ecg_error err = {ECG_EINVAL, 0, "usage: augment_preview PICTURE SHEET.png [AUGMENTATION]"};
    ecg_augment_options o;
    ecg_decode_options rgb = ECG_DECODE_OPTIONS_INIT;
    ecg_pixels *pixels = NULL;
    uint8_t *sheet = NULL;
    float *x = NULL;
    void *scratch = NULL;
    rgb.color = ECG_COLOR_RGB;
    int ok = (argc == 3 || argc == 4) && ecg_augment_parse(&o, argc == 4 ? argv[3] : "ecg", &err) == ECG_OK &&
             ecg_pixels_load(&pixels, argv[1], &rgb, &err) == ECG_OK;
    if (ok) {
        const ecg_image picture = ecg_pixels_view(pixels);
        const uint32_t w = COLUMNS * (picture.w + GAP) - GAP, h = ROWS * (picture.h + GAP) - GAP;
        const size_t stride = (size_t)w * picture.c, values = (size_t)picture.h * picture.w * picture.c;
        sheet = malloc(stride * h);
        x = malloc(values * sizeof *x);
        scratch = malloc(ecg_augment_scratch(&o, picture.h, picture.w, picture.c));
        ok = sheet && x && scratch;
        if (ok)
            memset(sheet, 128, stride * h);
        else
            snprintf(err.message, sizeof err.message, "out of memory");
        for (unsigned i = 0; ok && i < ROWS * COLUMNS; i++) {
            ecg_augmentation a = ECG_AUGMENTATION_INIT; /* changes nothing */
            if (i > 0) /* epoch 1, 2, ... of sample 0 of a training with seed 1 */
                ecg_augment_draw(&a, &o, picture.h, picture.w, 1, i, 0);
            ecg_augment_apply(&a, &o, &picture, x, scratch);
            paste(sheet, stride, x, &picture, i);
        }
        const ecg_image all = {sheet, w, h, picture.c, stride};
        ok = ok && ecg_image_save_png(&all, argv[2], &err) == ECG_OK;
        if (ok)
            printf("%s: %u versions, %ux%u pixels\n", argv[2], ROWS * COLUMNS - 1, w, h);
    }
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    free(scratch);
    free(x);
    free(sheet);
    ecg_pixels_free(pixels);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
