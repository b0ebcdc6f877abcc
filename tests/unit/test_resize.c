#include "unit/unit.h"

#include "ecgcnn/image.h"

static ecg_error err;
static uint8_t px[64 * 64 * 4];

static ecg_image picture(uint32_t h, uint32_t w, uint32_t c)
{
    uint32_t state = h * 1000 + w * 10 + c;
    for (size_t i = 0; i < (size_t)h * w * c; i++) {
        state = state * 1664525u + 1013904223u;
        px[i] = (uint8_t)(state >> 24);
    }
    return (ecg_image){px, w, h, c, (size_t)w * c};
}

static ecg_pixels *resized(const ecg_image *in, uint32_t h, uint32_t w, ecg_filter f)
{
    ecg_pixels *p;
    ck_ok(ecg_pixels_resize(&p, in, h, w, f, &err), err);
    const ecg_image v = ecg_pixels_view(p);
    ck_assert(v.h == h && v.w == w && v.c == in->c && v.stride == (size_t)w * in->c);
    return p;
}

START_TEST(test_same_size_is_a_copy)
{
    for (int f = 0; f < 6; f++)
        for (uint32_t c = 1; c <= 4; c += c == 1 ? 2 : 1) {
            const ecg_image in = picture(13, 9, c);
            ecg_pixels *p = resized(&in, 13, 9, (ecg_filter)f);
            ck_assert_mem_eq(ecg_pixels_view(p).px, px, 13 * 9 * c);
            ecg_pixels_free(p);
        }
}
END_TEST

/* The weights of every output sum to one. */
START_TEST(test_flat_stays_flat)
{
    static const uint32_t sizes[] = {1, 2, 7, 30, 64, 200};
    static uint8_t flat[200 * 200 * 3];
    memset(px, 187, sizeof px);
    memset(flat, 187, sizeof flat);
    for (int f = 0; f < 6; f++)
        for (size_t i = 0; i < 36; i++) {
            const ecg_image in = {px, 33, 31, 4, 33 * 4};
            ecg_image opaque = in;
            opaque.c = 3;
            ecg_pixels *p = resized(&opaque, sizes[i / 6], sizes[i % 6], (ecg_filter)f);
            const ecg_image v = ecg_pixels_view(p);
            ck_assert_mem_eq(v.px, flat, v.stride * v.h);
            ecg_pixels_free(p);
        }
}
END_TEST

/* Rows further apart than their pixels. */
START_TEST(test_stride)
{
    for (int f = 0; f < 6; f++)
        for (uint32_t c = 1; c <= 4; c += c == 1 ? 2 : 1) {
            const ecg_image whole = picture(20, 16, c);
            const ecg_image part = {px + 3 * whole.stride + 2 * c, 10, 12, c, whole.stride};
            ecg_pixels *cut = resized(&part, 12, 10, (ecg_filter)f);
            const ecg_image packed = ecg_pixels_view(cut);
            ck_assert_mem_eq(packed.px + 10 * c, px + 4 * whole.stride + 2 * c, 10 * c);
            ecg_pixels *a = resized(&part, 7, 17, (ecg_filter)f), *b = resized(&packed, 7, 17, (ecg_filter)f);
            ck_assert_mem_eq(ecg_pixels_view(a).px, ecg_pixels_view(b).px, 7 * 17 * c);
            ecg_pixels_free(cut);
            ecg_pixels_free(a);
            ecg_pixels_free(b);
        }
}
END_TEST

/* Mirrored and resized is resized and mirrored: exactly, as the sums are of integers. Box is left out: its
 * window is open on one side. */
START_TEST(test_mirror)
{
    static const ecg_filter filters[] = {ECG_FILTER_BILINEAR, ECG_FILTER_HAMMING, ECG_FILTER_BICUBIC,
                                         ECG_FILTER_LANCZOS};
    static uint8_t mirrored[24 * 24];
    for (size_t f = 0; f < 4; f++) {
        const ecg_image in = picture(24, 24, 1);
        for (size_t i = 0; i < sizeof mirrored; i++)
            mirrored[i] = px[sizeof mirrored - 1 - i];
        ecg_image turned = in;
        turned.px = mirrored;
        ecg_pixels *a = resized(&in, 16, 48, filters[f]), *b = resized(&turned, 16, 48, filters[f]);
        const ecg_image u = ecg_pixels_view(a), v = ecg_pixels_view(b);
        int differ = 0;
        for (size_t i = 0; i < 16 * 48; i++)
            differ += u.px[i] != v.px[16 * 48 - 1 - i];
        ck_assert_int_eq(differ, 0);
        ecg_pixels_free(a);
        ecg_pixels_free(b);
    }
}
END_TEST

/* Halving with a box is the mean of four, first across, rounding twice. */
START_TEST(test_box_halves)
{
    const ecg_image in = picture(16, 20, 1);
    ecg_pixels *p = resized(&in, 8, 10, ECG_FILTER_BOX);
    const ecg_image v = ecg_pixels_view(p);
    for (size_t r = 0; r < 8; r++)
        for (size_t c = 0; c < 10; c++) {
            const uint8_t *at = px + 2 * r * 20 + 2 * c;
            ck_assert_int_eq(v.px[r * 10 + c], ((at[0] + at[1] + 1) / 2 + (at[20] + at[21] + 1) / 2 + 1) / 2);
        }
    ecg_pixels_free(p);
}
END_TEST

