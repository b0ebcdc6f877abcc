#include "data/augment_params.h"

#include <string.h>

static const char *const geometries[] = {"correct", "keras1", "keras2", NULL};
static const char *const fills[] = {"nearest", "constant", "reflect", "wrap", NULL};
static const char *const orders[] = {"0", "1", "", "3", NULL};

#define AT(field) offsetof(ecg_augment_options, field)

/* clang-format off */
const struct ecg__param ecg__augment_params[] = {
    /* ---- named as in Keras ---- */
    {{"rotation_range", "A or A:B degrees, -360..360", "0", "turn; one number is -A..A"},
     ECG__PARAM_RANGE, ECG__SCALAR_EVEN, AT(rotation_range), -360, 360, ECG_AUGMENT_ROTATION, NULL},
    {{"width_shift_range", "F, N, A:B or A/B/C, up to 32768", "0",
      "shift along the columns: a fraction of the width, or pixels from 1 on; 5 is Keras' int (0..4 pixels, either "
      "way), 5.0 its float, A/B/C a choice; in A:B positive is to the left, as in Keras"},
     ECG__PARAM_SHIFT, ECG__SCALAR_EVEN, AT(width_shift_range), -32768, 32768, ECG_AUGMENT_WIDTH_SHIFT, NULL},
    {{"height_shift_range", "F, N, A:B or A/B/C, up to 32768", "0",
      "the same along the rows (an offset of the voltage); in A:B positive is up"},
     ECG__PARAM_SHIFT, ECG__SCALAR_EVEN, AT(height_shift_range), -32768, 32768, ECG_AUGMENT_HEIGHT_SHIFT, NULL},
    {{"shear_range", "A or A:B degrees, -89..89", "0", "slant"},
     ECG__PARAM_RANGE, ECG__SCALAR_EVEN, AT(shear_range), -89, 89, ECG_AUGMENT_SHEAR, NULL},
    {{"zoom_range", "A or A:B, 0.01..100", "0",
      "size of what is seen, rows and columns apart; below 1 magnifies; one number is 1-A..1+A"},
     ECG__PARAM_RANGE, ECG__SCALAR_ONE, AT(zoom_range), 0.01, 100, ECG_AUGMENT_ZOOM, NULL},
    {{"horizontal_flip", "0 or 1", "0", "mirror left and right: reverses time, which no heart does"},
     ECG__PARAM_FLAG, ECG__SCALAR_EVEN, AT(horizontal_flip), 0, 1, ECG_AUGMENT_HORIZONTAL_FLIP, NULL},
    {{"vertical_flip", "0 or 1", "0", "mirror top and bottom: reverses polarity, as exchanged leads do"},
     ECG__PARAM_FLAG, ECG__SCALAR_EVEN, AT(vertical_flip), 0, 1, ECG_AUGMENT_VERTICAL_FLIP, NULL},
    {{"channel_shift_range", "A or A:B grey levels, -65535..65535", "0",
      "add to every value, held within the picture's own extremes"},
     ECG__PARAM_RANGE, ECG__SCALAR_EVEN, AT(channel_shift_range), -65535, 65535, ECG_AUGMENT_CHANNEL_SHIFT, NULL},
    {{"brightness_range", "A or A:B, 0..100", "0", "multiply every value; one number is 1-A..1+A"},
     ECG__PARAM_RANGE, ECG__SCALAR_ONE, AT(brightness_range), 0, 100, ECG_AUGMENT_BRIGHTNESS, NULL},
    {{"fill_mode", "nearest, constant, reflect or wrap", "nearest", "what is outside the picture"},
     ECG__PARAM_NAME, ECG__SCALAR_EVEN, AT(fill_mode), 0, 3, -1, fills},
    {{"cval", "-65535..65535", "0", "grey level outside, with fill_mode=constant"},
     ECG__PARAM_REAL, ECG__SCALAR_EVEN, AT(cval), -65535, 65535, -1, NULL},
    {{"interpolation_order", "0, 1 or 3", "1", "nearest pixel, linear, cubic splines"},
     ECG__PARAM_NAME, ECG__SCALAR_EVEN, AT(interpolation_order), 0, 3, -1, orders},
    {{"geometry", "correct, keras1 or keras2", "correct",
      "true centre and axes, or Keras' up to 2.8 or from 2.9 on, with their mistakes"},
     ECG__PARAM_NAME, ECG__SCALAR_EVEN, AT(geometry), 0, 2, -1, geometries},
    /* ---- for heartbeats ---- */
    {{"time_shift", "A or A:B of the width, -1..1", "0", "beat earlier or later; positive is later"},
     ECG__PARAM_RANGE, ECG__SCALAR_EVEN, AT(time_shift), -1, 1, ECG_AUGMENT_TIME_SHIFT, NULL},
    {{"time_stretch", "A or A:B, 0.1..10", "0", "slower (above 1) or faster beat; one number is 1-A..1+A"},
     ECG__PARAM_RANGE, ECG__SCALAR_ONE, AT(time_stretch), 0.1, 10, ECG_AUGMENT_TIME_STRETCH, NULL},
    {{"gain", "A or A:B, 0.1..10", "0", "amplitude about the middle row; one number is 1-A..1+A"},
     ECG__PARAM_RANGE, ECG__SCALAR_ONE, AT(gain), 0.1, 10, ECG_AUGMENT_GAIN, NULL},
    {{"wander", "A or A:B of the height, 0..1", "0", "baseline wander: slow sine and ramp"},
     ECG__PARAM_RANGE, ECG__SCALAR_UP, AT(wander), 0, 1, ECG_AUGMENT_WANDER, NULL},
    {{"pen", "A or A:B pixels, -8..8", "0", "trace thicker at each side, or (below 0) thinner"},
     ECG__PARAM_RANGE, ECG__SCALAR_UP, AT(pen), -8, 8, ECG_AUGMENT_PEN, NULL},
    {{"noise", "A or A:B grey levels, 0..255", "0", "deviation of noise added to each pixel"},
     ECG__PARAM_RANGE, ECG__SCALAR_UP, AT(noise), 0, 255, ECG_AUGMENT_NOISE, NULL},
    {{"cutout", "A or A:B of the width, 0..1", "0", "blank a band of columns: missing samples"},
     ECG__PARAM_RANGE, ECG__SCALAR_UP, AT(cutout), 0, 1, ECG_AUGMENT_CUTOUT, NULL},
    {{"crop", "A or A:B of the sides, 0.1..1", "0", "a window anywhere, enlarged; one number is A..1"},
     ECG__PARAM_RANGE, ECG__SCALAR_TO_ONE, AT(crop), 0.1, 1, ECG_AUGMENT_CROP, NULL},
    {{"nine_crops", "0 or 0.1..1 of the sides", "0",
      "one of nine windows (corners, edges, middle), enlarged; 0.75 in Jun et al. 2018"},
     ECG__PARAM_REAL, ECG__SCALAR_EVEN, AT(nine_crops), 0.1, 1, ECG_AUGMENT_NINE_CROPS, NULL},
    {{"mixup", "0..100", "0", "blend with another picture of the batch; alpha of the Beta distribution"},
     ECG__PARAM_REAL, ECG__SCALAR_EVEN, AT(mixup), 0, 100, ECG_AUGMENT_MIXUP, NULL},
    {{NULL, NULL, NULL, NULL}, ECG__PARAM_REAL, ECG__SCALAR_EVEN, 0, 0, 0, -1, NULL},
};

