/* The chunk WGTS: a table of tensors, then the flat vector on a multiple of 64 bytes. */
#include "format/weights.h"

#include <inttypes.h>

#include "base/mem.h"

enum { ROW_NAME = 48 };
_Static_assert(sizeof((ecg__slot *)0)->name == ROW_NAME, "names of tensors fill their field");
_Static_assert(sizeof(float) == 4, "weights are written as they stand in memory");

size_t ecg__weights_table(unsigned char *p, const ecg_spec *s, uint64_t at)
{
    const size_t table = ECG__WGTS_HEAD + (size_t)s->slots * ECG__WGTS_ROW;
    const size_t pad = (size_t)(-(at + table) % ECG__ALIGN);
    if (!p)
        return table + pad;
    memset(p, 0, table + pad);
    ecg__put_u32(p, s->slots);
    ecg__put_u32(p + 4, (uint32_t)pad);
    ecg__put_u64(p + 8, s->floats);
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *slot = &s->slot[i];
        unsigned char *row = p + ECG__WGTS_HEAD + (size_t)i * ECG__WGTS_ROW;
        memcpy(row, slot->name, strlen(slot->name));
        ecg__put_u32(row + 48, slot->tensor->rank);
        for (uint32_t d = 0; d < slot->tensor->rank; d++)
            ecg__put_u32(row + 52 + 4 * d, slot->tensor->dims[d]);
        ecg__put_u32(row + 68, slot->tensor->trainable ? 0 : 1);
        ecg__put_u64(row + 72, slot->offset);
        ecg__put_u64(row + 80, slot->tensor->count);
    }
    return table + pad;
}

/* The first float between tensors that is not zero, or s->floats. */
static size_t check_gaps(const ecg_spec *s, const float *w)
{
    for (uint32_t i = 0; i < s->slots; i++) {
        const size_t end = s->slot[i].offset + s->slot[i].tensor->count;
        const size_t next = ecg__align_up(end * sizeof *w) / sizeof *w;
        for (size_t j = end; j < next && j < s->floats; j++) {
            uint32_t bits;
            memcpy(&bits, &w[j], sizeof bits);
            if (bits != 0)
                return j;
        }
    }
    return s->floats;
}

ecg_status ecg__weights_write(ecg__chunk_writer *w, const ecg_spec *s, const float *weights, ecg_error *err)
{
    if (check_gaps(s, weights) < s->floats)
        return ecg__fail(err, ECG_EINVAL, "model file: weights are not zero between the tensors");
    const uint64_t at = w->at + ECG__CHUNK_HEAD;
    const size_t n = ecg__weights_table(NULL, s, at), bytes = s->floats * sizeof *weights;
    unsigned char *table = ecg__alloc(n);
    if (!table)
        return ecg__fail(err, ECG_ENOMEM, "model file: out of memory");
    ecg__weights_table(table, s, at);
    ecg_status status = ecg__chunk_begin(w, "WGTS", (uint64_t)n + bytes, err);
    if (status == ECG_OK)
        status = ecg__chunk_write(w, table, n, err);
    if (status == ECG_OK)
        status = ecg__chunk_write(w, weights, bytes, err);
    ecg__free(table);
    return status == ECG_OK ? ecg__chunk_end(w, err) : status;
}

static ecg_status check_table(const ecg__chunk_reader *r, const ecg_spec *s, const unsigned char *found,
                              const unsigned char *want, size_t n, ecg_error *err)
{
    if (memcmp(found, want, n) == 0)
        return ECG_OK;
    size_t i = 0;
    while (found[i] == want[i])
        i++;
    const size_t row = i < ECG__WGTS_HEAD ? 0 : (i - ECG__WGTS_HEAD) / ECG__WGTS_ROW;
    const char *what = i < ECG__WGTS_HEAD ? "head of the table"
                       : row < s->slots   ? s->slot[row].name
                                          : "padding";
    return ecg__reader_fail(r, err, ECG_ECORRUPT, "%s: byte %zu is %02x, the network of ARCH needs %02x",
                            what, i, found[i], want[i]);
}

/* Its length is what ARCH needs: *n bytes of table and *bytes of data. */
static ecg_status check_length(const ecg__chunk_reader *r, const ecg_spec *s, size_t *n, size_t *bytes,
                               ecg_error *err)
{
    size_t length = 0;
    *bytes = 0;
    *n = ecg__weights_table(NULL, s, r->at);
    if (ecg__mul(bytes, s->floats, sizeof(float)) && ecg__add(&length, *n, *bytes) && r->length == length)
        return ECG_OK;
    return ecg__reader_fail(r, err, ECG_ECORRUPT, "has %" PRIu64 " bytes, the network of ARCH needs %zu",
                            r->length, length);
}

/* The payload: its table, then its data, copied to `copy` or, where that is NULL, lent; all of it checked
 * against its checksum, and then against the network. */
static ecg_status read_payload(ecg__chunk_reader *r, const ecg_spec *s, float *copy, const float **lent,
                               ecg_error *err)
{
    const uint64_t at = r->at;
    const void *data = copy;
    size_t n, bytes;
    ecg_status status = check_length(r, s, &n, &bytes, err);
    if (status != ECG_OK)
        return status;
    unsigned char *found = ecg__alloc(n), *want = ecg__alloc(n);
    status = found && want ? ecg__reader_read(r, found, n, err)
                           : ecg__reader_fail(r, err, ECG_ENOMEM, "out of memory");
    if (status == ECG_OK)
        status = copy ? ecg__reader_read(r, copy, bytes, err) : ecg__reader_lend(r, &data, bytes, err);
    if (status == ECG_OK)
        status = ecg__reader_end(r, err);
    if (status == ECG_OK) {
        ecg__weights_table(want, s, at);
        status = check_table(r, s, found, want, n, err);
    }
    ecg__free(found);
    ecg__free(want);
    if (status != ECG_OK)
        return status;
    const size_t gap = check_gaps(s, data);
    if (gap < s->floats)
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "float %zu lies between tensors and is not zero", gap);
    *lent = data;
    return ECG_OK;
}

ecg_status ecg__weights_lend(const float **out, ecg__chunk_reader *r, const ecg_spec *s, ecg_error *err)
{
    *out = NULL;
    return read_payload(r, s, NULL, out, err);
}

ecg_status ecg__weights_read(float **out, ecg__chunk_reader *r, const ecg_spec *s, ecg_error *err)
{
    *out = NULL;
    size_t n, bytes;
    ecg_status status = check_length(r, s, &n, &bytes, err);
    if (status != ECG_OK)
        return status;
    float *weights = ecg__alloc(bytes);
    if (!weights)
        return ecg__reader_fail(r, err, ECG_ENOMEM, "out of memory");
    const float *same;
    status = read_payload(r, s, weights, &same, err);
    if (status == ECG_OK)
        *out = weights;
    else
        ecg__free(weights);
    return status;
}
