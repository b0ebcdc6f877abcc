/* The pages of ecg-serve without a server: escaping, well-formed HTML, explanations, examples, samples. */
#define _POSIX_C_SOURCE 200809L
#include "serve/page.h"

#include <ctype.h>
#include <math.h>

#include "base/mem.h"
#include "cli/prints.h"
#include "ecgcnn/beats.h"
#include "net/model.h"
#include "net/spec.h"
#include "serve/page_put.h"

/* What a page must never hold as it is. */
#define EVIL "\"><script>alert('x')</script>&{{main}}<b"

static const char *const evil[] = {EVIL, "A b", "a-B", "\xd8\xb1 \xff\x01", "N", "L", "../..", "--2", "=1+1"};
enum { EVILS = sizeof evil / sizeof *evil };

static ecg_model *make_model(const char *const *names, uint32_t n, const char *recipe)
{
    ecg_error e = {0};
    ecg_spec *spec;
    ecg_shape input = {16, 24, recipe ? 3 : 1};
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    const char *meta[] = {"tool", EVIL, recipe ? "recipe" : NULL, recipe, NULL};
    ck_ok(ecg_spec_parse(&spec, "flatten; dense 3; softmax", &input, n, &e), e);
    float *w = ecg__calloc(spec->floats, sizeof *w);
    p.h = 16;
    p.w = 24;
    p.color = recipe ? ECG_COLOR_RGB : ECG_COLOR_GRAY;
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &p, names, n, meta, w, false, &e), e);
    ecg_spec_free(spec);
    return m;
}

static ecg_model *make_set(const char *name)
{
    ecg_error e = {0};
    ecg_beat_set *set;
    const char *names[64];
    ck_ok(ecg_beat_set_load(&set, name, &e), e);
    const uint32_t n = ecg_beat_set_classes(set);
    for (uint32_t i = 0; i < n; i++)
        names[i] = ecg_beat_set_class(set, i);
    ecg_model *m = make_model(names, n, NULL);
    ecg_beat_set_free(set);
    return m;
}

/* ---- A small checker of HTML ---- */
static int is_void(const char *tag)
{
    static const char *const tags[] = {"meta", "link", "img", "input", "br", "!doctype", "rect", "path"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strcmp(tag, tags[i]) == 0)
            return 1;
    return 0;
}

static const char *attributes(const char *p, int *closed)
{
    *closed = 0;
    for (;;) {
        while (isspace((unsigned char)*p))
            p++;
        if (*p == '>')
            return p + 1;
        if (p[0] == '/' && p[1] == '>') {
            *closed = 1;
            return p + 2;
        }
        const size_t name = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
        ck_assert_msg(name > 0, "no attribute: %.60s", p);
        ck_assert_msg(strncmp(p, "on", 2) != 0 && strncmp(p, "style", 5) != 0, "inline: %.60s", p);
        p += name;
        if (*p != '=')
            continue;
        ck_assert_msg(p[1] == '"', "not quoted: %.60s", p);
        p += 2 + strcspn(p + 2, "\"<");
        ck_assert_msg(*p == '"', "a value without end, or with <: %.60s", p);
        p++;
        ck_assert_msg(isspace((unsigned char)*p) || *p == '>' || *p == '/', "after a value: %.60s", p);
    }
}

