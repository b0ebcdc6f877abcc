/* Models from files and memory: opens the input, sets limits, and keeps what the model goes on needing. */
#include <errno.h>

#include "base/map.h"
#include "base/mem.h"
#include "format/model_io.h"
#include "net/model.h"

ecg_status ecg__load_options(ecg_load_options *out, const ecg_load_options *o, ecg_error *err)
{
    *out = (ecg_load_options)ECG_LOAD_OPTIONS_INIT;
    const ecg_status s = ecg__options_copy(out, sizeof *out, o, "load options", err);
    if (out->max_layers == 0)
        out->max_layers = ECG__MAX_LAYERS;
    if (out->max_bytes == 0)
        out->max_bytes = (uint64_t)2 << 30;
    if (out->max_params == 0)
        out->max_params = 400000000;
    if (out->max_arena == 0)
        out->max_arena = (uint64_t)2 << 30;
    return s;
}

/* Read the model of r, naming it by its SHA-256 where that is asked for. */
static ecg_status read_model(ecg_model **out, ecg__chunk_reader *r, const ecg_load_options *o, ecg_error *err)
{
    ecg__sha256 hash;
    if (o->sha256)
        ecg__reader_hash(r, &hash);
    const ecg_status s = ecg__model_read(out, r, o, NULL, NULL, err);
    if (s == ECG_OK && o->sha256)
        ecg__sha256_end(&hash, (*out)->sha256);
    return s;
}

static ecg_status read_mapped(ecg_model **out, ecg__chunk_reader *r, const ecg_load_options *o,
                              ecg_error *err)
{
    if (r->size > SIZE_MAX)
        return ecg__fail(err, ECG_ENOMEM, "%s: too large for this machine", r->name);
    const size_t n = (size_t)r->size;
    void *map = ecg__map(r->fd, n);
    if (!map)
        return ecg__file_fail(err, r->name, "cannot be mapped into memory", errno);
    r->data = map;
    const ecg_status s = read_model(out, r, o, err);
    if (s != ECG_OK) {
        ecg__unmap(map, n);
        return s;
    }
    (*out)->map = map;
    (*out)->map_bytes = n;
    return ECG_OK;
}

ecg_status ecg_model_load(ecg_model **out, const char *path, const ecg_load_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_load_options full;
    ecg__chunk_reader r;
    ecg_status s = ecg__load_options(&full, o, err);
    if (s == ECG_OK)
        s = ecg__reader_open(&r, path, full.max_bytes, err);
    if (s != ECG_OK)
        return s;
    s = full.in_place ? read_mapped(out, &r, &full, err) : read_model(out, &r, &full, err);
    ecg__reader_close(&r);
    return s;
}

ecg_status ecg_model_load_memory(ecg_model **out, const void *data, size_t n, const ecg_load_options *o,
                                 ecg_error *err)
{
    *out = NULL;
    ecg_load_options full;
    ecg__chunk_reader r;
    ecg_status s = ecg__load_options(&full, o, err);
    if (s == ECG_OK)
        s = ecg__reader_open_memory(&r, data, n, "model", full.max_bytes, err);
    if (s == ECG_OK)
        s = read_model(out, &r, &full, err);
    return s;
}
