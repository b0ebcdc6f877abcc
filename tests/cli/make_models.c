/* Models of every kind of layer and of preparing pictures, with weights by chance, and what the library makes
 * of pictures:
 *
 *     make_models FOLDER PICTURE...
 *
 * writes NAME.ecgm, NAME.u8 (pixels at the model's size) and NAME.f32 (probabilities) for each, and prints
 * the names. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/ecgcnn.h"

enum { MOST_CLASSES = 64, MOST_PICTURES = 32 };

typedef enum prepare { PLAIN, CHANNELS, OWN, WHITE } prepare;

static const struct kind {
    const char *name, *net;
    prepare how;
    float temperature, threshold;
} kinds[] = {
    {"default", "default", PLAIN, 1.0f, 0.0f},
    {"seed", "seed", CHANNELS, 1.7f, 0.0f},
    {"jun", "jun2018", PLAIN, 0.6f, 0.5f},
    {"layers",
     "input 21x18x3; conv2d 6 3x2 stride=2x1 pad=same dilation=1x2; elu 0.7; batchnorm; avgpool 3x2 "
     "stride=2x2 "
     "pad=same; silu; conv2d 5 2x2 pad=1,0,0,1 bias=0 gelu; maxpool 3 stride=2 pad=1x1; leaky_relu 0.2; "
     "dropout 0.3; "
     "flatten; batchnorm eps=1e-5 momentum=0.9; tanh; dense 9 bias=0 sigmoid; dense 4; softmax",
     CHANNELS, 1.0f, 0.0f},
    {"vectors",
     "input 12x14x1; conv2d 4 3x3 pad=same; softmax; global_avgpool; conv2d 6 1x1 gelu; batchnorm; flatten; "
     "dense 5; "
     "softmax",
     OWN, 1.0f, 0.0f},
    {"order",
     "input 9x7x3; conv2d 5 3x3; maxpool 2x3 stride=1x1; flatten; conv2d 6 1x1 relu; global_maxpool; softmax",
     PLAIN, 1.0f, 0.0f},
    {"flat", "input 3x2x3; relu; flatten; dropout 0.1; batchnorm; softmax", WHITE, 2.5f, 0.25f},
    {"dense", "input 6x5x3; dense 7 relu; dense 3; softmax", WHITE, 1.0f, 0.0f},
    {"avg",
     "input 17x16x4; avgpool 2; maxpool 3x2 pad=same stride=2x3; conv2d 3 3x3 stride=2 pad=2x1 silu; "
     "global_avgpool; global_maxpool; softmax",
     OWN, 1.0f, 0.0f},
};

static float draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 40) / (1 << 23) - 1.0); /* -1..1 */
}

static int fail(const char *what, const ecg_error *err)
{
    fprintf(stderr, "make_models: %s: %s\n", what, err->message);
    return 1;
}

/* Weights that neither vanish nor explode: as He et al. draw them. */
static float *weights(const ecg_spec *s, ecg_tensor *tensor, size_t *tensors, uint64_t seed)
{
    uint32_t dims[4];
    size_t total = 0;
    const char *name;
    for (*tensors = 0; (name = ecg_spec_tensor(s, *tensors, dims)); (*tensors)++) {
        size_t n = 1;
        for (int d = 0; d < 4 && dims[d]; d++)
            n *= dims[d];
        tensor[*tensors] = (ecg_tensor){name, NULL, n};
        total += n;
    }
    float *all = malloc((total + 1) * sizeof *all), *at = all;
    for (size_t t = 0; all && t < *tensors; t++) {
        const bool kernel = strstr(tensor[t].name, "kernel"), variance = strstr(tensor[t].name, "variance");
        (void)ecg_spec_tensor(s, t, dims);
        const double fan = kernel ? (double)tensor[t].count / (dims[3] ? dims[3] : dims[1]) : 4.0;
        for (size_t i = 0; i < tensor[t].count; i++) {
            const float v = draw(&seed);
            at[i] = variance ? 0.5f + 0.4f * v : v * (float)sqrt(6.0 / fan);
        }
        tensor[t].values = at;
        at += tensor[t].count;
    }
    return all;
}

static float *preparation(ecg_preprocess *p, ecg_shape in, prepare how)
{
    uint64_t seed = 7;
    *p = (ecg_preprocess)ECG_PREPROCESS_INIT;
    p->h = in.h;
    p->w = in.w;
    p->color = (ecg_color)in.c;
    for (uint32_t k = 0; k < in.c && (how == CHANNELS || how == WHITE); k++) {
        p->mean[k] = 0.4f + 0.1f * (float)k;
        p->deviation[k] = how == CHANNELS ? 0.3f - 0.02f * (float)k : 0.0f;
    }
    if (how == CHANNELS)
        p->rescale = 1.0f / 225.0f;
    if (how == OWN) {
        p->samplewise_center = p->samplewise_std = 1;
        p->profile = ECG_PROFILE_KERAS;
        p->filter = ECG_FILTER_NEAREST;
    }
    const size_t n = (size_t)in.h * in.w * in.c;
    float *zca = how == WHITE ? malloc(n * n * sizeof *zca) : NULL;
    for (size_t i = 0; zca && i < n * n; i++)
        zca[i] = draw(&seed) / 8.0f + (i % (n + 1) == 0 ? 1.0f : 0.0f);
    p->zca = zca;
    p->zca_n = zca ? (uint32_t)n : 0;
    return zca;
}

