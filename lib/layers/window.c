#include "layers/window.h"

#include "base/status.h"

/* One axis. False when no window fits. */
static bool axis(uint32_t in, uint32_t k, uint32_t stride, uint32_t dilation, uint32_t mode, uint32_t *before,
                 uint32_t after, uint32_t *out)
{
    const int64_t reach = (int64_t)(k - 1) * dilation + 1;
    if (mode == ECG__PAD_SAME) {
        *out = (uint32_t)(((uint64_t)in + stride - 1) / stride);
        const int64_t total = (int64_t)(*out - 1) * stride + reach - in;
        *before = total > 0 ? (uint32_t)(total / 2) : 0;
        return true;
    }
    if (mode == ECG__PAD_VALID)
        *before = after = 0;
    const int64_t room = (int64_t)in + *before + after - reach;
    if (room < 0)
        return false;
    *out = (uint32_t)(room / stride) + 1;
    return true;
}

ecg_status ecg__window_plan(ecg__window *g, ecg_shape in, ecg__pair kernel, ecg__pair stride,
                            ecg__pair dilation, const ecg__pad *pad, ecg_error *err)
{
    const ecg__window w = {in.h,       in.w,       in.c,     kernel.h,  kernel.w, stride.h, stride.w,
                           dilation.h, dilation.w, pad->top, pad->left, 0,        0};
    *g = w;
    if (!axis(in.h, kernel.h, stride.h, dilation.h, pad->mode, &g->top, pad->bottom, &g->oh) ||
        !axis(in.w, kernel.w, stride.w, dilation.w, pad->mode, &g->left, pad->right, &g->ow))
        return ecg__fail(err, ECG_ESHAPE, "a window of %ux%u does not fit into %ux%u", kernel.h, kernel.w,
                         in.h, in.w);
    return ECG_OK;
}
