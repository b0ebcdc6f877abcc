/* Predict where memory is counted: embedded MODEL.ecgm. Linked with ecgcnn::infer, which has no training
 * code. The model lies in memory and is used where it lies, as it would in flash; the session lies in a block
 * of ours, and once it is made nothing is allocated. For research and teaching only, not a medical device. */
#include <ecgcnn/net.h>
#include <ecgcnn/signal.h>
#include <stdio.h>

/* 64 bytes, so that the weights lie as the library reads them, and are not copied. */
static _Alignas(64) unsigned char flash[1 << 20], memory[1 << 20], pixels[256 * 256];

enum { CLASSES = 16 };

int main(int argc, char **argv)
{
    ecg_error err = {ECG_EINVAL, 0, "usage: embedded MODEL (up to 1 MiB, gray pictures up to 256x256)"};
    ecg_model *model = NULL;
    ecg_session *session = NULL;
    ecg_load_options in_place = ECG_LOAD_OPTIONS_INIT;
    float mv[ECG_BEAT_SAMPLES], probs[CLASSES];
    ecg_decision d;
    in_place.in_place = 1;

    /* On a device the linker puts the model there. */
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    const size_t bytes = f ? fread(flash, 1, sizeof flash, f) : 0;
    if (f)
        fclose(f);
    else if (argc == 2)
        snprintf(err.message, sizeof err.message, "%s: cannot be read", argv[1]);

    int ok = bytes > 0 && ecg_model_load_memory(&model, flash, bytes, &in_place, &err) == ECG_OK &&
             ecg_session_new_in(&session, model, memory, sizeof memory, &err) == ECG_OK;
    const ecg_preprocess *p = ok ? ecg_model_preprocess(model) : NULL;
    ok = ok && p->h <= 256 && p->w <= 256 && p->color == ECG_COLOR_GRAY &&
         ecg_model_classes(model) <= CLASSES;
    for (uint32_t beat = 0; ok && beat < 5; beat++) { /* what the electrodes saw */
        ecg_beat_synthesize(1, 50, beat, beat == 3 ? ECG_BEAT_PVC : ECG_BEAT_NORMAL, mv);
        ok = ecg_beat_draw(mv, ECG_BEAT_SAMPLES, 2.0f, -1.5f, 1.2f, pixels, p->h, p->w) == ECG_OK;
        const ecg_image picture = {pixels, p->w, p->h, 1, p->w};
        ok = ok && ecg_session_judge_images(session, &picture, NULL, 1, probs, &d, &err) == ECG_OK;
        if (ok)
            printf("beat %u: %s %.3f\n", beat + 1, ecg_model_class(model, d.best), (double)d.probability);
    }
    if (ok)
        printf("model %zu bytes, session %zu bytes\n", bytes, ecg_session_bytes(model));
    else
        fprintf(stderr, "%s\n", err.message);
    ecg_session_free(session);
    ecg_model_free(model);
    return ok ? 0 : 1;
}