const struct ecg__augment_preset ecg__augment_presets[] = {
    {{"none", "preset", NULL, "pictures as they are"}, ""},
    {{"ecg", "preset", NULL,
      "sound for heartbeats: time_shift=0.04,height_shift_range=-0.04:0.04,time_stretch=0.08,gain=0.15,wander=0.03,"
      "rotation_range=2@0.5"},
     "time_shift=0.04,height_shift_range=-0.04:0.04,time_stretch=0.08,gain=0.15,wander=0.03,rotation_range=2@0.5"},
    {{"keras-seed", "preset", NULL,
      "the original project's: shear_range=0.2,zoom_range=0.2,horizontal_flip,geometry=keras1 (reverses time)"},
     "shear_range=0.2,zoom_range=0.2,horizontal_flip,geometry=keras1"},
    {{NULL, NULL, NULL, NULL}, NULL},
};
/* clang-format on */

int ecg__augment_param_on(const ecg_augment_options *o, const struct ecg__param *p)
{
    const void *const at = (const char *)o + p->offset;
    const ecg_range *r = at;
    switch (p->form) {
    case ECG__PARAM_RANGE:
        if (r->lo == 0.0 && r->hi == 0.0)
            return 0;
        return !((p->scalar == ECG__SCALAR_ONE || p->scalar == ECG__SCALAR_TO_ONE) && r->lo == 1.0 &&
                 r->hi == 1.0 && !(p->kind == ECG_AUGMENT_BRIGHTNESS && o->geometry != ECG_GEOMETRY_CORRECT));
    case ECG__PARAM_SHIFT:
        return ((const ecg_shift *)at)->kind != ECG_SHIFT_NONE;
    case ECG__PARAM_REAL:
        return *(const double *)at != 0.0;
    case ECG__PARAM_FLAG:
        return *(const uint32_t *)at != 0;
    case ECG__PARAM_NAME:
        break;
    }
    return 0;
}
