/* Model files written by released versions of the library, in tests/golden/format: they load for ever, and
 * predict what they predicted then. samples.tsv has a line for each: file, classes, and the probabilities of
 * one input. A release adds samples of its own, written by this program with ECG_WRITE_SAMPLES=FOLDER. */
#define _XOPEN_SOURCE 700
#include <math.h>

#include "base/file.h"
#include "ecgcnn/version.h"
#include "net/model.h"
#include "unit/nets.h"

enum { MAX_CLASSES = 8, MAX_SAMPLE = 8192 };

static ecg_error err;

static const char *sample_path(const char *name)
{
    char inner[512];
    snprintf(inner, sizeof inner, "../golden/format/%s", name);
    return unit_data(inner);
}

/* The input is a formula, so that it cannot get lost. */
static void predict(ecg_model *m, float *probs)
{
    const ecg_shape in = ecg_spec_input(ecg_model_spec(m));
    const size_t n = (size_t)in.h * in.w * in.c;
    float *x = ecg__alloc(n * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i * 37 % 101) / 101.0f;
    ecg_session *s;
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    o.threads = 1;
    ck_ok(ecg_session_new(&s, m, &o, &err), err);
    ecg_session_run(s, x, 1, probs);
    ecg_session_free(s);
    ecg__free(x);
}

/* ---- writing ---- */

static ecg_model *build(const char *text, int with_more)
{
    ecg_spec *spec = unit_spec(text);
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    prep.h = spec->input.h;
    prep.w = spec->input.w;
    prep.color = (ecg_color)spec->input.c;
    prep.mean[0] = 0.25f;
    static float zca[9 * 9];
    if (with_more) {
        prep.profile = ECG_PROFILE_KERAS;
        prep.filter = ECG_FILTER_NEAREST;
        prep.samplewise_center = prep.samplewise_std = 1;
        for (int i = 0; i < 81; i++)
            zca[i] = i % 10 == 0 ? 1.5f : -0.0625f;
        prep.zca = zca;
        prep.zca_n = 9;
    }
    float *w = unit_values(spec->floats, 7), *flat = ecg__calloc(spec->floats, sizeof *flat);
    ck_assert_ptr_nonnull(flat);
    for (uint32_t i = 0; i < spec->slots; i++)
        for (size_t j = spec->slot[i].offset; j < spec->slot[i].offset + spec->slot[i].tensor->count; j++)
            flat[j] = spec->slot[i].tensor->nonnegative ? 0.5f + fabsf(w[j]) : 0.5f * w[j];
    ecg__free(w);
    static const char *const names[] = {"Normal", "Premature Atrial Contraction", "\xc3\x89tat"};
    static const char *const meta[] = {"epochs", "10", "note", "", "seed", "18446744073709551615", NULL};
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &prep, names, 3, meta, flat, false, &err), err);
    ecg_spec_free(spec);
    return m;
}

static void list_sample(const char *dir, const char *name, ecg_model *m)
{
    char path[1200];
    float probs[MAX_CLASSES];
    predict(m, probs);
    snprintf(path, sizeof path, "%s/samples.tsv", dir);
    FILE *f = fopen(path, "a");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "%s-%s.ecgm\t%u", ecg_version(), name, m->classes);
    for (uint32_t i = 0; i < m->classes; i++)
        fprintf(f, "\t%.9g", (double)probs[i]);
    fprintf(f, "\n");
    fclose(f);
}

static void write_sample(const char *dir, const char *name, const char *text, int with_more)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s-%s.ecgm", dir, ecg_version(), name);
    ecg_model *m = build(text, with_more);
    ck_ok(ecg_model_save(m, path, &err), err);
    list_sample(dir, name, m);
    ecg_model_free(m);
}

START_TEST(samples_are_written_where_asked)
{
    const char *dir = getenv("ECG_WRITE_SAMPLES");
    if (!dir)
        dir = unit_tmp("samples");
    ck_assert(mkdir(dir, 0777) == 0 || errno == EEXIST);
    write_sample(dir, "small", "input 4x3x1; conv2d 2 3x3 pad=same relu; flatten; dense 3; softmax", 0);
    /* A picture has 1, 3 or 4 channels. */
    char every[sizeof UNIT_EVERY_LAYER] = UNIT_EVERY_LAYER;
    memcpy(every, "input 14x14x1", 13);
    write_sample(dir, "layers", every, 0);
    write_sample(dir, "standardized", "input 3x3x1; flatten; dense 4 bias=0; batchnorm; dense 3; softmax", 1);
    /* One that ecg-train has put there. */
    char path[1200];
    ecg_model *m;
    snprintf(path, sizeof path, "%s/%s-trained.ecgm", dir, ecg_version());
    if (ecg_model_load(&m, path, NULL, &err) == ECG_OK)
        list_sample(dir, "trained", m);
    ecg_model_free(m);
}
END_TEST

/* ---- reading ---- */

START_TEST(samples_of_every_version_load)
{
    FILE *f = fopen(sample_path("samples.tsv"), "r");
    ck_assert_ptr_nonnull(f);
    char line[1024], name[128];
    int samples = 0, at, more;
    for (unsigned classes; fgets(line, sizeof line, f); samples++) {
        ck_assert_int_eq(sscanf(line, "%127s %u%n", name, &classes, &at), 2);
        ecg_model *m;
        const char *path = sample_path(name);
        ck_ok(ecg_model_load(&m, path, NULL, &err), err);
        ck_assert_uint_eq(ecg_model_classes(m), classes);
        ck_assert_uint_le(classes, MAX_CLASSES);
        float probs[MAX_CLASSES], want;
        predict(m, probs);
        for (unsigned i = 0; i < classes; i++, at += more) {
            ck_assert_int_eq(sscanf(line + at, "%f%n", &want, &more), 1);
            ck_assert_msg(fabsf(probs[i] - want) < 1e-5f, "%s: class %u: %.9g, was %.9g", name, i,
                          (double)probs[i], (double)want);
        }
        /* What they hold is written again to the byte. */
        unsigned char *old, *now;
        size_t old_n, now_n;
        const char *again = unit_tmp("again.ecgm");
        ck_ok(ecg_model_save(m, again, &err), err);
        ck_ok(ecg__file_read(&old, &old_n, path, MAX_SAMPLE, &err), err);
        ck_ok(ecg__file_read(&now, &now_n, again, 1 << 20, &err), err);
        ck_assert_uint_eq(old_n, now_n);
        ck_assert_int_eq(memcmp(old, now, now_n), 0);
        ecg__free(old);
        ecg__free(now);
        ecg_model_free(m);
    }
    fclose(f);
    ck_assert_int_ge(samples, 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("format_samples");
    TCase *t = tcase_create("format_samples");
    tcase_add_test(t, samples_are_written_where_asked);
    tcase_add_test(t, samples_of_every_version_load);
    suite_add_tcase(s, t);
    return unit_run(s);
}
