/* An annotation file: read or refused; what is read is written and read back the same. */
#define _XOPEN_SOURCE 700
#include "fuzz_record.h"
#include "signal/annotations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same(const ecg_annotation *a, const ecg_annotation *b)
{
    return a->sample == b->sample && a->code == b->code && a->subtype == b->subtype && a->chan == b->chan &&
           a->num == b->num && !a->aux == !b->aux &&
           (!a->aux || (a->aux_size == b->aux_size && memcmp(a->aux, b->aux, a->aux_size) == 0));
}

static void write_and_read(const ecg_annotation *a, size_t n)
{
    ecg_annotations *back;
    ecg_error err = {ECG_OK, 0, ""};
    fuzz_write("r.atr", "", 0);
    if (ecg_annotations_write(a, n, 0, fuzz_path("r.atr"), &err) != ECG_OK)
        return; /* a code 0, or a sample beyond 2^56 */
    require(ecg_annotations_read(&back, fuzz_path("r.atr"), 0, &err) == ECG_OK);
    require(ecg_annotations_count(back) <= n);
    /* A note of the file itself, moved to its beginning, is read as one. */
    const size_t left = n - ecg_annotations_count(back);
    for (size_t i = 0; i < left; i++)
        require(a[i].sample == 0 && a[i].code == ECG_ANN_NOTE);
    for (size_t i = left; i < n; i++)
        require(same(&a[i], ecg_annotations_get(back, i - left)));
    ecg_annotations_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ecg_annotations *a;
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_status s = ecg__annotations_parse(&a, data, size, 360, "r.atr", &err);
    if (s != ECG_OK) {
        require(a == NULL && err.status == s && strncmp(err.message, "r.atr:", 6) == 0);
        return 0;
    }
    const size_t n = ecg_annotations_count(a);
    const ecg_annotation *all = ecg_annotations_all(a);
    for (size_t i = 0; i < n; i++) {
        require(all[i].code <= ECG_ANN_MAX && (i == 0 || all[i - 1].sample <= all[i].sample));
        require(!all[i].aux || all[i].aux[all[i].aux_size] == '\0');
    }
    write_and_read(all, n);
    ecg_annotations_free(a);
    return 0;
}
