/* What comes out of the process that reads HDF5, should that have been taken over: records, the configuration
 * among them, and all that is made of it. */
#define _GNU_SOURCE
#include "fuzz/fuzz_import.h"
#include "model/keras.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ecg_status import(import_model *m, keras_file *f, const import_options *o, ecg_error *err)
{
    keras_chain chain = {0};
    keras_plan plan = {0};
    ecg_status s = f->config ? keras_config_read(&chain, f->config, f->config_bytes, "input", err)
                             : import_fail(err, ECG_EFORMAT, "no configuration");
    if (s == ECG_OK)
        s = keras_plan_make(&plan, &chain, o, "input", m, err);
    if (s == ECG_OK)
        s = keras_weights_take(m, &plan, f, "input", err);
    if (s == ECG_OK) {
        m->text = plan.text;
        plan.text = NULL;
    }
    keras_plan_free(&plan);
    keras_chain_free(&chain);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    union { /* fmemopen does not write where it reads */
        const uint8_t *lent;
        void *data;
    } u = {.lent = data};
    const import_options o = fuzz_options(size ? data[size - 1] : 0);
    FILE *from = size ? fmemopen(u.data, size, "r") : NULL;
    if (!from)
        return 0;
    import_model m = {0};
    keras_file f;
    ecg_error err = {.status = ECG_OK};
    bool whole;
    ecg_status s = keras_records_read(&f, from, "input", &whole, &err);
    fclose(from);
    if (s == ECG_OK && !whole)
        abort();
    if (s == ECG_OK)
        s = import(&m, &f, &o, &err);
    fuzz_imported(s, &m, &err);
    keras_file_free(&f);
    import_free(&m);
    return 0;
}
