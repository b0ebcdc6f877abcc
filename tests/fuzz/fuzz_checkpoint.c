/* A checkpoint from anyone: read by itself, and taken over by a trainer of the network that the corpus has,
 * which then does a step. The corpus is written by corpus_checkpoint.py. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ecgcnn/train.h"
#include "format/checkpoint.h"
#include "fuzz/fuzz_chunks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUES = 4, CLASSES = 2 };

static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    (void)ctx;
    (void)epoch;
    (void)err;
    for (size_t k = 0; k < VALUES; k++)
        x[k] = (float)((i + k) % 3) - 1.0f;
    *label = (uint32_t)(i % CLASSES);
    return ECG_OK;
}

static int stop(void *payload, const ecg_step *s, size_t done, size_t total)
{
    (void)payload;
    if (s->n == 0 || done > total)
        abort();
    return 1;
}

static int begin(void *payload, const ecg_epoch *past, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (past[i].index != i + 1)
            abort();
    *(int *)payload = 1;
    return 0;
}

/* One step from where the file says that training stood. Returns whether it was taken. */
static int train(const char *path)
{
    static const char *const names[] = {"A", "B"};
    ecg_error err = {0};
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    prep.h = prep.w = 2;
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.threads = 1;
    o.batch = 4;
    o.epochs = 1000000;
    ecg_spec *spec = NULL;
    ecg_trainer *t = NULL;
    if (ecg_spec_parse(&spec, "input 2x2x1; flatten; dense 3; batchnorm relu; dense 2; softmax", NULL, 0,
                       &err) != ECG_OK ||
        ecg_trainer_new(&t, spec, &o, &err) != ECG_OK)
        abort();
    const ecg_model_info info = {sizeof info, &prep, names, NULL};
    const ecg_source pictures = {NULL, 10, fetch}, val = {NULL, 3, fetch};
    ecg_checkpoint_options from = ECG_CHECKPOINT_OPTIONS_INIT;
    from.resume = path;
    int begun = 0;
    const ecg_fit_hooks hooks = {sizeof hooks, stop, NULL, &begun, begin, NULL, &from};
    const ecg_status s = ecg_trainer_fit(t, &pictures, &val, &info, NULL, &hooks, &err);
    if (s != ECG_OK && (err.status != s || err.message[0] == '\0'))
        abort();
    ecg_trainer_free(t);
    ecg_spec_free(spec);
    return begun;
}

static void read_alone(const uint8_t *data, size_t size)
{
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.max_layers = 64;
    o.max_params = 1000000;
    ecg_error err = {0};
    ecg__chunk_reader r;
    ecg__checkpoint c;
    ecg_model *m = NULL;
    if (ecg__reader_open_memory(&r, data, size, "fuzz", UINT64_MAX, &err) != ECG_OK)
        return;
    const ecg_status s = ecg__checkpoint_read(&c, &m, &r, &o, &err);
    if ((s == ECG_OK) != (m != NULL) || (s != ECG_OK && (err.status != s || err.message[0] == '\0')))
        abort();
    ecg_model_free(m);
    if (m)
        ecg__checkpoint_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_alone(data, size);
    const int fd = memfd_create("checkpoint", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const int taken = train(path);
    close(fd);
    if (getenv("FUZZ_TELL"))
        printf("%zu bytes: %s\n", size, taken ? "taken" : "refused");
    return 0;
}
