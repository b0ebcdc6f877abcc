/* augment.h: random changes of training pictures, so that a network learns the heartbeat and not the picture.
 *
 *     ecg_augment_options o;
 *     if (ecg_augment_parse(&o, "ecg,time_shift=0.08,zoom_range=0.9:1.1", &err) == ECG_OK) {
 *         void *scratch = malloc(ecg_augment_scratch(&o, h, w, 1));
 *         ecg_augmentation a;
 *         ecg_augment_draw(&a, &o, h, w, seed, epoch, sample);
 *         ecg_augment_apply(&a, &o, &picture, out, scratch);     // out[h][w][1], values 0..255
 *     }
 *
 * What is drawn depends on (seed, epoch, sample) alone, and each parameter has its own random numbers:
 * neither threads nor batches change a picture, and switching one parameter on leaves the others as they
 * were. Everything here is for training pictures only. Pixel values are 0..255, before any rescaling. */
#ifndef ECGCNN_AUGMENT_H
#define ECGCNN_AUGMENT_H

#include "image.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the parameters named as in Keras mean.
 * CORRECT: turns and zooms about the true centre of the picture; width is columns, height is rows; brightness
 *          is a plain factor.
 * KERAS1:  keras_preprocessing 1.1 (TensorFlow to 2.8) to the letter: a centre one pixel too far down and
 *          right, brightness stretches contrast to 255 and rounds to 8 bits.
 * KERAS2:  Keras 2.9 and later: width and height shifts exchanged, wrong centre for pictures that are not
 *          square, positive angles turn the other way, brightness rounds to 8 bits. */
typedef enum ecg_geometry {
    ECG_GEOMETRY_CORRECT = 0,
    ECG_GEOMETRY_KERAS1 = 1,
    ECG_GEOMETRY_KERAS2 = 2,
} ecg_geometry;

/* What lies outside the picture; as SciPy's modes of the same names. */
typedef enum ecg_fill_mode {
    ECG_FILL_NEAREST = 0,
    ECG_FILL_CONSTANT = 1, /* cval */
    ECG_FILL_REFLECT = 2,
    ECG_FILL_WRAP = 3, /* period is size - 1, as in Keras */
} ecg_fill_mode;

/* Uniform between lo and hi; both 0: off. Where 1 changes nothing, 1 and 1 is off too. */
typedef struct ecg_range {
    double lo, hi;
} ecg_range;

/* Keras' three ways to say how far to shift, and a plain range. Where the largest value is below 1 (for PAIR:
 * the largest magnitude), values are fractions of the picture, else pixels. */
typedef enum ecg_shift_kind {
    ECG_SHIFT_NONE = 0,
    ECG_SHIFT_FLOAT = 1, /* uniform in -value[0]..value[0] */
    ECG_SHIFT_INT = 2,  /* one of 0, 1, ..., value[0] - 1, with a random sign: Keras never reaches value[0] */
    ECG_SHIFT_LIST = 3, /* one of value[0..count), with a random sign */
    ECG_SHIFT_PAIR = 4, /* uniform in value[0]..value[1] */
} ecg_shift_kind;

enum { ECG_SHIFT_MAX = 16 };

typedef struct ecg_shift {
    ecg_shift_kind kind;
    uint32_t count; /* LIST only */
    double value[ECG_SHIFT_MAX];
} ecg_shift;

/* For probabilities and help. Values are kept. */
typedef enum ecg_augment_kind {
    ECG_AUGMENT_ROTATION = 0,
    ECG_AUGMENT_WIDTH_SHIFT,
    ECG_AUGMENT_HEIGHT_SHIFT,
    ECG_AUGMENT_SHEAR,
    ECG_AUGMENT_ZOOM,
    ECG_AUGMENT_HORIZONTAL_FLIP,
    ECG_AUGMENT_VERTICAL_FLIP,
    ECG_AUGMENT_CHANNEL_SHIFT,
    ECG_AUGMENT_BRIGHTNESS,
    ECG_AUGMENT_TIME_SHIFT,
    ECG_AUGMENT_TIME_STRETCH,
    ECG_AUGMENT_GAIN,
    ECG_AUGMENT_WANDER,
    ECG_AUGMENT_PEN,
    ECG_AUGMENT_NOISE,
    ECG_AUGMENT_CUTOUT,
    ECG_AUGMENT_CROP,
    ECG_AUGMENT_NINE_CROPS,
    ECG_AUGMENT_MIXUP,
    ECG_AUGMENT_KINDS,
} ecg_augment_kind;

