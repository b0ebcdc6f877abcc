/* Text of a WFDB header: read or refused, and no name in it leads out of its folder. */
#include <stdlib.h>
#include <string.h>

#include "signal/wfdb_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ecg__header *h;
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_status s = ecg__wfdb_header_parse(&h, (const char *)data, size, "r.hea", &err);
    if (s != ECG_OK) {
        require(h == NULL && err.status == s && strncmp(err.message, "r.hea:", 6) == 0);
        return 0;
    }
    require(*h->info.name && h->info.rate > 0 && h->info.segments >= 1);
    uint64_t frames = 0;
    for (uint32_t i = 0; i < h->segment_count; i++) {
        require(ecg__name_is_inside(h->segments[i].name) && h->segments[i].start == frames);
        frames += h->segments[i].frames;
    }
    require(h->segment_count == 0 || frames == h->info.frames);
    for (uint32_t i = 0; h->segment_count == 0 && i < h->info.signals; i++) {
        const ecg__signal *g = &h->signals[i];
        require(ecg__name_is_inside(g->file) && g->info.gain > 0 && g->info.samples_per_frame > 0);
        require(g->per_block == g->info.samples_per_frame && (i > 0 || g->column == 0));
        require(g->info.checksum >= INT16_MIN && g->info.checksum <= INT16_MAX);
    }
    ecg__header_free(h);
    return 0;
}