static void check_html(const char *text)
{
    char open[64][16];
    size_t depth = 0;
    ck_assert_int_eq(strncmp(text, "<!DOCTYPE html>\n", 16), 0);
    ck_assert_ptr_nonnull(strstr(text, "Not a medical device"));
    ck_assert_ptr_null(strstr(text, "alert('x')"));
    for (const char *p = text; *p;) {
        ck_assert_msg((unsigned char)*p >= 0x20 || *p == '\n', "control character: %.20s", p);
        if (*p == '&') {
            const size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz#0123456789");
            ck_assert_msg(n > 0 && p[n + 1] == ';', "a bare &: %.40s", p);
        }
        if (*p != '<') {
            ck_assert_msg(strncmp(p, "{{", 2) != 0 || strncmp(p, "{{main}}&lt;b", 13) == 0,
                          "a placeholder: %.40s", p);
            p++;
            continue;
        }
        const int end = p[1] == '/';
        char tag[16] = "";
        int closed;
        p += 1 + end;
        const size_t n = strspn(p, "!abcdefghijklmnopqrstuvwxyzDOCTYPE0123456789");
        ck_assert_msg(n > 0 && n < sizeof tag, "no tag: <%.40s", p);
        for (size_t i = 0; i < n; i++)
            tag[i] = (char)tolower((unsigned char)p[i]);
        p = attributes(p + n, &closed);
        if (end) {
            ck_assert_msg(depth && strcmp(open[depth - 1], tag) == 0, "</%s> ends <%s>", tag,
                          depth ? open[depth - 1] : "");
            depth--;
        } else if (!closed && !is_void(tag)) {
            ck_assert_uint_lt(depth, 64);
            memcpy(open[depth++], tag, sizeof tag);
        }
    }
    ck_assert_uint_eq(depth, 0);
}

/* ---- Pages as text ---- */
static page_file read_web(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, WEB "/%s", name);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    char *data = calloc(1, 1 << 16);
    const size_t n = fread(data, 1, (1 << 16) - 1, f);
    fclose(f);
    return (page_file){data, n};
}

static page_site site;
static serve_info info;

static void open_site(ecg_model *m)
{
    ecg_error e = {0};
    samples *s;
    ck_ok(samples_make(&s, m, &e), e);
    info = (serve_info){.model = m,
                        .name = EVIL ".ecgm",
                        .sha256 = "0123456789abcdef",
                        .card = "# " EVIL "\nline",
                        .loaded = 1,
                        .max_upload = 16 << 20,
                        .max_pictures = 8};
    site = (page_site){&info, s, read_web("page.html"), read_web("index.html")};
}

static void close_site(void)
{
    samples *s = NULL;
    memcpy(&s, &site.samples, sizeof s); /* ours, although pages see it const */
    samples_free(s);
    char *a = NULL;
    memcpy(&a, &site.shell.text, sizeof a);
    free(a);
    memcpy(&a, &site.home.text, sizeof a);
    free(a);
    ecg_model_free(info.model);
}

static void end(FILE *f)
{
    ck_assert_int_eq(fclose(f), 0);
    check_html(printed);
}

static void all_pages(ecg_model *m)
{
    char slug[CLASS_SLUG];
    open_site(m);
    FILE *f = begin();
    page_home(f, &site);
    end(f);
    ck_assert_ptr_nonnull(strstr(printed, "id=\"file\""));
    ck_assert_ptr_nonnull(strstr(printed, "/samples/rings--0.png"));
    f = begin();
    page_about(f, &site);
    end(f);
    ck_assert_ptr_nonnull(strstr(printed, "0123456789abcdef"));
    f = begin();
    page_classes(f, &site);
    end(f);
    for (uint32_t i = 0; i < ecg_model_classes(m); i++) {
        class_slug(slug, m, i);
        ck_assert_msg(strstr(printed, slug) != NULL, "%s is not listed", slug);
    }
    for (uint32_t i = 0; i < ecg_model_classes(m); i++) {
        class_slug(slug, m, i);
        f = begin();
        ck_assert_int_eq(page_class(f, &site, slug), 1);
        end(f);
        const class_text *t = class_text_at(m, i);
        ck_assert_int_eq(strstr(printed, "<figure class=\"example\">") != NULL, t->strip != NULL);
        ck_assert_ptr_nonnull(strstr(printed, "<h2>When it matters</h2>"));
    }
    f = begin();
    ck_assert_int_eq(page_class(f, &site, "nothing-of-the-kind"), 0);
    fclose(f);
    ck_assert_uint_eq(printed_size, 0);
    f = begin();
    page_problem(f, &site, 404, EVIL, EVIL);
    end(f);
    close_site();
}

START_TEST(pages_of_sets)
{
    for (size_t i = 0; ecg_beat_set_name(i); i++)
        all_pages(make_set(ecg_beat_set_name(i)));
}
END_TEST

