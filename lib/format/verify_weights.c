/* Damaged weights, tensor by tensor. */
#include <inttypes.h>
#include <math.h>

#include "base/mem.h"
#include "format/verify.h"
#include "format/weights.h"

static uint64_t data_start(const ecg__verify *v, uint64_t start)
{
    const uint64_t at = start + ECG__CHUNK_HEAD;
    return at + ecg__weights_table(NULL, v->spec, at);
}

const char *ecg__verify_tensor(const ecg__verify *v, uint64_t start, uint64_t at)
{
    if (!v->spec || at < start + ECG__CHUNK_HEAD)
        return "";
    const uint64_t table = start + ECG__CHUNK_HEAD + ECG__WGTS_HEAD, data = data_start(v, start);
    if (at < data) {
        const uint64_t row = at < table ? v->spec->slots : (at - table) / ECG__WGTS_ROW;
        return row < v->spec->slots ? v->spec->slot[row].name : "";
    }
    const uint64_t i = (at - data) / sizeof(float);
    for (uint32_t k = 0; k < v->spec->slots; k++) {
        const ecg__slot *slot = &v->spec->slot[k];
        if (i >= slot->offset && i < slot->offset + slot->tensor->count)
            return slot->name;
    }
    return "";
}

static ecg_status check_table(ecg__verify *v, const ecg_file_chunk *c)
{
    const uint64_t at = c->offset + ECG__CHUNK_HEAD;
    const size_t n = ecg__weights_table(NULL, v->spec, at);
    unsigned char *found = ecg__alloc(n), *want = ecg__alloc(n);
    ecg_status s = ECG_ENOMEM;
    if (found && want)
        s = ecg__verify_fetch(v, at, found, n);
    if (s == ECG_OK) {
        ecg__weights_table(want, v->spec, at);
        size_t wrong = 0, first = 0;
        for (size_t i = n; i > 0; i--)
            if (found[i - 1] != want[i - 1]) {
                wrong++;
                first = i - 1;
            }
        if (wrong)
            ecg__verify_damage(v, ECG_ECORRUPT, at + first, c->tag,
                               ecg__verify_tensor(v, c->offset, at + first),
                               "%zu bytes of the table are not what the network needs, the first is %02x "
                               "instead of %02x",
                               wrong, found[first], want[first]);
    }
    ecg__free(found);
    ecg__free(want);
    return s;
}

/* Values that cannot be, from byte `at` on. */
static ecg_status check_values(ecg__verify *v, const ecg_file_chunk *c, uint64_t at, const ecg__slot *slot)
{
    uint64_t wrong = 0, first = 0;
    float value = 0.0f;
    for (size_t done = 0; done < slot->tensor->count;) {
        const size_t room = ECG__VERIFY_PIECE / sizeof(float), left = slot->tensor->count - done;
        const size_t n = left < room ? left : room;
        const ecg_status s = ecg__verify_fetch(v, at + done * sizeof(float), v->buffer, n * sizeof(float));
        if (s != ECG_OK)
            return s;
        for (size_t i = 0; i < n; i++) {
            const float x = ecg__get_f32(v->buffer + i * sizeof(float));
            if (isfinite(x) && !(slot->tensor->nonnegative && x < 0.0f))
                continue;
            if (wrong++ == 0) {
                first = done + i;
                value = x;
            }
        }
        done += n;
    }
    if (wrong)
        ecg__verify_damage(v, ECG_ENUMERIC, at + first * sizeof(float), c->tag, slot->name,
                           "%" PRIu64 " of %zu values cannot be, the first is value %" PRIu64 ": %g", wrong,
                           slot->tensor->count, first, (double)value);
    return ECG_OK;
}

static ecg_status check_gap(ecg__verify *v, const ecg_file_chunk *c, uint64_t data, const ecg__slot *slot)
{
    const size_t end = slot->offset + slot->tensor->count;
    const size_t next = ecg__align_up(end * sizeof(float)) / sizeof(float);
    unsigned char gap[ECG__ALIGN];
    const size_t n = (next - end) * sizeof(float);
    const uint64_t at = data + (uint64_t)end * sizeof(float);
    const ecg_status s = ecg__verify_fetch(v, at, gap, n);
    for (size_t i = 0; s == ECG_OK && i < n; i++)
        if (gap[i]) {
            ecg__verify_damage(v, ECG_ECORRUPT, at + i, c->tag, "",
                               "the bytes after tensor %s are not zero, the first such is %02x", slot->name,
                               gap[i]);
            break;
        }
    return s;
}

ecg_status ecg__verify_weights(ecg__verify *v, const ecg_file_chunk *c)
{
    if (!v->spec)
        return ECG_OK;
    const uint64_t data = data_start(v, c->offset), floats = v->spec->floats;
    if (c->bytes != data - c->offset - ECG__CHUNK_HEAD + floats * sizeof(float)) {
        ecg__verify_damage(v, ECG_ECORRUPT, c->offset + 4, c->tag, "",
                           "has %" PRIu64 " bytes, the network needs %" PRIu64, c->bytes,
                           data - c->offset - ECG__CHUNK_HEAD + floats * sizeof(float));
        return ECG_OK;
    }
    ecg_status s = check_table(v, c);
    for (uint32_t i = 0; s == ECG_OK && i < v->spec->slots; i++) {
        const ecg__slot *slot = &v->spec->slot[i];
        s = check_values(v, c, data + (uint64_t)slot->offset * sizeof(float), slot);
        if (s == ECG_OK)
            s = check_gap(v, c, data, slot);
    }
    return s;
}