/* Zero is neutral, but for interpolation_order: ECG_AUGMENT_OPTIONS_INIT leaves every picture as it is. */
typedef struct ecg_augment_options {
    uint32_t size;
    uint32_t interpolation_order; /* as it stands: 0 nearest, 1 linear (the _INIT macro), 3 cubic splines */
    ecg_geometry geometry;
    ecg_fill_mode fill_mode;
    double cval;
    /* As in Keras' ImageDataGenerator. A Keras scalar r is the pair -r, r; for zoom 1-r, 1+r. */
    uint32_t horizontal_flip; /* reverses time: not a heartbeat any more */
    uint32_t vertical_flip;   /* reverses polarity */
    ecg_shift width_shift_range, height_shift_range;
    ecg_range rotation_range;   /* degrees */
    ecg_range shear_range;      /* degrees */
    ecg_range zoom_range;       /* rows and columns drawn apart; below 1 magnifies */
    ecg_range brightness_range; /* factor */
    ecg_range channel_shift_range;
    /* For heartbeats: time runs along the columns, voltage up the rows. */
    ecg_range time_shift;   /* fraction of the width, positive is later (to the right) */
    ecg_range time_stretch; /* factor, above 1 is slower (wider) */
    ecg_range gain;         /* factor of the amplitude about the middle row */
    ecg_range wander;       /* size of baseline wander (slow sine and ramp), fraction of the height */
    ecg_range pen;          /* pixels that the trace gets thicker at each side, negative thinner */
    ecg_range noise;        /* standard deviation of noise added to each value, grey levels */
    ecg_range cutout;       /* width of a band of columns that is blanked, fraction of the width */
    ecg_range crop;         /* side of a window at a random place, enlarged to the full picture; fraction */
    double nine_crops;      /* one of nine windows of this side (Jun et al. 2018: 0.75); fraction */
    double mixup;           /* alpha of the Beta distribution, see ecg_augment_mixup */
    /* How often each is used, 0: its usual probability (flips 1/2, nine_crops 9/10, others 1). */
    float probability[ECG_AUGMENT_KINDS];
} ecg_augment_options;
#define ECG_AUGMENT_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        sizeof(ecg_augment_options), 1, ECG_GEOMETRY_CORRECT, ECG_FILL_NEAREST, 0.0, 0, 0,                   \
            {ECG_SHIFT_NONE, 0, {0.0}}, {ECG_SHIFT_NONE, 0, {0.0}}, {0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0},      \
            {0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0},  \
            {0.0, 0.0}, {0.0, 0.0}, 0.0, 0.0,                                                                \
        {                                                                                                    \
            0.0f                                                                                             \
        }                                                                                                    \
    }

/* Check ranges and finiteness and write *in out in full into *out (which may be in): the form that the other
 * functions take. NULL for `in`: no augmentation. Errors: ECG_EINVAL with the parameter named. Any thread. */
ECG_API ecg_status ecg_augment_check(ecg_augment_options *out, const ecg_augment_options *in, ecg_error *err);

/* From text: a preset and overrides, or overrides alone, separated by commas.
 * "ecg,time_shift=0.08,zoom_range=0.9:1.1,rotation_range=3@0.5,width_shift_range=2/4/6,horizontal_flip"
 * One number r is -r..r (zoom, stretch, gain, brightness: 1-r..1+r; sizes: 0..r), A:B is a range, A/B/C a
 * list; a shift of 5 is Keras' int 5, one of 5.0 its float. @P at the end is the probability. Presets:
 * "none"; "ecg", sound for heartbeats; "keras-seed", the original project's. An unknown name is ECG_EINVAL,
 * with the nearest one suggested. The result is checked. */
ECG_API ecg_status ecg_augment_parse(ecg_augment_options *out, const char *text, ecg_error *err);

/* Text that parses to the same options ("none" for no augmentation); cut to cap bytes with a terminating NUL.
 * Returns the length it would have. `o` must be checked. */
