/* JPEG through libjpeg's scanline interface with its default settings: accurate integer DCT, smooth chroma
 * upsampling. A warning is an error, since what libjpeg goes on with then is guessed. */
#include <stdio.h> /* jpeglib.h needs it */

#include <jpeglib.h>

#include <jerror.h>
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "image/color.h"
#include "image/orient.h"

enum { MAX_SCANS = 100, SOS = 0xda, APP1 = JPEG_APP0 + 1 };

/* All that is alive when libjpeg jumps; never a local of the function that calls setjmp. */
struct jpeg {
    struct jpeg_decompress_struct dec;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    const struct ecg__encoded *in;
    ecg_error *err;
    struct ecg__samples samples;
    uint8_t *row;
    uint8_t *scratch;
    ecg_pixels *px;
    bool too_many_scans;
    jmp_buf jump;
};

static void stop(j_common_ptr dec)
{
    longjmp(((struct jpeg *)dec->client_data)->jump, 1);
}

static void on_message(j_common_ptr dec, int level)
{
    if (level < 0)
        stop(dec);
}

static void on_output(j_common_ptr dec)
{
    (void)dec;
}

/* A small progressive file may hold thousands of scans, each as dear as a picture. */
static void on_progress(j_common_ptr dec)
{
    struct jpeg *c = dec->client_data;
    if (c->dec.input_scan_number > MAX_SCANS) {
        c->too_many_scans = true;
        stop(dec);
    }
}

static ecg_status truncated(const struct jpeg *c)
{
    return ecg__fail(c->err, ECG_ECORRUPT, "%s: JPEG truncated after %zu bytes", c->in->name, c->in->n);
}

/* What a fatal error or warning of libjpeg means. */
static ecg_status fail(struct jpeg *c)
{
    const char *name = c->in->name;
    if (c->too_many_scans)
        return ecg__fail(c->err, ECG_ELIMIT, "%s: JPEG of more than %d scans", name, (int)MAX_SCANS);
    char text[JMSG_LENGTH_MAX];
    c->errors.format_message((j_common_ptr)&c->dec, text);
    switch (c->errors.msg_code) {
    case JERR_OUT_OF_MEMORY:
        return ecg__fail(c->err, ECG_ENOMEM, "%s: out of memory", name);
    case JERR_NO_BACKING_STORE:
        return ecg__fail(c->err, ECG_ELIMIT, "%s: JPEG needs too much memory to decode", name);
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        return ecg__fail(c->err, ECG_ELIMIT, "%s: JPEG: %s", name, text);
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_EMPTY_IMAGE:
        return ecg__fail(c->err, ECG_EUNSUPPORTED, "%s: a kind of JPEG that is not read: %s", name, text);
    case JWRN_JPEG_EOF:
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY:
        return truncated(c);
    default:
        return ecg__fail(c->err, ECG_ECORRUPT, "%s: JPEG damaged: %s", name, text);
    }
}

/* Of the first Exif marker before the picture. libjpeg would keep all markers of its kind, however many. */
static uint32_t read_orientation(const struct ecg__encoded *in)
{
    for (size_t at = 2; in->n - at >= 4 && in->data[at] == 0xff;) {
        const unsigned char *p = in->data + at;
        const bool bare = p[1] == 0xff || p[1] == 0x01 || (p[1] >= JPEG_RST0 && p[1] <= JPEG_RST0 + 7);
        const size_t n = bare ? 0 : (size_t)p[2] << 8 | p[3];
        if (p[1] == SOS || n > in->n - at - 2)
            return 1;
        if (p[1] == APP1 && n >= 8 && memcmp(p + 4, "Exif\0", 6) == 0)
            return ecg__exif_orientation(p + 10, n - 8);
        at += p[1] == 0xff ? 1 : 2 + n;
    }
    return 1;
}

/* Huffman codes take a bit for each block of a component at least: so many pixels cannot come of so few
 * bytes. */
