/* image.h: pictures in memory, read from and written to files.
 *
 *     ecg_pixels *p = NULL;
 *     if (ecg_pixels_load(&p, "beat.png", NULL, &err) == ECG_OK) {
 *         ecg_image v = ecg_pixels_view(p);          // v.w x v.h gray pixels
 *         ecg_pixels_free(p);
 *     }
 */
#ifndef ECGCNN_IMAGE_H
#define ECGCNN_IMAGE_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Channels of a decoded picture; the value is their number. */
typedef enum ecg_color {
    ECG_COLOR_GRAY = 1,
    ECG_COLOR_RGB = 3,
    ECG_COLOR_RGBA = 4,
} ecg_color;

/* How files become pixels.
 * CORRECT: 16-bit samples keep their high byte, alpha is laid over white (for GRAY and RGB), EXIF
 *          orientation is applied.
 * KERAS:   what Keras' load_img does with Pillow 9.4: 16-bit gray is clipped at 255, alpha is dropped, tRNS
 *          matters for RGBA only, EXIF is ignored.
 * CMYK JPEG (Adobe's inverted form) is read by both. */
typedef enum ecg_profile {
    ECG_PROFILE_CORRECT = 0,
    ECG_PROFILE_KERAS = 1,
} ecg_profile;

/* Resampling filters, with Pillow's arithmetic to the bit: all but NEAREST are antialiased when shrinking. */
typedef enum ecg_filter {
    ECG_FILTER_NEAREST = 0,
    ECG_FILTER_BOX = 1,
    ECG_FILTER_BILINEAR = 2,
    ECG_FILTER_HAMMING = 3,
    ECG_FILTER_BICUBIC = 4,
    ECG_FILTER_LANCZOS = 5,
} ecg_filter;

/* Lower-case names as in Keras ("nearest", "bilinear", ...; "correct", "keras"; "gray", "rgb", "rgba").
 * The _name functions return NULL for a value that is none; the _parse functions return ECG_EINVAL for a name
 * that is none and leave *out alone ("grayscale" is accepted for "gray"). Any thread. */
ECG_API const char *ecg_filter_name(ecg_filter f);
ECG_API const char *ecg_profile_name(ecg_profile p);
ECG_API const char *ecg_color_name(ecg_color c);
ECG_API ecg_status ecg_filter_parse(ecg_filter *out, const char *name);
ECG_API ecg_status ecg_profile_parse(ecg_profile *out, const char *name);
ECG_API ecg_status ecg_color_parse(ecg_color *out, const char *name);

/* A view of 8-bit pixels that someone else owns. Pixel (row, col), channel k is px[row * stride + col * c +
 * k]; row 0 is the top. */
typedef struct ecg_image {
    const uint8_t *px;
    uint32_t w, h, c;
    size_t stride; /* bytes from one row to the next, at least w * c */
} ecg_image;

/* An owner of pixels, immutable once returned: share it between threads freely. */
typedef struct ecg_pixels ecg_pixels;

typedef struct ecg_decode_options {
    uint32_t size;
    ecg_color color;     /* 0: ECG_COLOR_GRAY */
    ecg_profile profile; /* 0: ECG_PROFILE_CORRECT */
    uint32_t max_side;   /* largest width or height accepted, 0: 8192 */
    uint64_t max_pixels; /* largest width x height accepted, 0: 33554432 (32 Mi) */
    uint64_t max_bytes;  /* largest file read, 0: 67108864 (64 MiB) */
} ecg_decode_options;
#define ECG_DECODE_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        sizeof(ecg_decode_options), (ecg_color)0, (ecg_profile)0, 0, 0, 0                                    \
    }

/* Read a PNG or JPEG file; the kind is decided by its first bytes, never by its name. Every PNG colour type
 * and bit depth, interlaced or not; JPEG gray, YCbCr, RGB, CMYK and YCCK, baseline or progressive. Limits are
 * checked on the header, before pixels are allocated. *out is the caller's, freed with ecg_pixels_free.
 * Errors: ECG_EIO (cannot be read; a device, pipe or directory is refused), ECG_EFORMAT (neither PNG nor
 * JPEG), ECG_ECORRUPT (truncated or damaged; a JPEG warning counts as damage), ECG_ELIMIT, ECG_EUNSUPPORTED
 * (a kind of JPEG the decoder lacks), ECG_EINVAL, ECG_ENOMEM. The message names the file. Any thread. */
