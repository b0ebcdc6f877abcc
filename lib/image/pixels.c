#include "image/pixels.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "image/orient.h"

enum { MAX_SIDE = 8192, MAX_PIXELS = 1 << 25, MAX_BYTES = 1 << 26 };

ecg_pixels *ecg__pixels_new(uint32_t h, uint32_t w, uint32_t c)
{
    size_t n;
    if (!ecg__mul(&n, h, w) || !ecg__mul(&n, n, c) || !ecg__add(&n, n, sizeof(ecg_pixels)))
        return NULL;
    ecg_pixels *p = ecg__alloc(n);
    if (p)
        p->w = w, p->h = h, p->c = c;
    return p;
}

void ecg_pixels_free(ecg_pixels *p)
{
    ecg__free(p);
}

ecg_image ecg_pixels_view(const ecg_pixels *p)
{
    return (ecg_image){p->px, p->w, p->h, p->c, (size_t)p->w * p->c};
}

ecg_status ecg__image_check(const ecg_image *img, const char *what, ecg_error *err)
{
    if (!img || !img->px || img->w == 0 || img->h == 0)
        return ecg__fail(err, ECG_EINVAL, "%s: a picture without pixels", what);
    if (img->c != 1 && img->c != 3 && img->c != 4)
        return ecg__fail(err, ECG_EINVAL, "%s: a picture of %u channels, expected 1, 3 or 4", what, img->c);
    size_t row;
    if (!ecg__mul(&row, img->w, img->c) || img->stride < row)
        return ecg__fail(err, ECG_EINVAL, "%s: stride of %zu bytes is less than a row of %u pixels", what,
                         img->stride, img->w);
    return ECG_OK;
}

ecg_status ecg__size_check(const struct ecg__encoded *in, uint64_t w, uint64_t h, ecg_error *err)
{
    if (w == 0 || h == 0)
        return ecg__fail(err, ECG_ECORRUPT, "%s: the header says %llu x %llu pixels", in->name,
                         (unsigned long long)w, (unsigned long long)h);
    if (w > in->max_side || h > in->max_side)
        return ecg__fail(err, ECG_ELIMIT, "%s: %llu x %llu pixels, the limit is %u a side", in->name,
                         (unsigned long long)w, (unsigned long long)h, in->max_side);
    if (w * h > in->max_pixels)
        return ecg__fail(err, ECG_ELIMIT, "%s: %llu x %llu pixels, the limit is %llu in all", in->name,
                         (unsigned long long)w, (unsigned long long)h, (unsigned long long)in->max_pixels);
    return ECG_OK;
}

static ecg_status unknown_kind(const struct ecg__encoded *in, ecg_error *err)
{
    static const struct {
        const char *magic;
        const char *kind;
    } others[] = {{"GIF8", "a GIF"},         {"BM", "a BMP"},    {"II*", "a TIFF"}, {"MM", "a TIFF"},
                  {"RIFF", "a RIFF (WebP)"}, {"%PDF", "a PDF"},  {"P5", "a PGM"},   {"P6", "a PPM"},
                  {"\x89HDF", "an HDF5"},    {"PK\3\4", "a zip"}};
    if (in->n == 0)
        return ecg__fail(err, ECG_EFORMAT, "%s: is empty, expected a PNG or JPEG picture", in->name);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const size_t n = strlen(others[i].magic);
        if (in->n >= n && memcmp(in->data, others[i].magic, n) == 0)
            return ecg__fail(err, ECG_EFORMAT, "%s: looks like %s file, expected a PNG or JPEG picture",
                             in->name, others[i].kind);
    }
    return ecg__fail(err, ECG_EFORMAT, "%s: begins with byte 0x%02x, expected a PNG or JPEG picture",
                     in->name, in->data[0]);
}

/* The kind by the first bytes, as far as they go. */
static bool begins(const struct ecg__encoded *in, const char *magic, size_t n)
{
    return in->n >= 2 && memcmp(in->data, magic, in->n < n ? in->n : n) == 0;
}

static ecg_status decode(ecg_pixels **out, const struct ecg__encoded *in, ecg_error *err)
{
    ecg_pixels *p = NULL;
    uint32_t orientation = 1;
    ecg_status s;
    if (begins(in, "\x89PNG", 4))
        s = ecg__png_decode(&p, &orientation, in, err);
    else if (begins(in, "\xff\xd8\xff", 3))
        s = ecg__jpeg_decode(&p, &orientation, in, err);
    else
        s = unknown_kind(in, err);
    if (s == ECG_OK && orientation != 1) {
        *out = ecg__oriented(p, orientation);
        ecg_pixels_free(p);
        return *out ? ECG_OK : ecg__fail(err, ECG_ENOMEM, "%s: out of memory", in->name);
    }
    *out = p;
    return s;
}

/* Defaults filled in, ranges checked. */
static ecg_status options(ecg_decode_options *o, const ecg_decode_options *from, ecg_error *err)
{
    *o = (ecg_decode_options)ECG_DECODE_OPTIONS_INIT;
    const ecg_status s = ecg__options_copy(o, sizeof *o, from, "decode options", err);
    if (s != ECG_OK)
        return s;
    if (o->color == 0)
        o->color = ECG_COLOR_GRAY;
    if (!ecg_color_name(o->color))
        return ecg__fail(err, ECG_EINVAL, "decode options: no such color: %d", (int)o->color);
    if (!ecg_profile_name(o->profile))
        return ecg__fail(err, ECG_EINVAL, "decode options: no such profile: %d", (int)o->profile);
    if (o->max_side == 0)
        o->max_side = MAX_SIDE;
    if (o->max_pixels == 0)
        o->max_pixels = MAX_PIXELS;
    if (o->max_bytes == 0)
        o->max_bytes = MAX_BYTES;
    return ECG_OK;
}

ecg_status ecg_pixels_decode(ecg_pixels **out, const void *data, size_t n, const char *name,
                             const ecg_decode_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_decode_options opt;
    const ecg_status s = options(&opt, o, err);
    if (s != ECG_OK)
        return s;
    if (!name)
        name = "picture";
    if (!data && n > 0)
        return ecg__fail(err, ECG_EINVAL, "%s: no data given", name);
    if (n > opt.max_bytes)
        return ecg__fail(err, ECG_ELIMIT, "%s: %zu bytes, the limit is %llu", name, n,
                         (unsigned long long)opt.max_bytes);
    const struct ecg__encoded in = {data, n, name, opt.color, opt.profile, opt.max_side, opt.max_pixels};
    return decode(out, &in, err);
}

ecg_status ecg_pixels_load(ecg_pixels **out, const char *path, const ecg_decode_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_decode_options opt;
    ecg_status s = options(&opt, o, err);
    if (s != ECG_OK)
        return s;
    unsigned char *data;
    size_t n;
    s = ecg__file_read(&data, &n, path, opt.max_bytes, err);
    if (s != ECG_OK)
        return s;
    s = ecg_pixels_decode(out, data, n, path, &opt, err);
    ecg__free(data);
    return s;
}
