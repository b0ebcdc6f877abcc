/* Architecture text: refused with a message, or a network that prints to text of itself, plans within its
 * limits, and runs forward and backward inside the memory that was planned. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ecgcnn/train.h"
#include "net/infer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 8192, MAX_FLOATS = 20000, MAX_WORK = 200000, MAX_INPUT = 2000 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

static ecg_spec *parse(const char *text, const ecg_shape *input, uint32_t classes)
{
    ecg_error err = {ECG_OK, 0, ""};
    ecg_spec *s = NULL;
    const ecg_status st = ecg_spec_parse(&s, text, input, classes, &err);
    require((st == ECG_OK) == (s != NULL));
    require(s || (err.status == st && err.message[0]));
    return s;
}

static void same(const ecg_spec *a, const ecg_spec *b)
{
    const uint32_t n = ecg_spec_layers(a);
    require(n == ecg_spec_layers(b) && ecg_spec_params(a) == ecg_spec_params(b));
    for (uint32_t i = 0; i < n; i++) {
        const ecg_layer_info x = ecg_spec_layer(a, i), y = ecg_spec_layer(b, i);
        require(strcmp(x.name, y.name) == 0 && memcmp(&x.out, &y.out, sizeof x.out) == 0);
        require(x.params == y.params && x.state == y.state && x.macs == y.macs);
    }
}

/* Shapes follow from each other, and no product of them has gone round. */
static uint64_t work_of(const ecg_spec *s)
{
    uint64_t work = 0;
    for (uint32_t i = 0; i < s->layers; i++) {
        const ecg__plan *p = &s->layer[i].plan;
        const ecg_shape in = i ? s->layer[i - 1].plan.out : s->input;
        require(memcmp(&p->in, &in, sizeof in) == 0);
        require(p->out.h > 0 && p->out.w > 0 && p->out.c > 0);
        require(p->out_count == (uint64_t)p->out.h * p->out.w * p->out.c && p->out_count <= UINT32_MAX);
        work += p->out_count + p->macs;
    }
    require(s->trainable_floats <= s->floats && s->params <= s->trainable_floats);
    return work;
}

/* Small networks run, in memory of just the size that was planned. */
static void run(const ecg_spec *s)
{
    ecg__infer plan;
    require(ecg__infer_plan(&plan, s, 1) == ECG_OK);
    const size_t in = s->layer[0].plan.in_count;
    float *flat = ecg__calloc(s->floats + 1, sizeof *flat), *x = ecg__calloc(in, sizeof *x);
    float *out = ecg__calloc(ecg_spec_outputs(s), sizeof *out);
    void *arena = ecg__alloc(plan.bytes);
    if (flat && x && out && arena) {
        for (size_t i = 0; i < s->floats; i++)
            flat[i] = 0.25f * (float)(i % 7);
        for (size_t i = 0; i < in; i++)
            x[i] = (float)(i % 5) - 2.0f;
        ecg__infer_run(&plan, flat, x, out, arena, NULL);
    }
    ecg__free(arena);
    ecg__free(out);
    ecg__free(x);
    ecg__free(flat);
    ecg__infer_end(&plan);
}

static void train(const ecg_spec *s)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.batch = 2;
    o.shards = 2;
    o.threads = 1;
    ecg_trainer *t = NULL;
    if (ecg_trainer_new(&t, s, &o, NULL) != ECG_OK)
        return; /* a network that does not end in softmax */
    const size_t in = s->layer[0].plan.in_count;
    float *x = ecg__calloc(2 * in, sizeof *x);
    const uint32_t y[2] = {0, ecg_spec_outputs(s) - 1};
    for (size_t i = 0; x && i < 2 * in; i++)
        x[i] = (float)(i % 5) - 2.0f;
    ecg_step step;
    const ecg_status st = x ? ecg_trainer_step(t, x, y, 2, &step, NULL) : ECG_ENOMEM;
    require(st == ECG_ENOMEM || st == ECG_ENUMERIC || (st == ECG_OK && isfinite(step.loss)));
    ecg__free(x);
    ecg_trainer_free(t);
}

static void check(const ecg_spec *s)
{
    static char text[1 << 20];
    const size_t n = ecg_spec_print(s, text, sizeof text);
    require(n > 0 && n < sizeof text && strlen(text) == n);
    char few[16];
    require(ecg_spec_print(s, few, sizeof few) == n && strlen(few) < sizeof few);
    ecg_spec *again = n <= ECG__MAX_TEXT ? parse(text, NULL, 0) : NULL;
    if (n <= ECG__MAX_TEXT) {
        static char second[1 << 20];
        require(again != NULL);
        require(ecg_spec_print(again, second, sizeof second) == n && strcmp(text, second) == 0);
        same(s, again);
    }
    const uint64_t work = work_of(s);
    if (s->floats <= MAX_FLOATS && work <= MAX_WORK && s->layer[0].plan.in_count <= MAX_INPUT) {
        run(s);
        train(s);
    }
    ecg_spec_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT];
    if (size >= sizeof text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    const ecg_shape input = {0, 20, 3};
    ecg_spec *as_is = parse(text, NULL, 0), *changed = parse(text, &input, 3);
    if (as_is)
        check(as_is);
    if (changed)
        check(changed);
    ecg_spec_free(as_is);
    ecg_spec_free(changed);
    return 0;
}
