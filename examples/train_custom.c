/* Train a network of your own on data of your own, with progress of your own: train_custom MODEL.ecgm. Here
 * the data are synthetic beats that are drawn when they are asked for, and no file is read. For research and
 * teaching only, not a medical device. */
#include <ecgcnn/ecgcnn.h>
#include <stdio.h>
#include <stdlib.h>

enum { H = 32, W = 48, CLASSES = 3, TRAIN = 900, VALIDATE = 150, BEATS = 30 /* of a patient */ };

static const ecg_beat_class beat_class[CLASSES] = {ECG_BEAT_NORMAL, ECG_BEAT_PVC, ECG_BEAT_RBBB};

/* How a beat becomes a picture, for those who are to draw theirs alike: see beats.h. */
#define RECIPE "fixed size=32x48 box=0:0:47:31 pen=1.2 scale=mv top=2 bottom=-1.5 baseline=none"

/* What the samples are of; each source has patients of its own. */
typedef struct clinic {
    const ecg_preprocess *prep;
    uint32_t first_patient;
} clinic;

/* Sample i. Called from several threads at once, so it changes nothing but what it is given. */
static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    const clinic *c = ctx;
    float mv[ECG_BEAT_SAMPLES];
    uint8_t px[H * W];
    (void)epoch, (void)err; /* the same beats in every epoch */
    *label = (uint32_t)(i % CLASSES);
    ecg_beat_synthesize(1, c->first_patient + (uint32_t)(i / BEATS), (uint32_t)(i % BEATS),
                        beat_class[*label], mv);
    const ecg_status status = ecg_beat_draw(mv, ECG_BEAT_SAMPLES, 2.0f, -1.5f, 1.2f, px, H, W);
    if (status == ECG_OK)
        ecg_preprocess_values(c->prep, px, x);
    return status;
}

/* After each epoch. Nonzero would stop training. */
static int show(void *payload, const ecg_epoch *e)
{
    (void)payload;
    printf("epoch %u/%u: loss %.4f, validation %.1f %%%s\n", e->index, e->epochs, e->loss,
           100.0 * e->val_accuracy, e->best ? ", kept" : "");
    return fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
    const char *const classes[CLASSES] = {"Normal", "PVC", "RBBB"};
    const char *const meta[] = {"recipe", RECIPE, "data", "synthetic beats", NULL};
    ecg_error err = {ECG_EINVAL, 0, "usage: train_custom MODEL"};
    ecg_spec *net = NULL;
    ecg_trainer *trainer = NULL;
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    prep.h = H;
    prep.w = W;
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.epochs = 4;
    o.seed = 1;
    o.optimizer = ECG_ADAMW;
    o.weight_decay = 0.01f;
    int ok = argc == 2 && ecg_preprocess_check(&prep, &prep, &err) == ECG_OK &&
             ecg_spec_parse(&net,
                            "input 32x48x1; conv2d 8 3x3 elu; maxpool 2x2; conv2d 16 3x3 elu;"
                            "maxpool 2x2; flatten; dropout 0.2; dense 3; softmax",
                            NULL, 0, &err) == ECG_OK &&
             ecg_trainer_new(&trainer, net, &o, &err) == ECG_OK;
    if (ok) {
        clinic here = {&prep, 0}, there = {&prep, TRAIN / BEATS};
        const ecg_source train = {&here, TRAIN, fetch}, val = {&there, VALIDATE, fetch};
        const ecg_model_info info = {sizeof info, &prep, classes, meta};
        const ecg_fit_hooks hooks = {.size = sizeof hooks, .epoch = show};
        ok = ecg_trainer_fit(trainer, &train, &val, &info, argv[1], &hooks, &err) == ECG_OK;
    }
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    ecg_trainer_free(trainer);
    ecg_spec_free(net);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
