/* A model file from anyone: copied, in place, mapped and verified. The corpus begins with the sample of
 * tests/vectors/format. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ecgcnn/net.h"
#include "format/chunk.h"
#include "fuzz/fuzz_chunks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same input as a file: one in memory, its name by way of /proc. */
static int file = -1;
static char path[64];

static bool put_file(const uint8_t *data, size_t size)
{
    if (file < 0) {
        file = memfd_create("model", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    if (file < 0 || access(path, R_OK) != 0)
        return false; /* no /proc, no files */
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
    return true;
}

/* What was read is whole. */
static void look(const ecg_model *m)
{
    char text[512];
    ecg_spec_print(ecg_model_spec(m), text, sizeof text);
    for (uint32_t i = 0; i < ecg_model_classes(m); i++)
        if (strlen(ecg_model_class(m, i)) == 0)
            abort();
    const char *key, *value;
    for (size_t i = 0; ecg_model_meta_at(m, i, &key, &value); i++)
        if (!ecg_model_meta(m, key))
            abort();
}

static bool of_checkpoint; /* there is a chunk of a checkpoint: a model may be whole, and it not */

static void on_chunk(void *payload, const ecg_file_chunk *c)
{
    uint64_t *end = payload;
    if (strlen(c->tag) != 4 || c->offset + 16 + c->bytes > *end)
        abort();
    of_checkpoint |= c->known == 2;
}

static void on_damage(void *payload, const ecg_file_damage *d)
{
    uint64_t *end = payload;
    if (d->status == ECG_OK || d->offset > *end || d->message[0] == '\0' || strlen(d->chunk) > 4)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(64) uint8_t aligned[1 << 16];
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.max_layers = 64;
    o.max_params = 1000000;
    ecg_error err = {0};
    ecg_model *m = NULL;
    const ecg_status s = ecg_model_load_memory(&m, data, size, &o, &err);
    if ((s == ECG_OK) != (m != NULL) || (s != ECG_OK && (err.status != s || err.message[0] == '\0')))
        abort();
    if (m)
        look(m);
    ecg_model_free(m);

    /* The other ways to read it say the same. */
    o.in_place = o.sha256 = 1;
    if (size <= sizeof aligned) {
        memcpy(aligned, data, size);
        if (ecg_model_load_memory(&m, aligned, size, &o, NULL) != s || (m && !ecg_model_sha256(m)))
            abort();
        ecg_model_free(m);
    }
    if (!put_file(data, size))
        return 0;
    if (ecg_model_load(&m, path, &o, NULL) != s)
        abort();
    if (m)
        look(m);
    ecg_model_free(m);
    uint64_t end = size;
    const ecg_verify_hooks hooks = {sizeof hooks, &end, on_chunk, on_damage};
    ecg_verify_report report = ECG_VERIFY_REPORT_INIT;
    of_checkpoint = false;
    const ecg_status found = ecg_model_verify(path, &o, &hooks, &report, &err);
    if ((found == ECG_OK && s != ECG_OK) || (found != ECG_OK && s == ECG_OK && !of_checkpoint) ||
        (found == ECG_OK) != (report.damages == 0) ||
        (found != ECG_OK && (err.status != found || err.message[0] == '\0')) || report.bytes != size)
        abort();
    return 0;
}
