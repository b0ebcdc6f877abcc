#include <math.h>
#include <stdio.h>

#include "golden/golden_augment_cases.h"
#include "golden/golden_augment_json.h"

bool golden_shift_argument(const char **at, ecg_shift *s)
{
    bool whole;
    if (!json_take(at, '[')) {
        if (!json_number(at, &s->value[0], &whole))
            return false;
        s->kind = s->value[0] == 0.0           ? ECG_SHIFT_NONE
                  : whole && s->value[0] > 0.0 ? ECG_SHIFT_INT
                                               : ECG_SHIFT_FLOAT;
        return true;
    }
    s->kind = ECG_SHIFT_LIST;
    for (s->count = 0; s->count < ECG_SHIFT_MAX; s->count++) {
        if (!json_number(at, &s->value[s->count], &whole))
            return false;
        if (json_take(at, ']')) {
            s->count++;
            return true;
        }
        if (!json_take(at, ','))
            return false;
    }
    return false;
}

/* A number r, as centre - r .. centre + r, or a pair. */
static bool range_argument(const char **at, double centre, ecg_range *r)
{
    double v;
    bool whole;
    if (json_take(at, '['))
        return json_number(at, &r->lo, &whole) && json_take(at, ',') && json_number(at, &r->hi, &whole) &&
               json_take(at, ']');
    if (!json_number(at, &v, &whole))
        return false;
    *r = (ecg_range){centre - v, centre + v};
    return true;
}

static bool flag_argument(const char **at, uint32_t *out)
{
    *out = json_word(at, "true");
    return *out || json_word(at, "false");
}

static bool argument(const char *name, const char **at, ecg_augment_options *o)
{
    if (strcmp(name, "rotation_range") == 0)
        return range_argument(at, 0.0, &o->rotation_range);
    if (strcmp(name, "shear_range") == 0)
        return range_argument(at, 0.0, &o->shear_range);
    if (strcmp(name, "channel_shift_range") == 0)
        return range_argument(at, 0.0, &o->channel_shift_range);
    if (strcmp(name, "zoom_range") == 0)
        return range_argument(at, 1.0, &o->zoom_range);
    if (strcmp(name, "brightness_range") == 0)
        return json_word(at, "null") || range_argument(at, 1.0, &o->brightness_range);
    if (strcmp(name, "width_shift_range") == 0)
        return golden_shift_argument(at, &o->width_shift_range);
    if (strcmp(name, "height_shift_range") == 0)
        return golden_shift_argument(at, &o->height_shift_range);
    if (strcmp(name, "horizontal_flip") == 0)
        return flag_argument(at, &o->horizontal_flip);
    if (strcmp(name, "vertical_flip") == 0)
        return flag_argument(at, &o->vertical_flip);
    return false;
}

bool golden_arguments(const char *json, ecg_augment_options *o)
{
    const char *at = json;
    char name[64];
    if (!json_take(&at, '{'))
        return false;
    if (json_take(&at, '}'))
        return json_end(at);
    do
        if (!json_string(&at, name, sizeof name) || !json_take(&at, ':') || !argument(name, &at, o))
            return false;
    while (json_take(&at, ','));
    return json_take(&at, '}') && json_end(at);
}

static double keras_shift(mt19937 *mt, const ecg_shift *s, double extent)
{
    double v = 0.0, top = s->value[0];
    if (s->kind == ECG_SHIFT_NONE)
        return 0.0;
    if (s->kind == ECG_SHIFT_FLOAT) {
        v = mt_uniform(mt, -s->value[0], s->value[0]);
    } else {
        if (s->kind == ECG_SHIFT_INT)
            v = mt_below(mt, (uint32_t)s->value[0]);
        else
            v = s->value[mt_below(mt, s->count)];
        for (uint32_t i = 1; s->kind == ECG_SHIFT_LIST && i < s->count; i++)
            top = fmax(top, s->value[i]);
        if (mt_below(mt, 2) == 0)
            v = -v;
    }
    return top < 1.0 ? v * extent : v;
}

