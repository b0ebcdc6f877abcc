#include "format/gate.h"

#include <inttypes.h>

#include "base/mem.h"
#include "net/gate.h"

enum { VERSION = 1, HEAD = 32 };

/* Floats of the triangle and the centres; both fit, since n <= 256 and classes <= 65536. */
static size_t triangle(uint32_t n)
{
    return (size_t)n * (n + 1) / 2;
}

static size_t bytes_of(uint32_t n, uint32_t classes)
{
    return HEAD + sizeof(float) * (2 * (size_t)ECG_LOOKS + triangle(n) + (size_t)classes * n);
}

static unsigned char *put_floats(unsigned char *p, const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++, p += 4)
        ecg__put_f32(p, v[i]);
    return p;
}

static const unsigned char *get_floats(const unsigned char *p, float *v, size_t n)
{
    for (size_t i = 0; i < n; i++, p += 4)
        v[i] = ecg__get_f32(p);
    return p;
}

ecg_status ecg__gate_write(ecg__chunk_writer *w, const ecg_gate *g, uint32_t classes, ecg_error *err)
{
    if (!g)
        return ECG_OK;
    const size_t n = bytes_of(g->features, classes);
    unsigned char *p = ecg__alloc(n), *at = p;
    if (!p)
        return ecg__fail(err, ECG_ENOMEM, "model file: out of memory");
    const uint32_t head[] = {VERSION, ECG_LOOKS, g->features, classes, g->pictures, g->held_out, 0};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++, at += 4)
        ecg__put_u32(at, head[i]);
    at = put_floats(at, &g->limit, 1);
    at = put_floats(at, g->low, ECG_LOOKS);
    at = put_floats(at, g->high, ECG_LOOKS);
    at = put_floats(at, g->factor, triangle(g->features));
    put_floats(at, g->centre, (size_t)classes * g->features);
    const ecg_status s = ecg__chunk_put(w, "GATE", p, n, err);
    ecg__free(p);
    return s;
}

/* Features and classes follow from ARCH, and the length from them. */
static ecg_status check_head(const ecg__chunk_reader *r, const unsigned char *p, uint32_t n, uint32_t classes,
                             ecg_error *err)
{
    static const char *const name[] = {"looks", "features", "classes"};
    const uint32_t version = r->length >= 4 ? ecg__get_u32(p) : 0;
    if (version > VERSION)
        return ecg__reader_fail(r, err, ECG_EVERSION,
                                "version %" PRIu32 ", this library reads %d; use a newer one", version,
                                VERSION);
    if (r->length != bytes_of(n, classes))
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "has %" PRIu64 " bytes, the network of ARCH needs %zu",
                                r->length, bytes_of(n, classes));
    if (version != VERSION || ecg__get_u32(p + 24) != 0)
        return ecg__reader_fail(r, err, ECG_ECORRUPT,
                                "version %" PRIu32 " and reserved %" PRIu32 ", expected %d and 0", version,
                                ecg__get_u32(p + 24), VERSION);
    const uint32_t want[] = {ECG_LOOKS, n, classes};
    for (int i = 0; i < 3; i++)
        if (ecg__get_u32(p + 4 + 4 * i) != want[i])
            return ecg__reader_fail(r, err, ECG_ECORRUPT, "%" PRIu32 " %s, expected %" PRIu32,
                                    ecg__get_u32(p + 4 + 4 * i), name[i], want[i]);
    return ECG_OK;
}

static ecg_status decode(ecg_gate **out, const ecg__chunk_reader *r, const unsigned char *p, uint32_t n,
                         uint32_t classes, ecg_error *err)
{
    ecg_gate g = {
        .size = sizeof g, .pictures = ecg__get_u32(p + 16), .held_out = ecg__get_u32(p + 20), .features = n};
    const size_t factors = triangle(n), all = factors + (size_t)classes * n;
    float *values = ecg__alloc(all * sizeof *values);
    if (!values)
        return ecg__reader_fail(r, err, ECG_ENOMEM, "out of memory");
    const unsigned char *at = get_floats(p + 28, &g.limit, 1);
    at = get_floats(at, g.low, ECG_LOOKS);
    at = get_floats(at, g.high, ECG_LOOKS);
    get_floats(at, values, all);
    g.factor = values;
    g.centre = values + factors;
    ecg_status s = ecg__gate_check(&g, n, classes, err);
    if (s != ECG_OK)
        s = ecg__reader_context(r, err, s == ECG_EINVAL ? ECG_ECORRUPT : s);
    else if (!(*out = ecg__gate_copy(&g, classes)))
        s = ecg__reader_fail(r, err, ECG_ENOMEM, "out of memory");
    ecg__free(values);
    return s;
}

ecg_status ecg__gate_read(ecg_gate **out, ecg__chunk_reader *r, const ecg_spec *spec, ecg_error *err)
{
    const size_t in = spec->layer[ecg__gate_layer(spec)].plan.in_count;
    const uint32_t n = in < ECG_GATE_FEATURES ? (uint32_t)in : ECG_GATE_FEATURES;
    const uint32_t classes = ecg_spec_outputs(spec);
    unsigned char *p;
    *out = NULL;
    /* A later version's may be longer. */
    ecg_status s = ecg__reader_get(r, &p, 2 * (uint64_t)bytes_of(n, classes), err);
    if (s != ECG_OK)
        return s;
    s = check_head(r, p, n, classes, err);
    if (s == ECG_OK)
        s = decode(out, r, p, n, classes, err);
    ecg__free(p);
    return s;
}
