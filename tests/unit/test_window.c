#include "unit.h"

#include "layers/window.h"

static ecg_status plan(ecg__window *g, uint32_t size, uint32_t k, uint32_t stride, uint32_t dilation,
                       ecg__pad pad, ecg_error *err)
{
    return ecg__window_plan(g, (ecg_shape){size, 7, 2}, (ecg__pair){k, 1}, (ecg__pair){stride, 1},
                            (ecg__pair){dilation, 1}, &pad, err);
}

/* Every window that starts in the padded picture and fits is there, and no other. */
START_TEST(valid_and_explicit_count_windows)
{
    for (uint32_t size = 1; size <= 12; size++)
        for (uint32_t k = 1; k <= 6; k++)
            for (uint32_t stride = 1; stride <= 4; stride++)
                for (uint32_t d = 1; d <= 3; d++)
                    for (uint32_t p = 0; p < 9; p++) {
                        const ecg__pad pad = {p == 0 ? ECG__PAD_VALID : ECG__PAD_EXPLICIT, p / 3, p % 3, 0,
                                              0};
                        const uint32_t padded = size + pad.top + pad.bottom;
                        uint32_t count = 0;
                        for (uint32_t at = 0; at + (k - 1) * d < padded; at += stride)
                            count++;
                        ecg__window g;
                        ecg_error err;
                        const ecg_status s = plan(&g, size, k, stride, d, pad, &err);
                        ck_assert_int_eq(s, count ? ECG_OK : ECG_ESHAPE);
                        if (count) {
                            ck_assert_uint_eq(g.oh, count);
                            ck_assert_uint_eq(g.top, pad.top);
                            ck_assert(g.ow == 7 && g.left == 0 && g.c == 2);
                        }
                    }
}
END_TEST

/* TensorFlow: ceil(size / stride) windows, no more padding than they need, the odd one after. */
START_TEST(same_pads_as_tensorflow)
{
    for (uint32_t size = 1; size <= 12; size++)
        for (uint32_t k = 1; k <= 6; k++)
            for (uint32_t stride = 1; stride <= 4; stride++)
                for (uint32_t d = 1; d <= 3; d++) {
                    ecg__window g;
                    ecg_error err;
                    ck_ok(plan(&g, size, k, stride, d, (ecg__pad){ECG__PAD_SAME, 0, 0, 0, 0}, &err), err);
                    ck_assert_uint_eq(g.oh, (size + stride - 1) / stride);
                    const uint32_t needed = (g.oh - 1) * stride + (k - 1) * d + 1;
                    ck_assert_uint_eq(g.top, needed > size ? (needed - size) / 2 : 0);
                }
}
END_TEST

START_TEST(the_message_names_sizes)
{
    ecg__window g;
    ecg_error err;
    ck_fails(plan(&g, 4, 3, 1, 2, (ecg__pad){ECG__PAD_VALID, 0, 0, 0, 0}, &err), err, ECG_ESHAPE,
             "a window of 3x1 does not fit into 4x7");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("window");
    TCase *t = tcase_create("all");
    tcase_add_test(t, valid_and_explicit_count_windows);
    tcase_add_test(t, same_pads_as_tensorflow);
    tcase_add_test(t, the_message_names_sizes);
    suite_add_tcase(s, t);
    return unit_run(s);
}