static bool too_short(const struct jpeg *c)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < c->dec.num_components && !c->dec.arith_code; i++) {
        const jpeg_component_info *k = &c->dec.comp_info[i];
        const uint64_t blocks = (uint64_t)k->width_in_blocks * k->height_in_blocks;
        least = blocks < least ? blocks : least;
    }
    return least != UINT64_MAX && least / 8 > c->in->n;
}

static ecg_status read_header(struct jpeg *c)
{
    struct jpeg_decompress_struct *dec = &c->dec;
    jpeg_create_decompress(dec);
    dec->progress = &c->progress;
    jpeg_mem_src(dec, c->in->data, c->in->n);
    jpeg_read_header(dec, TRUE);
    const ecg_status s = ecg__size_check(c->in, dec->image_width, dec->image_height, c->err);
    if (s != ECG_OK)
        return s;
    if (too_short(c))
        return truncated(c);
    /* Coefficients of a progressive picture: two bytes each, up to four components, blocks filled up. */
    const uint64_t memory = ((uint64_t)dec->image_width + 64) * ((uint64_t)dec->image_height + 64) * 8 +
                            c->in->n + (1u << 24);
    dec->mem->max_memory_to_use = memory < LONG_MAX ? (long)memory : LONG_MAX;
    c->samples.bits = 8;
    switch (dec->num_components) {
    case 1:
        dec->out_color_space = JCS_GRAYSCALE;
        c->samples.kind = ECG__GRAY;
        break;
    case 3:
        dec->out_color_space = JCS_RGB;
        c->samples.kind = ECG__RGB;
        break;
    case 4:
        dec->out_color_space = JCS_CMYK;
        c->samples.kind = ECG__CMYK;
        break;
    default:
        return ecg__fail(c->err, ECG_EUNSUPPORTED, "%s: JPEG of %d components, expected 1, 3 or 4",
                         c->in->name, dec->num_components);
    }
    return ECG_OK;
}

static ecg_status run(struct jpeg *c)
{
    const ecg_status s = read_header(c);
    if (s != ECG_OK)
        return s;
    struct jpeg_decompress_struct *dec = &c->dec;
    const uint32_t w = dec->image_width, h = dec->image_height;
    c->px = ecg__pixels_new(h, w, (uint32_t)c->in->color);
    c->row = ecg__calloc(w, (size_t)dec->num_components);
    c->scratch = ecg__calloc(w, 4);
    if (!c->px || !c->row || !c->scratch)
        return ecg__fail(c->err, ECG_ENOMEM, "%s: out of memory", c->in->name);
    jpeg_start_decompress(dec);
    while (dec->output_scanline < h) {
        uint8_t *to = c->px->px + (size_t)dec->output_scanline * w * c->px->c;
        jpeg_read_scanlines(dec, &c->row, 1);
        ecg__color_row(&c->samples, c->row, w, c->in->color, c->in->profile, c->scratch, to);
    }
    jpeg_finish_decompress(dec); /* reads on to the end marker */
    return ECG_OK;
}

static ecg_status guarded(struct jpeg *c)
{
    return setjmp(c->jump) == 0 ? run(c) : fail(c);
}

ecg_status ecg__jpeg_decode(ecg_pixels **out, uint32_t *orientation, const struct ecg__encoded *in,
                            ecg_error *err)
{
    struct jpeg *c = ecg__calloc(1, sizeof *c);
    if (!c)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", in->name);
    c->in = in;
    c->err = err;
    *orientation = 1;
    c->progress.progress_monitor = on_progress;
    c->dec.client_data = c;
    c->dec.err = jpeg_std_error(&c->errors);
    c->errors.error_exit = stop;
    c->errors.emit_message = on_message;
    c->errors.output_message = on_output;
    const ecg_status s = guarded(c);
    jpeg_destroy_decompress(&c->dec);
    if (s == ECG_OK) {
        *out = c->px;
        if (in->profile == ECG_PROFILE_CORRECT)
            *orientation = read_orientation(in);
    } else {
        ecg_pixels_free(c->px);
    }
    ecg__free(c->row);
    ecg__free(c->scratch);
    ecg__free(c);
    return s;
}