ECG_API ecg_status ecg_pixels_load(ecg_pixels **out, const char *path, const ecg_decode_options *o,
                                   ecg_error *err);

/* The same from n bytes in memory; `name` stands for the file in messages (NULL: "picture"). */
ECG_API ecg_status ecg_pixels_decode(ecg_pixels **out, const void *data, size_t n, const char *name,
                                     const ecg_decode_options *o, ecg_error *err);

/* A new picture of h x w pixels, 1 <= h, w <= 32768, same channels (1, 3 or 4; the fourth is alpha, and
 * colours are premultiplied by it except for NEAREST). A picture that has the size already is copied. Errors:
 * ECG_EINVAL, ECG_ENOMEM. Any thread. */
ECG_API ecg_status ecg_pixels_resize(ecg_pixels **out, const ecg_image *in, uint32_t h, uint32_t w,
                                     ecg_filter filter, ecg_error *err);

/* The pixels of p; valid until p is freed. */
ECG_API ecg_image ecg_pixels_view(const ecg_pixels *p);

/* Free; NULL is allowed. */
ECG_API void ecg_pixels_free(ecg_pixels *p);

/* Write a picture of 1, 3 or 4 channels as an 8-bit PNG without ancillary chunks, the same bytes for the same
 * pixels. The file appears whole or not at all (temporary file in the same folder, then renamed).
 * Errors: ECG_EIO, ECG_EINVAL, ECG_ENOMEM. Any thread. */
ECG_API ecg_status ecg_image_save_png(const ecg_image *img, const char *path, ecg_error *err);

/* The same bytes to a function instead: n more of them; nonzero stops (ECG_EIO). Any thread. */
typedef int ecg_image_write_fn(void *payload, const void *data, size_t n);
ECG_API ecg_status ecg_image_encode_png(const ecg_image *img, ecg_image_write_fn *write, void *payload,
                                        ecg_error *err);

/* ---- Preprocessing: from a picture to the numbers a network reads ----
 * Part of the model file: training, evaluation and prediction all go through these functions, in single
 * precision and in Keras' order: value = pixel * rescale; then, where wanted, less the picture's own mean and
 * over its own deviation
 * (+ 1e-6); then (value - mean[k]) / deviation[k] for channel k; then the whole picture as a row vector times
 * zca. */
typedef struct ecg_preprocess {
    uint32_t size;
    uint32_t h, w;              /* rows and columns the network reads, 1..4096 */
    ecg_color color;            /* 0: ECG_COLOR_GRAY */
    ecg_profile profile;        /* 0: ECG_PROFILE_CORRECT */
    ecg_filter filter;          /* as it stands: 0 is NEAREST; the _INIT macro says BILINEAR */
    float rescale;              /* 0: 1/255 */
    float mean[4];              /* per channel, 0: none */
    float deviation[4];         /* per channel, 0: 1 */
    uint32_t samplewise_center; /* 1: subtract the picture's own mean, one number for all channels */
    uint32_t samplewise_std;    /* 1: divide by the picture's own deviation; centres too */
    uint32_t zca_n;             /* h * w * channels, at most 4096; 0: none */
    const float *zca; /* [zca_n][zca_n] or NULL; borrowed: a model keeps a copy, a loader does not */
} ecg_preprocess;
#define ECG_PREPROCESS_INIT                                                                                  \
    {                                                                                                        \
        sizeof(ecg_preprocess), 64, 64, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT, ECG_FILTER_BILINEAR, 0.0f,      \
            {0.0f, 0.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 0.0f, 0.0f}, 0, 0, 0, NULL                                \
    }

/* Check ranges and finiteness and write the zeros-mean-default fields out in full into *out (which may be p).
 * Errors: ECG_EINVAL with the field named. */
ECG_API ecg_status ecg_preprocess_check(ecg_preprocess *out, const ecg_preprocess *p, ecg_error *err);

/* Read a file and bring it to p->h x p->w pixels of p->color: the 8-bit form that a data loader keeps.
 * p must have passed ecg_preprocess_check. Errors as ecg_pixels_load. Any thread. */
