/* Predict one picture: predict MODEL.ecgm PICTURE.png. For research and teaching only, not a medical device.
 */
#include <ecgcnn/net.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    enum { MOST = 64 };
    float probs[MOST];
    ecg_error err = {ECG_EINVAL, 0, "usage: predict MODEL PICTURE (of at most 64 classes)"};
    ecg_model *model = NULL;
    ecg_session *session = NULL;
    int done = argc == 3 && ecg_model_load(&model, argv[1], NULL, &err) == ECG_OK &&
               ecg_model_classes(model) <= MOST && ecg_session_new(&session, model, NULL, &err) == ECG_OK &&
               ecg_session_run_file(session, argv[2], probs, &err) == ECG_OK;
    if (done) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < ecg_model_classes(model); i++)
            best = probs[i] > probs[best] ? i : best;
        printf("%s\t%.9g\n", ecg_model_class(model, best), (double)probs[best]);
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    ecg_session_free(session);
    ecg_model_free(model);
    return done ? 0 : 1;
}