ECG_API size_t ecg_augment_print(const ecg_augment_options *o, char *buf, size_t cap);

/* Explanation of parameter i, presets first; NULL after the last. Static. */
typedef struct ecg_augment_param {
    const char *name;
    const char *range;    /* what it may be set to */
    const char *fallback; /* what it is when not set */
    const char *text;
} ecg_augment_param;
ECG_API const ecg_augment_param *ecg_augment_help(size_t i);

/* Does anything in `o` change a picture? 0: draw and apply may be left out (mixup does not count). */
ECG_API int ecg_augment_changes(const ecg_augment_options *o);

/* ---- The drawn values: what happens to one picture ---- */
typedef struct ecg_augmentation {
    /* Keras' apply_transform, with Keras' names: theta and shear in degrees; tx are pixels along rows (up),
     * ty along columns (left). */
    double theta, tx, ty, shear, zx, zy;
    uint32_t flip_horizontal, flip_vertical;
    double channel_shift;
    uint32_t brighten; /* 1: brightness is used (in KERAS1 a factor of 1 is not neutral) */
    double brightness;
    double time_shift;                   /* pixels to the right */
    double time_stretch, gain;           /* factors */
    double wander, wander_ramp;          /* pixels: amplitude of the sine, rise from left to right */
    double wander_cycles;                /* waves over the width */
    double wander_phase;                 /* radians */
    double pen;                          /* pixels */
    double noise;                        /* standard deviation */
    uint64_t noise_key;                  /* names the noise */
    uint32_t cutout_first, cutout_count; /* columns */
    double crop, crop_row, crop_col;     /* side as a fraction; top left corner of the window in pixels */
} ecg_augmentation;
#define ECG_AUGMENTATION_INIT                                                                                \
    {                                                                                                        \
        0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0.0, 0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0,  \
            0, 1.0, 0.0, 0.0                                                                                 \
    }

/* The values for one sample of one epoch, for pictures of h x w. `o` must be checked. Any thread. */
ECG_API void ecg_augment_draw(ecg_augmentation *out, const ecg_augment_options *o, uint32_t h, uint32_t w,
                              uint64_t seed, uint64_t epoch, uint64_t sample);

/* Bytes of scratch memory that applying `o` to pictures of h x w x c needs, at least 1; any alignment. 0 when
 * the size is out of bounds (sides 1..32768, 1..4 channels). `o` must be checked. */
ECG_API size_t ecg_augment_scratch(const ecg_augment_options *o, uint32_t h, uint32_t w, uint32_t c);

/* Change a picture: all geometry in one resampling, then channel shift, flips, pen, cutout, noise and
 * brightness. out[h][w][c] must not overlap the picture; values stay what they are where nothing changes
 * them. Drawn or made up: any values of `a` are safe. Allocates nothing, cannot fail; scratch is one
 * thread's. */
ECG_API void ecg_augment_apply(const ecg_augmentation *a, const ecg_augment_options *o, const ecg_image *in,
                               float *out, void *scratch);
ECG_API void ecg_augment_apply_floats(const ecg_augmentation *a, const ecg_augment_options *o,
                                      const float *in, uint32_t h, uint32_t w, uint32_t c, float *out,
                                      void *scratch);

/* Mixup for a batch: sample i of `count` becomes lambda * i + (1 - lambda) * partner, and so does its one-hot
 * label. lambda in 0.5..1; 1 (and partner i) without mixup. For whoever makes batches. */
ECG_API void ecg_augment_mixup(const ecg_augment_options *o, uint64_t seed, uint64_t epoch, uint64_t i,
                               uint64_t count, uint64_t *partner, float *lambda);

/* Window k = 0..8 (row by row: left, middle, right of top, middle, bottom) of the nine of Jun et al. 2018,
 * its sides `fraction` of the picture's, rounded. A view: resize it back with ecg_pixels_resize. Only ever
 * for training pictures, after the split. An empty view (px NULL) for k > 8 or a fraction outside (0, 1]. */
ECG_API ecg_image ecg_image_nine_crop(const ecg_image *in, uint32_t k, double fraction);

#ifdef __cplusplus
}
#endif
#endif
