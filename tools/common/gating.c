#include "common/gating.h"

#include <stdio.h>

#include "common/progress.h"
#include "common/start.h"

static int show(void *payload, size_t done, size_t total)
{
    progress_show(payload, done, total, NULL);
    return tool_interrupted();
}

int gating_run(int *written, ecg_model *m, const gating *g)
{
    ecg_gate_options o = ECG_GATE_OPTIONS_INIT;
    ecg_model *gated = NULL;
    ecg_error err = {0};
    progress bar;
    *written = 0;
    progress_start(&bar, "gate", g->quiet);
    o.threads = g->threads;
    o.skip_bad = g->skip_bad;
    o.progress = show;
    o.payload = &bar;
    ecg_status s = ecg_gate_fit(&gated, m, &g->train, g->held_out.data ? &g->held_out : NULL, &o, &err);
    progress_clear(&bar);
    if (s == ECG_EINVAL || s == ECG_ENUMERIC) {
        tool_warn("no gate: %s", err.message);
        return EXIT_DONE;
    }
    if (s == ECG_ECANCELLED)
        return tool_fail("interrupted while learning the gate");
    if (s == ECG_OK)
        s = ecg_model_save(gated, g->output, &err);
    if (s == ECG_OK && !g->quiet)
        fprintf(stderr, "gate: learned from %u pictures, its limits set on %u others\n",
                ecg_model_gate(gated)->pictures, ecg_model_gate(gated)->held_out);
    ecg_model_free(gated);
    *written = s == ECG_OK;
    return s == ECG_OK ? EXIT_DONE : tool_error(s, &err);
}