static double keras_range(mt19937 *mt, const ecg_range *r, double neutral)
{
    return r->lo == neutral && r->hi == neutral ? neutral : mt_uniform(mt, r->lo, r->hi);
}

void golden_keras_draw(mt19937 *mt, const ecg_augment_options *o, uint32_t h, uint32_t w, ecg_augmentation *a)
{
    *a = (ecg_augmentation)ECG_AUGMENTATION_INIT;
    a->theta = keras_range(mt, &o->rotation_range, 0.0);
    a->tx = keras_shift(mt, &o->height_shift_range, h);
    a->ty = keras_shift(mt, &o->width_shift_range, w);
    a->shear = keras_range(mt, &o->shear_range, 0.0);
    if (o->zoom_range.lo != 0.0 || o->zoom_range.hi != 0.0) { /* both 0: not given */
        a->zx = keras_range(mt, &o->zoom_range, 1.0);
        a->zy = keras_range(mt, &o->zoom_range, 1.0);
    }
    a->flip_horizontal = (mt_real(mt) < 0.5) & o->horizontal_flip;
    a->flip_vertical = (mt_real(mt) < 0.5) & o->vertical_flip;
    a->channel_shift = keras_range(mt, &o->channel_shift_range, 0.0);
    a->brighten = o->brightness_range.lo != 0.0 || o->brightness_range.hi != 0.0;
    if (a->brighten)
        a->brightness = mt_uniform(mt, o->brightness_range.lo, o->brightness_range.hi);
}

static bool same(const golden_table *t, const char *name, double got)
{
    double want;
    if (!golden_number(t, name, &want))
        return false;
    if (want != got)
        printf("FAILED %s: %s is %.17g, expected %.17g\n", golden_cell(t, "id"), name, got, want);
    return want == got;
}

bool golden_rng_case(const golden_table *t, bool *counted)
{
    (void)counted;
    ecg_augment_options o = ECG_AUGMENT_OPTIONS_INIT;
    ecg_augmentation a;
    uint32_t seed, h, w;
    if (!golden_uint(t, "seed", &seed) || !golden_uint(t, "height", &h) || !golden_uint(t, "width", &w))
        return false;
    if (!golden_arguments(golden_cell(t, "arguments"), &o))
        return golden_failed(t, "arguments that are not understood");
    mt19937 mt;
    mt_seed(&mt, seed);
    golden_keras_draw(&mt, &o, h, w, &a);
    const bool shifts = a.channel_shift != 0.0;
    if (golden_has(t, "channel_shift_intensity") != shifts ||
        golden_has(t, "brightness") != (a.brighten == 1))
        return golden_failed(t, "channel shift or brightness is drawn where it is not expected, or is not");
    return same(t, "theta", a.theta) && same(t, "tx", a.tx) && same(t, "ty", a.ty) &&
           same(t, "shear", a.shear) && same(t, "zx", a.zx) && same(t, "zy", a.zy) &&
           same(t, "flip_horizontal", a.flip_horizontal) && same(t, "flip_vertical", a.flip_vertical) &&
           (!shifts || same(t, "channel_shift_intensity", a.channel_shift)) &&
           (!a.brighten || same(t, "brightness", a.brightness));
}

bool golden_permutation_case(const golden_table *t, bool *counted)
{
    (void)counted;
    uint32_t seed, n;
    if (!golden_uint(t, "seed", &seed) || !golden_uint(t, "n", &n))
        return false;
    uint32_t *v = n > 0 && n <= 1000000 ? malloc(n * sizeof *v) : NULL;
    if (!v)
        return golden_failed(t, "n is out of bounds");
    mt19937 mt;
    mt_seed(&mt, seed);
    mt_permutation(&mt, v, n);
    const char *at = golden_cell(t, "permutation");
    bool ok = true, whole;
    double want;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = (i == 0 || json_take(&at, ',')) && json_number(&at, &want, &whole) && want == (double)v[i];
    ok = ok && json_end(at);
    free(v);
    return ok || golden_failed(t, "another permutation");
}