/* Doubling a ramp linearly: quarters between neighbours, the ends repeated. */
START_TEST(test_bilinear_doubles)
{
    static const uint8_t ramp[] = {0, 100, 200}, want[] = {0, 25, 75, 125, 175, 200};
    const ecg_image in = {ramp, 3, 1, 1, 3}, up = {ramp, 1, 3, 1, 1};
    ecg_pixels *p = resized(&in, 1, 6, ECG_FILTER_BILINEAR), *q = resized(&up, 6, 1, ECG_FILTER_BILINEAR);
    ck_assert_mem_eq(ecg_pixels_view(p).px, want, 6);
    ck_assert_mem_eq(ecg_pixels_view(q).px, want, 6);
    ecg_pixels_free(p);
    ecg_pixels_free(q);
}
END_TEST

/* Positions are added up: for 64 to 224 pixels 25 of the indices differ from the exact quotient. */
START_TEST(test_nearest_adds_up)
{
    for (size_t i = 0; i < 64; i++)
        px[i] = (uint8_t)i;
    const ecg_image in = {px, 64, 1, 1, 64};
    ecg_pixels *p = resized(&in, 1, 224, ECG_FILTER_NEAREST);
    int differ = 0;
    for (int i = 0; i < 224; i++)
        differ += ecg_pixels_view(p).px[i] != (2 * i + 1) * 64 / 448;
    ck_assert_int_eq(differ, 25);
    ecg_pixels_free(p);
}
END_TEST

/* A clear pixel's colour does not bleed into its neighbours; a nearest pixel is taken as it is. */
START_TEST(test_alpha_weights_colour)
{
    static const uint8_t two[] = {200, 10, 40, 255, 0, 255, 0, 0};
    const ecg_image in = {two, 2, 1, 4, 8};
    ecg_pixels *p = resized(&in, 1, 1, ECG_FILTER_BOX);
    const uint8_t *v = ecg_pixels_view(p).px;
    ck_assert_int_eq(v[3], 128);
    ck_assert(abs(v[0] - 200) <= 1 && abs(v[1] - 10) <= 1 && abs(v[2] - 40) <= 1);
    ecg_pixels_free(p);
    p = resized(&in, 1, 1, ECG_FILTER_NEAREST);
    ck_assert_mem_eq(ecg_pixels_view(p).px, two + 4, 4);
    ecg_pixels_free(p);
}
END_TEST

START_TEST(test_extremes)
{
    const ecg_image in = picture(1, 1, 1);
    for (int f = 0; f < 6; f++) {
        ecg_pixels *p = resized(&in, 1, 32768, (ecg_filter)f);
        const ecg_image wide = ecg_pixels_view(p);
        ck_assert_int_eq(wide.px[32767], px[0]);
        ecg_pixels *q = resized(&wide, 2, 1, (ecg_filter)f);
        ck_assert_int_eq(ecg_pixels_view(q).px[1], px[0]);
        ecg_pixels_free(p);
        ecg_pixels_free(q);
    }
}
END_TEST

START_TEST(test_refusals)
{
    ecg_image in = picture(4, 4, 3);
    ecg_pixels *p;
    ck_fails(ecg_pixels_resize(&p, &in, 0, 5, ECG_FILTER_BOX, &err), err, ECG_EINVAL, "5 x 0");
    ck_fails(ecg_pixels_resize(&p, &in, 5, 32769, ECG_FILTER_BOX, &err), err, ECG_EINVAL, "32769");
    ck_fails(ecg_pixels_resize(&p, &in, 5, 5, (ecg_filter)6, &err), err, ECG_EINVAL, "filter: 6");
    in.stride = 11;
    ck_fails(ecg_pixels_resize(&p, &in, 5, 5, ECG_FILTER_BOX, &err), err, ECG_EINVAL, "stride of 11");
    in.stride = 12;
    in.c = 2;
    ck_fails(ecg_pixels_resize(&p, &in, 5, 5, ECG_FILTER_BOX, &err), err, ECG_EINVAL, "2 channels");
    in.c = 3;
    in.h = 0;
    ck_fails(ecg_pixels_resize(&p, &in, 5, 5, ECG_FILTER_BOX, &err), err, ECG_EINVAL, "without pixels");
    ck_fails(ecg_pixels_resize(&p, NULL, 5, 5, ECG_FILTER_BOX, &err), err, ECG_EINVAL, "without pixels");
    ck_assert_ptr_null(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resize");
    TCase *t = tcase_create("resize");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, test_same_size_is_a_copy);
    tcase_add_test(t, test_flat_stays_flat);
    tcase_add_test(t, test_stride);
    tcase_add_test(t, test_mirror);
    tcase_add_test(t, test_box_halves);
    tcase_add_test(t, test_bilinear_doubles);
    tcase_add_test(t, test_nearest_adds_up);
    tcase_add_test(t, test_alpha_weights_colour);
    tcase_add_test(t, test_extremes);
    tcase_add_test(t, test_refusals);
    suite_add_tcase(s, t);
    return unit_run(s);
}
