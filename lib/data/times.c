#include "data/times.h"

#include "base/mem.h"
#include "base/status.h"
#include "data/loader.h"
#include "ecgcnn/profile.h"

void ecg__time_add(struct ecg__times *t, uint32_t part, uint64_t *begin)
{
    const uint64_t now = ecg__nanoseconds();
    atomic_fetch_add_explicit(&t->part[part].ns, now - *begin, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->part[part].count, 1, memory_order_relaxed);
    *begin = now;
}

ecg_status ecg_loader_profile(ecg_loader *l, int on, ecg_error *err)
{
    if (on && !l->times && !(l->times = ecg__calloc(1, sizeof *l->times)))
        return ecg__fail(err, ECG_ENOMEM, "profile: out of memory");
    l->timing = on ? l->times : NULL;
    for (uint32_t i = 0; on && i < ECG__TIMES; i++) {
        atomic_store(&l->times->part[i].ns, 0);
        atomic_store(&l->times->part[i].count, 0);
    }
    if (on)
        atomic_store(&l->times->pictures, 0);
    return ECG_OK;
}

int ecg_loader_profile_entry(const ecg_loader *l, size_t i, ecg_profile_entry *out)
{
    static const char *const stages[ECG__TIMES] = {"decode", "augment", "values"};
    if (!l->times || i >= ECG__TIMES)
        return 0;
    *out = (ecg_profile_entry){.stage = stages[i],
                               .seconds = 1e-9 * (double)atomic_load(&l->times->part[i].ns),
                               .pictures = atomic_load(&l->times->pictures),
                               .calls = atomic_load(&l->times->part[i].count)};
    return 1;
}