START_TEST(pages_of_evil)
{
    all_pages(make_model(evil, EVILS, NULL));
}
END_TEST

/* More classes than any list shows. */
START_TEST(pages_of_many)
{
    enum { MANY = 300 };
    static char names[MANY][16];
    const char *list[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "class %u", i);
        list[i] = names[i];
    }
    ecg_model *m = make_model(list, MANY, NULL);
    open_site(m);
    FILE *f = begin();
    page_home(f, &site);
    end(f);
    ck_assert_ptr_nonnull(strstr(printed, "All 300 classes"));
    float probs[MANY];
    for (unsigned i = 0; i < MANY; i++)
        probs[i] = 1.0f / MANY;
    const serve_answer a = {.name = "x", .probs = probs, .probability = probs[0]};
    f = begin();
    page_result(f, &site, &a, 1);
    end(f);
    ck_assert_ptr_nonnull(strstr(printed, "288 more"));
    close_site();
}
END_TEST

START_TEST(results)
{
    static const unsigned char png[] = {0x89, 'P', 'N', 'G'};
    static unsigned char heat[] = {0xfb, 0xff, 0xfe};
    const float probs[EVILS] = {0.75f, 0.2f, 0.05f};
    serve_answer a[5];
    open_site(make_model(evil, EVILS, NULL));
    memset(a, 0, sizeof a);
    for (size_t i = 0; i < 5; i++) {
        snprintf(a[i].name, sizeof a[i].name, "%zu" EVIL ".png", i);
        snprintf(a[i].sha256, sizeof a[i].sha256, "%064d", 7);
        a[i].probs = probs;
        a[i].probability = probs[0];
        a[i].data = png;
        a[i].size = sizeof png;
        a[i].type = "image/png";
        a[i].ms = 1.25;
    }
    a[0].heat_png = heat;
    a[0].heat_size = sizeof heat;
    a[1].decision.answer = ECG_ANSWER_UNCERTAIN;
    a[1].decision.reasons = 1;
    snprintf(a[1].decision.reason[0], sizeof a[1].decision.reason[0], "because " EVIL);
    a[2].decision.answer = ECG_ANSWER_NOT_ECG;
    a[3].status = ECG_EFORMAT;
    snprintf(a[3].error.message, sizeof a[3].error.message, "wrong " EVIL);
    a[4].type = "image/svg+xml";
    a[4].kept = SERVE_NOT_KEPT;
    snprintf(a[4].why, sizeof a[4].why, "full " EVIL);
    FILE *f = begin();
    page_result(f, &site, a, 5);
    end(f);
    ck_assert_ptr_nonnull(strstr(printed, "src=\"data:image/png;base64,iVBORw==\""));
    ck_assert_ptr_nonnull(strstr(printed, "src=\"data:image/png;base64,+//+\""));
    ck_assert_ptr_null(strstr(printed, "svg+xml;"));
    ck_assert_ptr_nonnull(strstr(printed, "<data value=\"0.75\">75.0&#8239;%</data>"));
    ck_assert_ptr_nonnull(strstr(printed, "card uncertain"));
    ck_assert_ptr_nonnull(strstr(printed, "because &quot;"));
    ck_assert_ptr_nonnull(strstr(printed, "Not a heartbeat picture"));
    ck_assert_ptr_nonnull(strstr(printed, "wrong &quot;"));
    ck_assert_ptr_nonnull(strstr(printed, "no: full &quot;"));
    ck_assert_ptr_nonnull(strstr(printed, "<rect width=\"20.00\""));
    close_site();
}
END_TEST

/* ---- Parts ---- */
static int put_word(FILE *f, const char *name, const void *with)
{
    (void)with;
    if (strcmp(name, "a") != 0)
        return 0;
    fputs("<{{a}}>", f); /* is not filled in again */
    return 1;
}

