#include "format/prep.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/mem.h"
#include "ecgcnn/standardize.h"

enum { PREP_BYTES = 56, STDZ_BYTES = 8, OWN_MEAN = 1, OWN_DEVIATION = 2 };

static ecg_status write_stdz(ecg__chunk_writer *w, const ecg_preprocess *prep, ecg_error *err)
{
    const size_t floats = (size_t)prep->zca_n * prep->zca_n;
    unsigned char p[STDZ_BYTES];
    ecg__put_u32(p, (prep->samplewise_center ? OWN_MEAN : 0u) | (prep->samplewise_std ? OWN_DEVIATION : 0u));
    ecg__put_u32(p + 4, prep->zca_n);
    ecg_status s = ecg__chunk_begin(w, "STDZ", STDZ_BYTES + floats * sizeof(float), err);
    if (s == ECG_OK)
        s = ecg__chunk_write(w, p, sizeof p, err);
    if (s == ECG_OK && floats)
        s = ecg__chunk_write(w, prep->zca, floats * sizeof(float), err);
    return s == ECG_OK ? ecg__chunk_end(w, err) : s;
}

ecg_status ecg__prep_write(ecg__chunk_writer *w, const ecg_preprocess *prep, ecg_error *err)
{
    unsigned char p[PREP_BYTES];
    ecg__put_u32(p, prep->h);
    ecg__put_u32(p + 4, prep->w);
    ecg__put_u32(p + 8, (uint32_t)prep->color);
    ecg__put_u32(p + 12, (uint32_t)prep->profile);
    ecg__put_u32(p + 16, (uint32_t)prep->filter);
    ecg__put_f32(p + 20, prep->rescale);
    for (int k = 0; k < 4; k++) {
        ecg__put_f32(p + 24 + 4 * k, prep->mean[k]);
        ecg__put_f32(p + 40 + 4 * k, prep->deviation[k]);
    }
    const ecg_status s = ecg__chunk_put(w, "PREP", p, sizeof p, err);
    const bool more = prep->samplewise_center || prep->samplewise_std || prep->zca;
    return s == ECG_OK && more ? write_stdz(w, prep, err) : s;
}

/* What is wrong with values whose bytes are as they were written. */
static ecg_status check(ecg_preprocess *out, const ecg_preprocess *in, ecg__chunk_reader *r, ecg_error *err)
{
    const ecg_status s = ecg_preprocess_check(out, in, err);
    return s == ECG_OK ? s : ecg__reader_context(r, err, s == ECG_EINVAL ? ECG_ECORRUPT : s);
}

ecg_status ecg__prep_read(ecg_preprocess *out, ecg__chunk_reader *r, ecg_error *err)
{
    unsigned char *p;
    const ecg_status s = ecg__reader_get(r, &p, PREP_BYTES, err);
    if (s != ECG_OK)
        return s;
    if (r->length != PREP_BYTES) {
        ecg__free(p);
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "has %" PRIu64 " bytes, expected %d", r->length,
                                PREP_BYTES);
    }
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    prep.h = ecg__get_u32(p);
    prep.w = ecg__get_u32(p + 4);
    prep.color = (ecg_color)ecg__get_u32(p + 8);
    prep.profile = (ecg_profile)ecg__get_u32(p + 12);
    prep.filter = (ecg_filter)ecg__get_u32(p + 16);
    prep.rescale = ecg__get_f32(p + 20);
    for (int k = 0; k < 4; k++) {
        prep.mean[k] = ecg__get_f32(p + 24 + 4 * k);
        prep.deviation[k] = ecg__get_f32(p + 40 + 4 * k);
    }
    ecg__free(p);
    return check(out, &prep, r, err);
}

static ecg_status read_matrix(float **out, uint32_t n, ecg__chunk_reader *r, ecg_error *err)
{
    const size_t bytes = (size_t)n * n * sizeof **out;
    float *matrix = ecg__alloc(bytes);
    if (!matrix)
        return ecg__reader_fail(r, err, ECG_ENOMEM, "needs %zu bytes of memory", bytes);
    const ecg_status s = ecg__reader_read(r, matrix, bytes, err);
    if (s == ECG_OK)
        *out = matrix;
    else
        ecg__free(matrix);
    return s;
}

ecg_status ecg__stdz_read(ecg_preprocess *prep, float **zca, ecg__chunk_reader *r, ecg_error *err)
{
    unsigned char head[STDZ_BYTES];
    *zca = NULL;
    if (r->length < STDZ_BYTES)
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "has %" PRIu64 " bytes, expected at least %d",
                                r->length, STDZ_BYTES);
    ecg_status s = ecg__reader_read(r, head, sizeof head, err);
    if (s != ECG_OK)
        return s;
    const uint32_t flags = ecg__get_u32(head), n = ecg__get_u32(head + 4);
    /* The size is known from PREP: nothing is allocated on this chunk's word alone. */
    const uint64_t values = (uint64_t)prep->h * prep->w * (uint32_t)prep->color;
    if ((flags != 0 && flags != OWN_MEAN && flags != (OWN_MEAN | OWN_DEVIATION)) || (n == 0 && flags == 0))
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "says %" PRIu32 " and %" PRIu32 ", which mean nothing",
                                flags, n);
    if (n != 0 && (n != values || n > ECG_ZCA_MAX))
        return ecg__reader_fail(r, err, ECG_ECORRUPT,
                                "has a matrix of %" PRIu32 ", a picture has %" PRIu64 " values", n, values);
    if (r->length != STDZ_BYTES + (uint64_t)n * n * sizeof(float))
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "has %" PRIu64 " bytes, expected %" PRIu64, r->length,
                                STDZ_BYTES + (uint64_t)n * n * sizeof(float));
    if (n)
        s = read_matrix(zca, n, r, err);
    if (s == ECG_OK)
        s = ecg__reader_end(r, err);
    if (s != ECG_OK)
        return s;
    ecg_preprocess full = *prep;
    full.samplewise_center = (flags & OWN_MEAN) != 0;
    full.samplewise_std = (flags & OWN_DEVIATION) != 0;
    full.zca = *zca;
    full.zca_n = n;
    return check(prep, &full, r, err);
}
