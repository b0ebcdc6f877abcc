#include "layers/pool.h"

#include "base/status.h"

const ecg__attr ecg__pool_attrs[] = {
    {"size", ECG__ATTR_PAIR, offsetof(ecg__pool_attr, size), 1, 255, "2", true, NULL,
     "rows and columns of the window"},
    {"stride", ECG__ATTR_PAIR, offsetof(ecg__pool_attr, stride), 0, 255, "0", false, NULL,
     "step between windows; 0: as size"},
    {"pad", ECG__ATTR_PAD, offsetof(ecg__pool_attr, pad), 0, 254, "valid", false, NULL,
     "padding, which never counts; less than size"},
    {0},
};

static ecg_status make_window(ecg__window *g, const ecg__pool_attr *at, ecg_shape in, ecg_error *err)
{
    const ecg__pair stride = {at->stride.h ? at->stride.h : at->size.h,
                              at->stride.w ? at->stride.w : at->size.w};
    return ecg__window_plan(g, in, at->size, stride, (ecg__pair){1, 1}, &at->pad, err);
}

ecg_status ecg__pool_plan(ecg__window *g, const ecg__pool_attr *at, ecg_shape in, ecg__plan *out,
                          ecg_error *err)
{
    const ecg__pad *p = &at->pad;
    if (p->mode == ECG__PAD_EXPLICIT &&
        (p->top >= at->size.h || p->bottom >= at->size.h || p->left >= at->size.w || p->right >= at->size.w))
        return ecg__fail(err, ECG_EINVAL, "pad must be less than size, got %u,%u,%u,%u for %ux%u", p->top,
                         p->bottom, p->left, p->right, at->size.h, at->size.w);
    const ecg_status s = make_window(g, at, in, err);
    if (s == ECG_OK)
        out->out = (ecg_shape){g->oh, g->ow, in.c};
    return s;
}

ecg__window ecg__pool_window(const ecg__pool_attr *at, const ecg__plan *plan)
{
    ecg__window g;
    (void)make_window(&g, at, plan->in, NULL);
    return g;
}
