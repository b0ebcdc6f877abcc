#include "ecgcnn/profile.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "net/infer_profile.h"
#include "train/trainer.h"

static ecg__profile *profile_new(const ecg_trainer *t)
{
    const uint32_t workers = ecg__pool_workers(t->pool);
    ecg__profile *p = ecg__calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->step = ecg__laps_new(workers, ECG__LAP_LAYERS + 2 * (t->spec->layers - 1));
    p->val = ecg__infer_laps_new(t->spec, workers);
    if (p->step && p->val)
        return p;
    ecg__profile_free(p);
    return NULL;
}

void ecg__profile_free(ecg__profile *p)
{
    if (!p)
        return;
    ecg__laps_free(p->step);
    ecg__laps_free(p->val);
    ecg__free(p);
}

ecg_status ecg_trainer_profile(ecg_trainer *t, int on, ecg_error *err)
{
    if (!on) {
        t->timing = NULL;
        return ECG_OK;
    }
    if (!t->profile && !(t->profile = profile_new(t)))
        return ecg__fail(err, ECG_ENOMEM, "profile: out of memory");
    t->timing = t->profile;
    ecg__laps_clear(t->timing->step);
    ecg__laps_clear(t->timing->val);
    memset(t->timing->span, 0, sizeof t->timing->span);
    return ECG_OK;
}

/* ---- entries ---- */

static void of_step(const ecg_trainer *t, const char *stage, uint32_t slot, ecg_profile_entry *out)
{
    const ecg__lap_sum s = ecg__laps_sum(t->profile->step, slot);
    out->stage = stage;
    out->seconds = 1e-9 * (double)s.ns;
    out->calls = s.laps;
}

static void of_layer(const ecg_trainer *t, uint32_t layer, bool backward, ecg_profile_entry *out)
{
    const uint32_t layers = t->spec->layers - 1;
    const ecg__plan *p = &t->spec->layer[layer].plan;
    of_step(t, backward ? "backward" : "forward", ECG__LAP_LAYERS + (backward ? layers : 0) + layer, out);
    out->layer = t->spec->layer[layer].ops->name;
    out->index = layer;
    /* One product for the weights, and one for the input where somebody wants it. */
    const uint32_t first = t->low->layer[t->tape.first_trained].origin;
    uint32_t products = 1;
    if (backward)
        products = layer < first ? 0 : (p->tensors > 0) + (layer > first);
    out->flops = 2.0 * products * (double)p->macs * (double)out->pictures;
}

int ecg_trainer_profile_entry(const ecg_trainer *t, size_t i, ecg_profile_entry *out)
{
    static const ecg__infer_stages val = {"val fetch", "val forward", "val wait"};
    const ecg__profile *p = t->profile;
    const uint32_t layers = t->spec->layers - 1;
    const size_t in_step = 2 * (size_t)layers + 5, in_val = (size_t)t->spec->layers + 2;
    if (!p || i > in_step + in_val)
        return 0;
    const ecg__span *val_span = &p->span[ECG__SPAN_VALIDATION];
    if (i >= in_step && i < in_step + in_val)
        return ecg__infer_profile_entry(p->val, t->spec, &val, val_span->ns, val_span->pictures, i - in_step,
                                        out);
    if (i == in_step + in_val) {
        const double seconds = 1e-9 * (double)p->span[ECG__SPAN_SAVE].ns;
        *out = (ecg_profile_entry){.stage = "save",
                                   .workers = 1,
                                   .seconds = seconds,
                                   .wall = seconds,
                                   .calls = p->span[ECG__SPAN_SAVE].count};
        return 1;
    }
    *out = (ecg_profile_entry){.workers = p->step->workers,
                               .wall = 1e-9 * (double)p->span[ECG__SPAN_STEPS].ns,
                               .pictures = p->span[ECG__SPAN_STEPS].pictures};
    if (i == 0)
        of_step(t, "fetch", ECG__LAP_FETCH, out);
    else if (i <= layers)
        of_layer(t, (uint32_t)i - 1, false, out);
    else if (i == layers + 1)
        of_step(t, "loss", ECG__LAP_LOSS, out);
    else if (i <= 2 * (size_t)layers + 1)
        of_layer(t, (uint32_t)i - layers - 2, true, out);
    else if (i == 2 * (size_t)layers + 2)
        of_step(t, "reduce", ECG__LAP_REDUCE, out);
    else if (i == 2 * (size_t)layers + 3)
        of_step(t, "optimizer", ECG__LAP_OPTIMIZER, out);
    else {
        out->stage = "wait";
        out->seconds = ecg__laps_idle(p->step, p->span[ECG__SPAN_STEPS].ns);
    }
    return 1;
}