static ecg_status make(ecg_model **out, const struct kind *k, ecg_error *err)
{
    static const char *const odd[] = {"Normal", "\xc3\x84 \"quoted\" \?\?/ \\ */ ", "a b", "c", "d", "e", "f",
                                      "g"};
    static char names[MOST_CLASSES][16];
    const char *classes[MOST_CLASSES];
    const ecg_shape small = {24, 20, 1};
    ecg_spec *s;
    ecg_status st = ecg_spec_parse(&s, k->net, strcmp(k->net, "jun2018") == 0 ? &small : NULL, 0, err);
    if (st != ECG_OK)
        return st;
    for (uint32_t i = 0; i < MOST_CLASSES; i++) {
        snprintf(names[i], sizeof names[i], "class %u", i);
        classes[i] = i < sizeof odd / sizeof *odd ? odd[i] : names[i];
    }
    static const char *const meta[] = {"epochs", "3", "seed", "11", NULL};
    ecg_tensor tensor[64];
    size_t tensors;
    ecg_preprocess p;
    float *zca = preparation(&p, ecg_spec_input(s), k->how), *all = weights(s, tensor, &tensors, 5);
    const ecg_model_info info = {sizeof info, &p, classes, meta};
    ecg_model *plain = NULL;
    st = ecg_model_new(&plain, s, &info, tensor, tensors, err);
    ecg_rule rule = ECG_RULE_INIT;
    rule.temperature = k->temperature;
    rule.threshold = k->threshold;
    rule.chosen_by = k->threshold > 0.0f ? ECG_THRESHOLD_GIVEN : ECG_THRESHOLD_NONE;
    if (st == ECG_OK)
        st = ecg_model_with_rule(out, plain, &rule, err);
    ecg_model_free(plain);
    ecg_spec_free(s);
    free(zca);
    free(all);
    return st;
}

static int write_all(const char *folder, const char *name, const char *end, const void *data, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, end);
    FILE *f = fopen(path, "wb");
    const bool ok = f && fwrite(data, 1, n, f) == n;
    if (f)
        fclose(f);
    return ok ? 0 : fprintf(stderr, "make_models: %s\n", path);
}

static int one(const char *folder, const struct kind *k, char **picture, int pictures)
{
    char path[4096];
    ecg_error err = {ECG_OK, 0, ""};
    ecg_model *m;
    ecg_session *s;
    if (make(&m, k, &err) != ECG_OK)
        return fail(k->name, &err);
    snprintf(path, sizeof path, "%s/%s.ecgm", folder, k->name);
    if (ecg_model_save(m, path, &err) != ECG_OK || ecg_session_new(&s, m, NULL, &err) != ECG_OK)
        return fail(path, &err);
    const ecg_preprocess *p = ecg_model_preprocess(m);
    const size_t n = (size_t)p->h * p->w * (size_t)p->color, classes = ecg_model_classes(m);
    const size_t all = (size_t)pictures + 1; /* the last one is noise */
    uint8_t *px = malloc(all * n);
    float *probs = malloc(all * classes * sizeof *probs);
    uint64_t noise = 1;
    for (size_t i = 0; i < n; i++)
        px[(all - 1) * n + i] = (uint8_t)(127.5f * (draw(&noise) + 1.0f));
    const ecg_image last = {
        .px = px + (all - 1) * n, .w = p->w, .h = p->h, .c = (uint32_t)p->color, .stride = n / p->h};
    if (ecg_session_run_images(s, &last, 1, probs + (all - 1) * classes, &err) != ECG_OK)
        return fail("noise", &err);
    for (int i = 0; i < pictures; i++) {
        ecg_pixels *one;
        if (ecg_preprocess_load(&one, p, picture[i], &err) != ECG_OK)
            return fail(picture[i], &err);
        const ecg_image view = ecg_pixels_view(one);
        if (ecg_session_run_images(s, &view, 1, probs + (size_t)i * classes, &err) != ECG_OK)
            return fail(picture[i], &err);
        for (uint32_t r = 0; r < view.h; r++)
            memcpy(px + (size_t)i * n + r * (n / view.h), view.px + r * view.stride, n / view.h);
        ecg_pixels_free(one);
    }
    const int bad = write_all(folder, k->name, "u8", px, all * n) ||
                    write_all(folder, k->name, "f32", probs, all * classes * sizeof *probs);
    free(px);
    free(probs);
    ecg_session_free(s);
    ecg_model_free(m);
    puts(k->name);
    return bad;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > MOST_PICTURES)
        return fprintf(stderr, "usage: make_models FOLDER PICTURE...\n"), 2;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (one(argv[1], &kinds[i], argv + 2, argc - 2))
            return 1;
    return 0;
}
