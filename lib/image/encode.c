/* Pictures to PNG files: critical chunks only, fixed settings, so the same pixels give the same bytes. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "image/pixels.h"

enum { COMPRESSION = 6 };

/* All that is alive when libpng jumps; never a local of the function that calls setjmp. */
struct writer {
    const ecg_image *img;
    const char *path;
    ecg_error *err;
    ecg__file *file; /* NULL: to the caller's function */
    ecg_image_write_fn *write;
    void *payload;
    ecg_status status;
    png_structp png;
    png_infop info;
    jmp_buf jump;
};

PNG_NORETURN static void on_error(png_structp png, png_const_charp message)
{
    struct writer *c = png_get_error_ptr(png);
    if (c->status == ECG_OK) /* else it is a failed write, and said */
        c->status = ecg__fail(c->err, ECG_ENOMEM, "%s: cannot make the PNG: %s", c->path, message);
    longjmp(c->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void on_write(png_structp png, png_bytep data, size_t n)
{
    struct writer *c = png_get_io_ptr(png);
    if (c->file)
        c->status = ecg__file_write(c->file, data, n, c->err);
    else if (c->write(c->payload, data, n) != 0)
        c->status = ecg__fail(c->err, ECG_EIO, "%s: the caller could not take the PNG", c->path);
    if (c->status != ECG_OK)
        png_error(png, "write");
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void write_png(struct writer *c)
{
    const ecg_image *img = c->img;
    c->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, c, on_error, on_warning);
    if (c->png)
        c->info = png_create_info_struct(c->png);
    if (!c->png || !c->info) {
        c->status = ecg__fail(c->err, ECG_ENOMEM, "%s: out of memory", c->path);
        return;
    }
    png_set_write_fn(c->png, c, on_write, on_flush);
    png_set_user_limits(c->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(c->png, c->info, img->w, img->h, 8,
                 img->c == 1   ? PNG_COLOR_TYPE_GRAY
                 : img->c == 3 ? PNG_COLOR_TYPE_RGB
                               : PNG_COLOR_TYPE_RGB_ALPHA,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_set_filter(c->png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
    png_set_compression_level(c->png, COMPRESSION);
    png_write_info(c->png, c->info);
    for (size_t y = 0; y < img->h; y++)
        png_write_row(c->png, img->px + y * img->stride);
    png_write_end(c->png, NULL);
}

static void guarded(struct writer *c)
{
    if (setjmp(c->jump) == 0)
        write_png(c);
}

/* A writer for a picture that a PNG can hold; `name` stands for it in messages. */
static ecg_status begin(struct writer **out, const ecg_image *img, const char *name, ecg_error *err)
{
    *out = NULL;
    const ecg_status s = ecg__image_check(img, name, err);
    if (s != ECG_OK)
        return s;
    if (img->w > PNG_UINT_31_MAX || img->h > PNG_UINT_31_MAX)
        return ecg__fail(err, ECG_EINVAL, "%s: %u x %u pixels are more than a PNG holds", name, img->w,
                         img->h);
    struct writer *c = ecg__calloc(1, sizeof *c);
    if (!c)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", name);
    c->img = img;
    c->path = name;
    c->err = err;
    *out = c;
    return ECG_OK;
}

static ecg_status encode(struct writer *c)
{
    guarded(c);
    png_destroy_write_struct(&c->png, &c->info);
    return c->status;
}

ecg_status ecg_image_save_png(const ecg_image *img, const char *path, ecg_error *err)
{
    struct writer *c;
    if (!path)
        return ecg__fail(err, ECG_EINVAL, "no path given");
    ecg_status s = begin(&c, img, path, err);
    if (s != ECG_OK)
        return s;
    s = ecg__file_create(&c->file, path, err);
    if (s == ECG_OK) {
        s = encode(c);
        if (s == ECG_OK)
            s = ecg__file_commit(c->file, false, err);
        else
            ecg__file_abandon(c->file);
    }
    ecg__free(c);
    return s;
}

ecg_status ecg_image_encode_png(const ecg_image *img, ecg_image_write_fn *write, void *payload,
                                ecg_error *err)
{
    struct writer *c;
    if (!write)
        return ecg__fail(err, ECG_EINVAL, "no function given");
    ecg_status s = begin(&c, img, "picture", err);
    if (s != ECG_OK)
        return s;
    c->write = write;
    c->payload = payload;
    s = encode(c);
    ecg__free(c);
    return s;
}