ECG_API ecg_status ecg_preprocess_load(ecg_pixels **out, const ecg_preprocess *p, const char *path,
                                       ecg_error *err);

/* The same from bytes in memory. */
ECG_API ecg_status ecg_preprocess_decode(ecg_pixels **out, const ecg_preprocess *p, const void *data,
                                         size_t n, const char *name, ecg_error *err);

/* 8-bit pixels, px[h][w][c] packed, to the network's input x[h][w][c]. Allocates nothing, cannot fail. */
ECG_API void ecg_preprocess_values(const ecg_preprocess *p, const uint8_t *px, float *x);

/* The same in place from values 0..255 that need not be whole, as augmentation leaves them. */
ECG_API void ecg_preprocess_floats(const ecg_preprocess *p, float *x);

/* ---- Look: what a picture looks like, in a few numbers ----
 * What a model's gate (ecg_gate in net.h) compares with the training pictures. Those of the picture as it was
 * decoded come first, with its colour and shape; the same but for these follow from the prepared one. Ink is
 * what is darker than the background (the median) by 32 of 255 or more; numbers are shares unless it is said
 * otherwise. None depends on the size of a picture, if its lines grow with it. */
typedef enum ecg_look_kind {
    ECG_LOOK_BACKGROUND = 0, /* the median, 1 is white */
    ECG_LOOK_INK,            /* pixels that are ink */
    ECG_LOOK_BRIGHT,         /* pixels as much brighter than the background */
    ECG_LOOK_GRAIN,          /* mean difference of neighbours in a row, of those that differ by less; of 32 */
    ECG_LOOK_DEPTH,          /* mean difference of ink from the background, of 255 */
    ECG_LOOK_COLUMNS,        /* columns with ink */
    ECG_LOOK_STROKES,        /* a number: mean strokes, one above the other, in a column with ink */
    ECG_LOOK_BREAKS,         /* neighbouring columns with ink whose ink does not touch */
    ECG_LOOK_REACH,    /* mean height from the highest to the lowest ink of a column, of the picture's */
    ECG_LOOK_ROWS,     /* rows with ink */
    ECG_LOOK_BORDER,   /* pixels of the outermost rows and columns that are ink or bright */
    ECG_LOOK_PREPARED, /* so many of a prepared picture */
    ECG_LOOK_COLOR = ECG_LOOK_PREPARED, /* mean difference of the largest and smallest channel, of 255 */
    ECG_LOOK_ASPECT,                    /* a number: log2(width / height) */
    ECG_LOOK_DECODED,                   /* so many of a decoded picture */
    ECG_LOOKS = ECG_LOOK_DECODED + ECG_LOOK_PREPARED,
} ecg_look_kind;

/* Of a decoded picture. All finite. */
typedef struct ecg_look {
    float of[ECG_LOOK_DECODED];
} ecg_look;

/* Words for number i < ECG_LOOKS of both: "ink", ..., "ink (prepared)"; NULL for another. */
ECG_API const char *ecg_look_name(uint32_t i);

/* What is read by ecg_preprocess_load or ecg_preprocess_decode, to the bit, and what it looked like before.
 * p must have passed ecg_preprocess_check. Errors and ownership as theirs. Any thread. */
ECG_API ecg_status ecg_look_load(ecg_pixels **out, ecg_look *look, const ecg_preprocess *p, const char *path,
                                 ecg_error *err);
ECG_API ecg_status ecg_look_decode(ecg_pixels **out, ecg_look *look, const ecg_preprocess *p,
                                   const void *data, size_t n, const char *name, ecg_error *err);

/* The same of a picture in memory, of any size and of 1, 3 or 4 channels (alpha is laid over white). Errors:
 * ECG_EINVAL, ECG_ENOMEM. */
ECG_API ecg_status ecg_look_image(ecg_pixels **out, ecg_look *look, const ecg_preprocess *p,
                                  const ecg_image *img, ecg_error *err);

/* The numbers of a prepared picture. Allocates nothing, cannot fail. */
ECG_API void ecg_look_prepared(const ecg_image *img, float out[ECG_LOOK_PREPARED]);

#ifdef __cplusplus
}
#endif
#endif
