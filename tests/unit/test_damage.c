/* Model files of at most 8 KiB with every byte changed to every other value, and cut at every length: each is
 * refused, or what is read from it is the same to the bit. With ECG_FULL=1 (tests/run.sh --full) all 255
 * other values of every byte; without it nine under a sanitizer and for the largest file. */
#define _GNU_SOURCE
#include "base/file.h"
#include "base/mem.h"
#include "format/chunk.h"
#include "net/model.h"
#include "unit/nets.h"

enum { MOST = 8192 };

static ecg_error err;

typedef struct bytes {
    unsigned char *p; /* a block of its own, to the byte, on a multiple of 64 */
    size_t n;
} bytes;

static bytes sample(const char *name)
{
    char inner[256];
    unsigned char *p;
    bytes b;
    snprintf(inner, sizeof inner, "../golden/format/%s", name);
    ck_ok(ecg__file_read(&p, &b.n, unit_data(inner), MOST, &err), err);
    ck_assert_int_eq(posix_memalign((void **)&b.p, 64, b.n), 0);
    memcpy(b.p, p, b.n);
    ecg__free(p);
    return b;
}

static bool same_models(const ecg_model *a, const ecg_model *b)
{
    char x[1024], y[1024];
    ecg_spec_print(a->spec, x, sizeof x);
    ecg_spec_print(b->spec, y, sizeof y);
    if (strcmp(x, y) != 0 || a->classes != b->classes || a->metas != b->metas ||
        memcmp(a->weights, b->weights, a->spec->floats * sizeof(float)) != 0)
        return false;
    for (uint32_t i = 0; i < a->classes; i++)
        if (strcmp(a->class_name[i], b->class_name[i]) != 0)
            return false;
    for (size_t i = 0; i < a->metas; i++)
        if (strcmp(a->meta[i].key, b->meta[i].key) != 0 || strcmp(a->meta[i].value, b->meta[i].value) != 0)
            return false;
    ecg_preprocess p = a->prep, q = b->prep;
    p.zca = q.zca = NULL;
    return memcmp(&p, &q, sizeof p) == 0 && a->prep.zca_n == b->prep.zca_n &&
           (!a->prep.zca ||
            memcmp(a->prep.zca, b->prep.zca, (size_t)a->prep.zca_n * a->prep.zca_n * sizeof(float)) == 0);
}

typedef struct count {
    size_t refused, harmless;
} count;

static void judge(count *n, bytes b, const ecg_model *whole, uint32_t in_place, size_t at)
{
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.in_place = in_place;
    ecg_model *m;
    err.message[0] = '\0';
    const ecg_status s = ecg_model_load_memory(&m, b.p, b.n, &o, &err);
    if (s == ECG_OK) {
        ck_assert_msg(same_models(m, whole), "byte %zu: another model is read without a word", at);
        n->harmless++;
        ecg_model_free(m);
        return;
    }
    ck_assert_ptr_null(m);
    ck_assert_msg(err.status == s && err.message[0] != '\0', "byte %zu: refused without a word", at);
    n->refused++;
}

static void every_byte(const char *name)
{
    static const unsigned char few[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    bytes b = sample(name);
    const bool all = getenv("ECG_FULL") || (!UNIT_SANITIZED && b.n < 4096);
    const size_t values = all ? 255 : sizeof few;
    ecg_model *whole;
    count n = {0, 0};
    ck_ok(ecg_model_load_memory(&whole, b.p, b.n, NULL, &err), err);
    for (size_t i = 0; i < b.n; i++) {
        const unsigned char byte = b.p[i];
        for (size_t k = 0; k < values; k++) {
            b.p[i] = (unsigned char)(byte ^ (all ? k + 1 : few[k]));
            judge(&n, b, whole, (uint32_t)(i + k) & 1, i);
        }
        b.p[i] = byte;
    }
    ck_assert_uint_eq(n.refused + n.harmless, b.n * values);
    ck_assert_uint_eq(n.harmless, 0); /* as the format is: no byte of it is without meaning */
    judge(&n, b, whole, 1, b.n);
    ck_assert_uint_eq(n.harmless, 1);
    ecg_model_free(whole);
    free(b.p);
}

static void every_cut(const char *name)
{
    bytes b = sample(name);
    ecg_model *whole;
    count n = {0, 0};
    ck_ok(ecg_model_load_memory(&whole, b.p, b.n, NULL, &err), err);
    for (size_t cut = 0; cut < b.n; cut++) {
        bytes part = {NULL, cut};
        ck_assert_int_eq(posix_memalign((void **)&part.p, 64, cut ? cut : 1), 0);
        memcpy(part.p, b.p, cut);
        judge(&n, part, whole, (uint32_t)cut & 1, cut);
        free(part.p);
    }
    ck_assert_uint_eq(n.refused, b.n);
    ecg_model_free(whole);
    free(b.p);
}

static const char *const names[] = {"0.1.0-small.ecgm", "0.1.0-layers.ecgm", "0.1.0-standardized.ecgm",
                                    "0.1.0-trained.ecgm"};

START_TEST(every_byte_changed)
{
    every_byte(names[_i]);
}
END_TEST

START_TEST(cut_at_every_length)
{
    every_cut(names[_i]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("damage");
    TCase *t = tcase_create("damage");
    tcase_set_timeout(t, 1200);
    tcase_add_loop_test(t, every_byte_changed, 0, 4);
    tcase_add_loop_test(t, cut_at_every_length, 0, 4);
    suite_add_tcase(s, t);
    return unit_run(s);
}