START_TEST(placeholders)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"{{a}}", "<{{a}}>"},
        {"x{{a}}y{{a}}", "x<{{a}}>y<{{a}}>"},
        {"{{b}}", "{{b}}"},
        {"{{a}", "{{a}"},
        {"{{{a}}", "{<{{a}}>"},
        {"{", "{"},
        {"{{", "{{"},
        {"{{}}", "{{}}"},
        {"{{a }}", "{{a }}"},
        {"{{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}", "{{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *f = begin();
        const size_t n = strlen(cases[i][0]);
        char *exact = malloc(n + 1); /* sanitizers see who reads beyond */
        memcpy(exact, cases[i][0], n);
        page_fill(f, (page_file){exact, n}, put_word, NULL);
        free(exact);
        fclose(f);
        ck_assert_str_eq(printed, cases[i][1]);
    }
}
END_TEST

START_TEST(percents)
{
    static const struct {
        double p;
        const char *want;
    } cases[] = {{0.0, "0.0&#8239;%"},
                 {1.0, "100.0&#8239;%"},
                 {0.5, "50.0&#8239;%"},
                 {1e-9, "&lt;&#8239;0.1&#8239;%"},
                 {0.99999, "&gt;&#8239;99.9&#8239;%"},
                 {0.9734, "97.3&#8239;%"},
                 {0.001, "0.1&#8239;%"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *f = begin();
        page_percent(f, cases[i].p);
        fclose(f);
        ck_assert_msg(strstr(printed, cases[i].want) != NULL, "%s lacks %s", printed, cases[i].want);
    }
}
END_TEST

START_TEST(explanations)
{
    static const char *const alike[][2] = {{"PVC", "Premature Ventricular Contraction"},
                                           {"lbbb", "Left_Bundle  branch block"},
                                           {"/", "Paced"},
                                           {" normal ", "Normal"},
                                           {"E", "Ventricular Escape"}};
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        ck_assert_ptr_eq(class_text_of(alike[i][0]), class_text_of(alike[i][1]));
        ck_assert(class_is_known(class_text_of(alike[i][0])));
    }
    for (size_t k = 0; ecg_beat_set_name(k); k++) {
        ecg_model *m = make_set(ecg_beat_set_name(k));
        for (uint32_t i = 0; i < ecg_model_classes(m); i++) {
            const class_text *t = class_text_at(m, i);
            ck_assert_msg(class_is_known(t), "%s of %s", ecg_model_class(m, i), ecg_beat_set_name(k));
            ck_assert(t->title && t->strip && strlen(t->brief) > 20 && strlen(t->looks) > 60 &&
                      strlen(t->means) > 60 && strlen(t->matters) > 60 && strlen(t->example) > 20);
        }
        ecg_model_free(m);
    }
    ck_assert(!class_is_known(class_text_of("Norma")) && !class_is_known(class_text_of("")) &&
              !class_is_known(class_text_of("|")));
    ck_assert_ptr_nonnull(class_text_of("no such thing")->matters);
    /* The same letter as a group, and as a code beside others. */
    const char *const groups[] = {"F", "N", "Q", "S", "V"}, *const codes[] = {"L", "N", "V"};
    ecg_model *m = make_model(groups, 5, NULL), *c = make_model(codes, 3, NULL);
    ck_assert_ptr_ne(class_text_at(m, 1), class_text_at(c, 1));
    ck_assert_ptr_eq(class_text_at(c, 1), class_text_of("Normal"));
    ck_assert_ptr_eq(class_text_at(c, 2), class_text_of("PVC"));
    ecg_model_free(m);
    ecg_model_free(c);
}
END_TEST

