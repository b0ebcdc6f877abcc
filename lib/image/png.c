/* PNG through libpng's row interface. Colour is ours: libpng is asked for samples only, and no ancillary
 * chunk is kept but tRNS. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "image/color.h"
#include "image/orient.h"
#include "image/png_plain.h"

enum { MAX_CHUNKS = 16, MAX_CHUNK_BYTES = 1 << 20, SIGNATURE = 8, HEADER = 33, CHUNK = 12 };
enum { DEFLATE_MOST = 1032, REST_BYTES = 1 << 16 };

/* All that is alive when libpng jumps; never a local of the function that calls setjmp. */
struct png {
    const struct ecg__encoded *in;
    ecg_error *err;
    size_t at;  /* next byte to read */
    size_t end; /* none from here on */
    png_structp png;
    png_infop info;
    struct ecg__samples samples;
    uint8_t *rows; /* one row, or all of them if interlaced */
    uint8_t *scratch;
    ecg_pixels *px;
    bool no_memory;
    jmp_buf jump;
    char message[128];
};

PNG_NORETURN static void on_error(png_structp png, png_const_charp message)
{
    struct png *c = png_get_error_ptr(png);
    snprintf(c->message, sizeof c->message, "%s", message);
    longjmp(c->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static png_voidp on_alloc(png_structp png, png_alloc_size_t n)
{
    void *p = malloc(n);
    if (!p)
        ((struct png *)png_get_mem_ptr(png))->no_memory = true;
    return p;
}

static void on_free(png_structp png, png_voidp p)
{
    (void)png;
    free(p);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    struct png *c = png_get_io_ptr(png);
    if (n > c->end - c->at)
        png_error(png, c->end < c->in->n ? "more data than pixels" : "truncated");
    memcpy(to, c->in->data + c->at, n);
    c->at += n;
}

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static ecg_status no_memory(const struct png *c)
{
    return ecg__fail(c->err, ECG_ENOMEM, "%s: out of memory", c->in->name);
}

static ecg_status truncated(const struct png *c)
{
    return ecg__fail(c->err, ECG_ECORRUPT, "%s: PNG truncated after %zu bytes", c->in->name, c->in->n);
}

/* Of a pixel; 0: no such kind, which libpng will say. */
static uint32_t bits_of(uint32_t depth, uint32_t color_type)
{
    static const uint32_t samples[] = {1, 0, 3, 1, 2, 0, 4};
    return color_type < sizeof samples / sizeof *samples ? depth * samples[color_type] : 0;
}

/* The picture's size from the header, before libpng sees it and before anything is allocated. */
static ecg_status check_header(const struct png *c)
{
    const unsigned char *p = c->in->data;
    if (c->in->n < HEADER)
        return ecg__fail(c->err, ECG_ECORRUPT, "%s: PNG truncated in its header (%zu bytes)", c->in->name,
                         c->in->n);
    if (memcmp(p, "\x89PNG\r\n\x1a\n", 8) != 0)
        return ecg__fail(c->err, ECG_ECORRUPT,
                         "%s: PNG signature damaged (line ends changed when the file was copied?)",
                         c->in->name);
    if (memcmp(p + 8, "\0\0\0\x0dIHDR", 8) != 0)
        return ecg__fail(c->err, ECG_ECORRUPT, "%s: PNG damaged: does not begin with its header",
                         c->in->name);
    const uint64_t w = big_endian(p + 16), h = big_endian(p + 20);
    const ecg_status s = ecg__size_check(c->in, w, h, c->err);
    /* So many pixels cannot come of so few bytes: memory follows the file's size, not what it claims. */
    if (s == ECG_OK && w * h / 8 * bits_of(p[24], p[25]) / DEFLATE_MOST > c->in->n)
        return truncated(c);
    return s;
}

/* Of the first eXIf chunk that is sound, before or after the pixels. libpng would keep it, however large. */
static uint32_t read_orientation(const struct ecg__encoded *in)
{
    for (size_t at = SIGNATURE; in->n - at >= CHUNK;) {
        const unsigned char *p = in->data + at;
        const size_t n = big_endian(p);
        if (n > in->n - at - CHUNK || memcmp(p + 4, "IEND", 4) == 0)
            return 1;
        if (memcmp(p + 4, "eXIf", 4) == 0 &&
            crc32(crc32(0, NULL, 0), p + 4, (uInt)n + 4) == big_endian(p + 8 + n))
            return ecg__exif_orientation(p + 8, n);
        at += CHUNK + n;
    }
    return 1;
}

static void open_png(struct png *c)
{
    c->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, c, on_error, on_warning, c, on_alloc, on_free);
    if (!c->png)
        longjmp(c->jump, 1);
    c->info = png_create_info_struct(c->png);
    if (!c->info)
        png_error(c->png, "out of memory");
    png_set_read_fn(c->png, c, on_read);
    png_set_user_limits(c->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* checked above, with a better message */
    png_set_chunk_cache_max(c->png, MAX_CHUNKS);
    png_set_chunk_malloc_max(c->png, MAX_CHUNK_BYTES);
    png_set_keep_unknown_chunks(c->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(c->png, c->info);
}

static void read_palette(struct png *c, const png_byte *alpha, int alphas)
{
    png_colorp colors = NULL;
    int n = 0;
    png_get_PLTE(c->png, c->info, &colors, &n);
    c->samples.colors = (uint32_t)n;
    for (int i = 0; i < n; i++) {
        uint8_t *to = c->samples.palette[i];
        to[0] = colors[i].red, to[1] = colors[i].green, to[2] = colors[i].blue;
        to[3] = i < alphas ? alpha[i] : 255;
    }
}

static void read_format(struct png *c)
{
    struct ecg__samples *s = &c->samples;
    s->bits = png_get_bit_depth(c->png, c->info);
    png_bytep alpha = NULL;
    png_color_16p key = NULL;
    int alphas = 0;
    s->has_key = png_get_tRNS(c->png, c->info, &alpha, &alphas, &key) != 0 && key;
    switch (png_get_color_type(c->png, c->info)) {
    case PNG_COLOR_TYPE_GRAY:
        s->kind = ECG__GRAY;
        if (s->has_key)
            s->key[0] = key->gray;
        break;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        s->kind = ECG__GRAY_ALPHA;
        s->has_key = false;
        break;
    case PNG_COLOR_TYPE_RGB:
        s->kind = ECG__RGB;
        if (s->has_key)
            s->key[0] = key->red, s->key[1] = key->green, s->key[2] = key->blue;
        break;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        s->kind = ECG__RGB_ALPHA;
        s->has_key = false;
        break;
    default:
        s->kind = ECG__INDEX;
        s->has_key = false;
        read_palette(c, alpha, alphas);
        break;
    }
    png_set_packing(c->png);
}

/* libpng wants a full row for each pass, so an interlaced picture is kept whole until the last. */
static ecg_status read_pixels(struct png *c)
{
    const uint32_t w = png_get_image_width(c->png, c->info), h = png_get_image_height(c->png, c->info);
    const int passes = png_set_interlace_handling(c->png);
    png_read_update_info(c->png, c->info);
    const size_t row_bytes = png_get_rowbytes(c->png, c->info);
    c->px = ecg__pixels_new(h, w, (uint32_t)c->in->color);
    c->scratch = ecg__calloc(w, 4);
    c->rows = ecg__calloc(passes > 1 ? h : 1, row_bytes);
    if (!c->px || !c->scratch || !c->rows)
        return no_memory(c);
    const size_t out_row = (size_t)w * c->px->c;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < h; y++) {
            uint8_t *row = passes > 1 ? c->rows + y * row_bytes : c->rows;
            /* After the last row libpng inflates all that is left, which may be gigabytes. */
            if (pass == passes - 1 && y == h - 1 && c->in->n - c->at > row_bytes + REST_BYTES)
                c->end = c->at + row_bytes + REST_BYTES;
            png_read_row(c->png, row, NULL);
            if (pass == passes - 1 && !ecg__color_row(&c->samples, row, w, c->in->color, c->in->profile,
                                                      c->scratch, c->px->px + y * out_row))
                return ecg__fail(c->err, ECG_ECORRUPT,
                                 "%s: PNG damaged: row %zu has an index beyond its %u colours", c->in->name,
                                 y, c->samples.colors);
        }
    return ECG_OK;
}

static ecg_status run(struct png *c)
{
    open_png(c);
    read_format(c);
    return read_pixels(c);
}

static ecg_status guarded(struct png *c)
{
    if (setjmp(c->jump) == 0)
        return run(c);
    if (c->no_memory)
        return no_memory(c);
    if (strcmp(c->message, "truncated") == 0)
        return truncated(c);
    return ecg__fail(c->err, ECG_ECORRUPT, "%s: PNG damaged near byte %zu: %s", c->in->name, c->at,
                     c->message);
}

ecg_status ecg__png_decode(ecg_pixels **out, uint32_t *orientation, const struct ecg__encoded *in,
                           ecg_error *err)
{
    struct png *c = ecg__calloc(1, sizeof *c);
    if (!c)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", in->name);
    c->in = in;
    c->err = err;
    c->end = in->n;
    *orientation = 1;
    ecg_status s = check_header(c);
    if (s == ECG_OK && !ecg__png_plain(&c->px, in))
        s = guarded(c);
    if (c->png)
        png_destroy_read_struct(&c->png, &c->info, NULL);
    if (s == ECG_OK) {
        *out = c->px;
        if (in->profile == ECG_PROFILE_CORRECT)
            *orientation = read_orientation(in);
    } else {
        ecg_pixels_free(c->px);
    }
    ecg__free(c->rows);
    ecg__free(c->scratch);
    ecg__free(c);
    return s;
}
