/* Find and classify the beats of a recording: annotate_record MODEL.ecgm RECORD OUT.cnn. The model is one
 * that was trained on a folder made by ecg-beats make. For research and teaching only, not a medical device.
 */
#include <ecgcnn/ecgcnn.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 64 };

int main(int argc, char **argv)
{
    ecg_error err = {ECG_EINVAL, 0, "usage: annotate_record MODEL RECORD OUT"};
    ecg_model *model = NULL;
    ecg_session *session = NULL;
    ecg_record *record = NULL;
    ecg_recipe *recipe = NULL;
    ecg_painter *painter = NULL;
    ecg_annotation *note = NULL;
    float *mv = NULL, probs[CLASSES];
    uint64_t *at = NULL;
    uint8_t *px = NULL;
    size_t beats = 0;
    int64_t lead = 0, second;
    int ok = argc == 4 && ecg_model_load(&model, argv[1], NULL, &err) == ECG_OK &&
             ecg_model_classes(model) <= CLASSES && ecg_session_new(&session, model, NULL, &err) == ECG_OK &&
             ecg_recipe_parse(&recipe, ecg_model_meta(model, "recipe"), &err) == ECG_OK &&
             ecg_record_open(&record, argv[2], NULL, &err) == ECG_OK &&
             ecg_recipe_signals(recipe, record, &lead, &second, &err) == ECG_OK;
    const size_t n = ok ? (size_t)ecg_record_get_info(record)->frames : 0;
    const double rate = ok ? ecg_record_get_info(record)->rate : 0.0;
    const ecg_shape shape = ecg_recipe_shape(recipe);
    ok = ok && (mv = malloc((n + 1) * sizeof *mv)) != NULL &&
         (px = malloc((size_t)shape.h * shape.w * shape.c)) != NULL &&
         ecg_record_read_signal(record, (uint32_t)lead, 0, n, mv, &err) == ECG_OK &&
         ecg_beats_detect(&at, &beats, mv, n, rate, NULL, &err) == ECG_OK &&
         ecg_painter_new(&painter, recipe, mv, NULL, n, rate, at, beats, &err) == ECG_OK &&
         (note = calloc(beats + 1, sizeof *note)) != NULL;
    for (size_t i = 0; ok && i < beats; i++) {
        const ecg_image image = {px, shape.w, shape.h, shape.c, (size_t)shape.w * shape.c};
        ok = ecg_painter_draw(painter, i, px) == ECG_OK &&
             ecg_session_run_images(session, &image, 1, probs, &err) == ECG_OK;
        uint32_t best = 0;
        for (uint32_t c = 1; ok && c < ecg_model_classes(model); c++)
            best = probs[c] > probs[best] ? c : best;
        const char code = ecg_beat_set_code_of_name(ecg_model_class(model, best));
        note[i] = (ecg_annotation){.sample = at[i], .code = ecg_annotation_from_char(code ? code : 'Q')};
    }
    ok = ok && ecg_annotations_write(note, beats, rate, argv[3], &err) == ECG_OK;
    if (ok)
        printf("%s: %zu beats\n", argv[3], beats);
    else
        fprintf(stderr, "%s\n", err.message);
    ecg_painter_free(painter);
    ecg_beats_free(at);
    free(note);
    free(px);
    free(mv);
    ecg_recipe_free(recipe);
    ecg_record_close(record);
    ecg_session_free(session);
    ecg_model_free(model);
    return ok ? 0 : 1;
}