START_TEST(slugs)
{
    ecg_model *m = make_model(evil, EVILS, NULL);
    char slug[EVILS][CLASS_SLUG];
    for (uint32_t i = 0; i < EVILS; i++) {
        class_slug(slug[i], m, i);
        ck_assert_uint_eq(strspn(slug[i], "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(slug[i]));
        ck_assert_uint_gt(strlen(slug[i]), 0);
        ck_assert_uint_eq(class_of_slug(m, slug[i]), i);
        for (uint32_t k = 0; k < i; k++)
            ck_assert_str_ne(slug[i], slug[k]);
    }
    ck_assert_str_eq(slug[1], "a-b");
    ck_assert_str_eq(slug[2], "a-b--3");
    static const char *const none[] = {"",    "a-b--1",  "a-b--2", "a-b--4", "a-b--99999999999999999999",
                                       "A-B", "a-b--3x", "--",     "x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_uint_eq(class_of_slug(m, none[i]), EVILS);
    ecg_model_free(m);
}
END_TEST

START_TEST(cards)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"a\nb\n\nc", "<p>a\nb</p>\n<p>c</p>\n"},
        {"# A\n## B\n#### C\n# D", "<h3 id=\"card-1\">A</h3>\n<h4 id=\"card-2\">B</h4>\n<h5 "
                                   "id=\"card-3\">C</h5>\n<h3 id=\"card-4\">D</h3>\n"},
        {"- a <b>\n- c\\_d &lt;e&amp;",
         "<ul class=\"limits\">\n<li>a &lt;b&gt;</li>\n<li>c_d &lt;e&amp;</li>\n</ul>\n"},
        {"**a** `b**` **c", "<p><strong>a</strong> <code>b**</code> **c</p>\n"},
        {"`a", "<p>`a</p>\n"},
        {"#a\n|b", "<p>#a\n|b</p>\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *f = begin();
        page_card(f, cases[i][0]);
        fclose(f);
        ck_assert_str_eq(printed, cases[i][1]);
    }
    FILE *f = begin();
    page_card(f, "x\n| a | b |\n|---|--:|\n| c\\|d | 1 |\n\ny");
    fclose(f);
    ck_assert_ptr_nonnull(strstr(printed, "<th scope=\"col\" class=\"num\">b</th>"));
    ck_assert_ptr_nonnull(strstr(
        printed, "<th scope=\"row\">c|d</th><td class=\"num\">1</td></tr>\n</tbody></table></div>\n<p>y"));
    /* Whatever is in it, the page stays whole. */
    static const char *const words[] = {"**",
                                        "`",
                                        "|",
                                        "|---|",
                                        "\n",
                                        "\n\n",
                                        "#",
                                        "# ",
                                        "- ",
                                        "\\",
                                        "<script>alert('x')</script>",
                                        "&",
                                        "&lt;",
                                        " ",
                                        "a",
                                        "\xff",
                                        "\"",
                                        "| a |\n|---|\n",
                                        "\t",
                                        "\r"};
    uint32_t seed = 1;
    ecg_model *m = make_model(evil, EVILS, NULL);
    open_site(m);
    for (int round = 0; round < 150; round++) {
        char card[1024] = "";
        for (int i = 0; i < 24; i++) {
            seed = seed * 1664525u + 1013904223u;
            strcat(card, words[(seed >> 16) % (sizeof words / sizeof *words)]);
        }
        info.card = card;
        f = begin();
        page_about(f, &site);
        end(f);
    }
    close_site();
}
END_TEST

/* ---- Strips and samples ---- */
START_TEST(strips)
{
    ecg_error e = {0};
    strip a, b;
    ck_ok(strip_make(&a, 3, 5, "NNVNANEFLR/!!!!", &e), e);
    ck_ok(strip_make(&b, 3, 5, "NNVNANEFLR/!!!!", &e), e);
    ck_assert_uint_eq(a.n, b.n);
    ck_assert_int_eq(memcmp(a.mv, b.mv, a.n * sizeof *a.mv), 0);
    ck_assert_uint_eq(a.beats, 15);
    for (size_t i = 0; i < a.n; i++)
        ck_assert(fabsf(a.mv[i]) < 5.0f);
    for (size_t k = 0; k < a.beats; k++)
        ck_assert(a.at[k] < a.n && (!k || a.at[k] > a.at[k - 1]));
    strip_free(&a);
    strip_free(&b);
    /* Normal beats: R is the highest point and where it is said to be; level line between them. */
    for (uint32_t patient = 0; patient < 20; patient++) {
        ck_ok(strip_make(&a, 8, patient, "NNNN", &e), e);
        for (size_t k = 0; k < a.beats; k++) {
            size_t top = (size_t)a.at[k] - 60;
            for (size_t i = top; i < a.at[k] + 60; i++)
                top = a.mv[i] > a.mv[top] ? i : top;
            ck_assert_uint_le(top > a.at[k] ? top - a.at[k] : a.at[k] - top, 6);
            ck_assert(a.mv[top] > 0.4f && fabsf(a.mv[a.at[k] + 130]) < 0.1f);
        }
        /* No jump anywhere: what is laid side by side fits. */
        for (size_t i = 1; i < a.n; i++)
            ck_assert(fabsf(a.mv[i] - a.mv[i - 1]) < 0.8f);
        strip_free(&a);
        /* An early beat, and its pause. */
        ck_ok(strip_make(&a, 8, patient, "NNVNN", &e), e);
        ck_assert(a.at[2] - a.at[1] < (a.at[1] - a.at[0]) * 3 / 4);
        ck_assert_uint_eq(a.at[3] - a.at[1], 2 * (a.at[1] - a.at[0]));
        strip_free(&a);
    }
    static const char *const wrong[] = {"", "X", "Nn", "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_fails(strip_make(&a, 1, 1, wrong[i], &e), e, ECG_EINVAL, "expected");
    ck_assert_ptr_null(a.mv);
}
END_TEST

static void check_samples(ecg_model *m, uint32_t h, uint32_t w, uint32_t c)
{
    ecg_error e = {0};
    samples *s;
    ck_ok(samples_make(&s, m, &e), e);
    uint32_t known = 0;
    for (uint32_t i = 0; i < ecg_model_classes(m); i++)
        known += class_is_known(class_text_at(m, i)) != 0;
    ck_assert_uint_eq(s->count, known + 1);
    for (size_t i = 0; i < s->count; i++) {
        ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
        ecg_pixels *p;
        o.color = c == 3 ? ECG_COLOR_RGB : ECG_COLOR_GRAY;
        ck_assert_ptr_eq(samples_find(s, s->of[i].slug), &s->of[i]);
        ck_ok(ecg_pixels_decode(&p, s->of[i].png, s->of[i].size, "sample", &o, &e), e);
        const ecg_image v = ecg_pixels_view(p);
        uint8_t low = 255, high = 0;
        for (size_t k = 0; k < (size_t)v.w * v.c; k++)
            for (uint32_t r = 0; r < v.h; r++) {
                const uint8_t px = v.px[r * v.stride + k];
                low = px < low ? px : low;
                high = px > high ? px : high;
            }
        ck_assert(high - low > 100);
        ck_assert(v.w == s->of[i].width && v.h == s->of[i].height);
        if (i + 1 < s->count)
            ck_assert(v.h == h && v.w == w);
        ecg_pixels_free(p);
    }
    ck_assert_ptr_null(samples_find(s, ""));
    ck_assert_ptr_null(samples_find(NULL, "normal"));
    samples_free(s);
    ecg_model_free(m);
}

START_TEST(samples_to_try)
{
    const char *const two[] = {"Normal", "V", "!", "S", "F", "something"};
    check_samples(make_set("ecg7"), 128, 192, 1);
    check_samples(make_set("aami5"), 128, 192, 1);
    check_samples(make_model(two, 6, "rhythm size=40x60"), 40, 60, 3);
    check_samples(make_model(two, 6, "fixed views=beat,second"), 128, 192, 3);
    check_samples(make_model(two + 5, 1, NULL), 0, 0, 1); /* nothing to draw but the rings */
    samples_free(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("page");
    TCase *t = tcase_create("page");
    tcase_add_test(t, pages_of_sets);
    tcase_add_test(t, pages_of_evil);
    tcase_add_test(t, pages_of_many);
    tcase_add_test(t, results);
    tcase_add_test(t, placeholders);
    tcase_add_test(t, percents);
    tcase_add_test(t, explanations);
    tcase_add_test(t, slugs);
    tcase_add_test(t, cards);
    tcase_add_test(t, strips);
    tcase_add_test(t, samples_to_try);
    suite_add_tcase(s, t);
    const int failures = unit_run(s);
    free(printed);
    return failures;
}
