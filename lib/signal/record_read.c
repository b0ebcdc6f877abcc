/* Samples of an open recording, whatever it is put together of. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/status.h"
#include "signal/record.h"

enum { PIECE = 512 };

const ecg_record_info *ecg_record_get_info(const ecg_record *r)
{
    return &r->info;
}

const ecg_signal_info *ecg_record_signal(const ecg_record *r, uint32_t signal)
{
    return signal < r->info.signals ? &r->signals[signal] : NULL;
}

const char *ecg_record_comment(const ecg_record *r, uint32_t i)
{
    const ecg__header *h = r->head ? r->head : r->part->header;
    return i < h->info.comments ? h->comments[i] : NULL;
}

int64_t ecg_record_find_signal(const ecg_record *r, const char *name)
{
    for (uint32_t i = 0; name && i < r->info.signals; i++) {
        if (strcasecmp(r->signals[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* The segment that frame is in. */
static uint32_t segment_at(const ecg_record *r, uint64_t frame)
{
    uint32_t low = r->head->layout, high = r->head->segment_count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (r->head->segments[middle].start <= frame)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void fill_none(size_t from, size_t to, int32_t *raw, float *mv)
{
    for (size_t i = from; i < to; i++) {
        if (raw)
            raw[i] = ECG_SAMPLE_INVALID;
        else
            mv[i] = NAN;
    }
}

static ecg_status check_same_scale(const ecg_record *r, uint32_t signal, uint32_t own, ecg_error *err)
{
    const ecg_signal_info *a = &r->signals[signal], *b = &r->part->header->signals[own].info;
    if (a->gain == b->gain && a->baseline == b->baseline)
        return ECG_OK;
    return ecg__fail(
        err, ECG_EUNSUPPORTED,
        "%s: gain %g(%g) of %s, but the record has %g(%g): stored values cannot be compared, read it in "
        "physical units",
        r->part->header->path, b->gain, b->baseline, a->name, a->gain, a->baseline);
}

/* Stored samples from `at` on, within one part, into raw or mv. *n is cut to what it has. */
static ecg_status read_piece(ecg_record *r, uint32_t signal, uint64_t at, size_t *n, int32_t *raw, float *mv,
                             ecg_error *err)
{
    const uint32_t spf = r->signals[signal].samples_per_frame;
    int64_t own = signal;
    if (r->head) {
        const uint32_t i = segment_at(r, at / spf);
        const ecg__segment *g = &r->head->segments[i];
        const uint64_t left = (g->start + g->frames) * spf - at;
        if (*n > left)
            *n = (size_t)left;
        const ecg_status s = ecg__record_segment(r, i, err);
        if (s != ECG_OK)
            return s;
        at -= g->start * spf;
        own = r->part ? r->map[signal] : -1;
    }
    if (own < 0) {
        fill_none(0, *n, raw, mv);
        return ECG_OK;
    }
    if (!raw)
        return ecg__part_read_mv(r->part, (uint32_t)own, at, *n, mv, err);
    const ecg_status s = check_same_scale(r, signal, (uint32_t)own, err);
    return s == ECG_OK ? ecg__part_read_raw(r->part, (uint32_t)own, at, *n, false, raw, err) : s;
}

static ecg_status read_samples(ecg_record *r, uint32_t signal, uint64_t first, size_t n, int32_t *raw,
                               float *mv, ecg_error *err)
{
    if (signal >= r->info.signals)
        return ecg__fail(err, ECG_EINVAL, "%s: signal %u, but it has %u", r->path, signal, r->info.signals);
    const ecg_signal_info *s = &r->signals[signal];
    const uint64_t total = r->info.frames * s->samples_per_frame;
    if (first > total || n > total - first)
        return ecg__fail(err, ECG_EINVAL, "%s: samples %llu to %llu of %s, but it has %llu", r->path,
                         (unsigned long long)first, (unsigned long long)first + n, s->name,
                         (unsigned long long)total);
    const uint64_t skew = (uint64_t)s->skew * s->samples_per_frame;
    for (size_t i = 0; i < n;) {
        const uint64_t at = first + i + skew;
        if (at >= total) {
            fill_none(i, n, raw, mv);
            return ECG_OK;
        }
        size_t m = n - i < total - at ? n - i : (size_t)(total - at);
        const ecg_status status = read_piece(r, signal, at, &m, raw ? raw + i : NULL, mv ? mv + i : NULL,
                                             err);
        if (status != ECG_OK)
            return status;
        i += m;
    }
    return ECG_OK;
}

ecg_status ecg_record_read_signal(ecg_record *r, uint32_t signal, uint64_t first, size_t n, float *mv,
                                  ecg_error *err)
{
    return read_samples(r, signal, first, n, NULL, mv, err);
}

ecg_status ecg_record_read_raw(ecg_record *r, uint32_t signal, uint64_t first, size_t n, int32_t *raw,
                               ecg_error *err)
{
    if (r->part && r->part->csv)
        return ecg__fail(err, ECG_EUNSUPPORTED, "%s: a CSV file has no stored integers", r->path);
    return read_samples(r, signal, first, n, raw, NULL, err);
}

/* Means of m frames of a signal into every `signals`th place of mv. */
static ecg_status read_means(ecg_record *r, uint32_t signal, uint64_t first, size_t m, float *mv,
                             ecg_error *err)
{
    const uint32_t spf = r->signals[signal].samples_per_frame;
    float piece[PIECE];
    double sum = 0;
    uint32_t have = 0;
    for (uint64_t i = 0; i < (uint64_t)m * spf;) {
        const uint64_t left = (uint64_t)m * spf - i;
        const size_t k = left < PIECE ? (size_t)left : PIECE;
        const ecg_status s = read_samples(r, signal, first * spf + i, k, NULL, piece, err);
        if (s != ECG_OK)
            return s;
        for (size_t j = 0; j < k; j++) {
            const bool is = !isnan(piece[j]);
            sum += is ? (double)piece[j] : 0;
            have += is;
            if (++i % spf != 0)
                continue;
            mv[(size_t)(i / spf - 1) * r->info.signals + signal] = have ? (float)(sum / have) : NAN;
            sum = 0;
            have = 0;
        }
    }
    return ECG_OK;
}

ecg_status ecg_record_read(ecg_record *r, uint64_t first, size_t n, float *mv, ecg_error *err)
{
    if (first > r->info.frames || n > r->info.frames - first)
        return ecg__fail(err, ECG_EINVAL, "%s: frames %llu to %llu, but it has %llu", r->path,
                         (unsigned long long)first, (unsigned long long)first + n,
                         (unsigned long long)r->info.frames);
    for (size_t i = 0; i < n; i += PIECE) {
        const size_t m = n - i < PIECE ? n - i : PIECE;
        for (uint32_t s = 0; s < r->info.signals; s++) {
            const ecg_status status = read_means(r, s, first + i, m, mv + i * r->info.signals, err);
            if (status != ECG_OK)
                return status;
        }
    }
    return ECG_OK;
}

ecg_status ecg_record_verify(ecg_record *r, ecg_error *err)
{
    const uint32_t n = r->head ? r->head->segment_count : 1;
    for (uint32_t i = r->head ? r->head->layout : 0; i < n; i++) {
        ecg_status s = ecg__record_segment(r, i, err);
        if (s == ECG_OK && r->part && !r->part->csv)
            s = ecg__part_verify(r->part, err);
        if (s != ECG_OK)
            return s;
    }
    return ECG_OK;
}
