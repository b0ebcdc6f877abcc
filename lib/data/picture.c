/* A dataset's pictures: from files, or from a pack. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "data/packed.h"
#include "image/pixels.h"

enum { MAX_BYTES = 1 << 26 }; /* of a file: the decoder's own limit */

/* ---- As a file ---- */
struct bytes {
    unsigned char *at;
    size_t n, cap;
};

static int take(void *payload, const void *data, size_t n)
{
    struct bytes *b = payload;
    if (n > b->cap - b->n) {
        const size_t cap = 2 * (b->n + n);
        unsigned char *more = ecg__alloc(cap);
        if (!more)
            return 1;
        if (b->n)
            memcpy(more, b->at, b->n);
        ecg__free(b->at);
        b->at = more;
        b->cap = cap;
    }
    memcpy(b->at + b->n, data, n);
    b->n += n;
    return 0;
}

static ecg_status encode(const struct ecg__pack *p, unsigned char **data, size_t *n, ecg_error *err)
{
    const ecg_image v = {*data, p->w, p->h, 1, p->w};
    struct bytes png = {NULL, 0, 0};
    const ecg_status s = ecg_image_encode_png(&v, take, &png, err);
    ecg__free(*data);
    *data = s == ECG_OK ? png.at : NULL;
    *n = png.n;
    if (s != ECG_OK)
        ecg__free(png.at);
    return s;
}

ecg_status ecg_dataset_file(const ecg_dataset *d, size_t i, unsigned char **data, size_t *n, ecg_error *err)
{
    *data = NULL;
    *n = 0;
    if (i >= d->count)
        return ecg__fail(err, ECG_EINVAL, "dataset: picture %zu wanted, there are %zu", i, d->count);
    if (!d->packed)
        return ecg__file_read(data, n, d->sample[i].path, MAX_BYTES, err);
    const struct ecg__pack *p = d->packed->pack;
    const uint64_t picture = ecg__packed_picture(d, i);
    *n = ecg__pack_length(p, picture);
    *data = ecg__alloc(*n);
    if (!*data)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
    const ecg_status s = ecg__pack_read(p, picture, *data, false, err);
    if (s != ECG_OK) {
        ecg__free(*data);
        *data = NULL;
        return s;
    }
    return p->kind == ECG__PACK_PIXELS ? encode(p, data, n, err) : ECG_OK;
}

void ecg_dataset_file_free(unsigned char *data)
{
    ecg__free(data);
}

/* ---- As pixels ---- */

/* Decoded pixels are as one profile reads gray pictures; who wants them otherwise would get others than of
 * files. */
static ecg_status check_kind(const struct ecg__pack *p, const ecg_preprocess *prep, ecg_error *err)
{
    if (prep->profile == ECG_PROFILE_CORRECT &&
        (prep->color == ECG_COLOR_GRAY || prep->color == ECG_COLOR_RGB))
        return ECG_OK;
    return ecg__fail(
        err, ECG_EINVAL,
        "%s: holds gray pixels, which serve networks that read gray or rgb with the profile 'correct'; "
        "pack the files instead",
        p->path);
}

static ecg_status copy_out(ecg_pixels *px, const ecg_preprocess *p, uint8_t *to, const char *path,
                           ecg_error *err)
{
    const ecg_image v = ecg_pixels_view(px);
    const size_t row = (size_t)v.w * v.c;
    ecg_status s = ECG_OK;
    if (v.h != p->h || v.w != p->w || v.c != (uint32_t)p->color)
        s = ecg__fail(err, ECG_ESHAPE, "%s: prepared as %ux%u with %u channels, expected %ux%u with %u", path,
                      v.h, v.w, v.c, p->h, p->w, (uint32_t)p->color);
    for (uint32_t y = 0; s == ECG_OK && y < v.h; y++)
        memcpy(to + y * row, v.px + y * v.stride, row);
    ecg_pixels_free(px);
    return s;
}

/* Gray pixels, brought to another size or to three channels. */
static ecg_status prepare_pixels(const struct ecg__pack *p, uint64_t picture, const ecg_preprocess *prep,
                                 uint8_t *to, ecg_error *err)
{
    const uint32_t c = (uint32_t)prep->color;
    const size_t n = (size_t)p->h * p->w;
    ecg_pixels *full = ecg__pixels_new(p->h, p->w, c), *px = NULL;
    if (!full)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
    /* Read to the end of the room, and spread from its beginning. */
    uint8_t *gray = full->px + n * (c - 1);
    ecg_status s = ecg__pack_read(p, picture, gray, false, err);
    for (size_t i = 0; c > 1 && i < n; i++) {
        const uint8_t v = gray[i];
        for (uint32_t k = 0; k < c; k++)
            full->px[i * c + k] = v;
    }
    if (s != ECG_OK) {
        ecg_pixels_free(full);
        return s;
    }
    s = ecg__preprocess_fit(&px, full, prep, p->path, err);
    return s == ECG_OK ? copy_out(px, prep, to, p->path, err) : s;
}

static ecg_status prepare_packed(const ecg_dataset *d, size_t i, const ecg_preprocess *prep, uint8_t *to,
                                 ecg_error *err)
{
    const struct ecg__pack *p = d->packed->pack;
    const uint64_t picture = ecg__packed_picture(d, i);
    if (p->kind == ECG__PACK_PIXELS) {
        const ecg_status s = check_kind(p, prep, err);
        if (s != ECG_OK)
            return s;
        return prep->color == ECG_COLOR_GRAY && prep->h == p->h && prep->w == p->w
                   ? ecg__pack_read(p, picture, to, false, err)
                   : prepare_pixels(p, picture, prep, to, err);
    }
    char name[ECG__PACK_NAME];
    ecg_pixels *px = NULL;
    const size_t n = ecg__pack_length(p, picture);
    unsigned char *data = ecg__alloc(n);
    if (!data)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
    ecg_status s = ecg__pack_read(p, picture, data, false, err);
    if (s == ECG_OK) {
        ecg__pack_name(p, picture, name);
        s = ecg_preprocess_decode(&px, prep, data, n, name, err);
        if (s != ECG_OK)
            ecg__context(err, s, "%s", p->root);
    }
    ecg__free(data);
    return s == ECG_OK ? copy_out(px, prep, to, p->path, err) : s;
}

ecg_status ecg__dataset_prepare(const ecg_dataset *d, size_t i, const ecg_preprocess *p, uint8_t *to,
                                ecg_error *err)
{
    if (d->packed)
        return prepare_packed(d, i, p, to, err);
    ecg_pixels *px = NULL;
    const char *path = d->sample[i].path;
    const ecg_status s = ecg_preprocess_load(&px, p, path, err);
    return s == ECG_OK ? copy_out(px, p, to, path, err) : s;
}
