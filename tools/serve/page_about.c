/* The model: where it comes from, how it answers, what it cannot do. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/html.h"
#include "ecgcnn/version.h"
#include "serve/page_put.h"

static void open_fact(FILE *f, const char *name)
{
    fputs("<div><dt>", f);
    html_text(f, name);
    fputs("</dt><dd>", f);
}

static void close_fact(FILE *f)
{
    fputs("</dd></div>\n", f);
}

static void put_file(FILE *f, const serve_info *info)
{
    const ecg_model *m = info->model;
    const ecg_preprocess *p = ecg_model_preprocess(m);
    char when[64] = "";
    struct tm tm;
    fputs("<dl class=\"facts wide\">\n", f);
    open_fact(f, "Model");
    html_name(f, info->name);
    close_fact(f);
    if (info->sha256) {
        open_fact(f, "SHA-256 of the file");
        fputs("<code>", f);
        html_text(f, info->sha256);
        fputs("</code>", f);
        close_fact(f);
    }
    open_fact(f, "Loaded");
    if (gmtime_r(&info->loaded, &tm) && strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm))
        html_text(f, when);
    close_fact(f);
    open_fact(f, "Classes");
    fprintf(f, "<a href=\"/classes\">%u</a>", ecg_model_classes(m));
    close_fact(f);
    open_fact(f, "Reads pictures as");
    html_printf(f, "%u × %u pixels, %s", p->w, p->h, ecg_color_name(p->color));
    close_fact(f);
    open_fact(f, "Trained numbers");
    fprintf(f, "%llu in %u layers", (unsigned long long)ecg_spec_params(ecg_model_spec(m)),
            ecg_spec_layers(ecg_model_spec(m)));
    close_fact(f);
    open_fact(f, "Server");
    html_printf(f, "ecg-serve of libecgcnn %s", ecg_version());
    close_fact(f);
    fputs("</dl>\n", f);
}

static void put_network(FILE *f, const ecg_spec *spec)
{
    const size_t n = ecg_spec_print(spec, NULL, 0);
    char *text = malloc(n + 1);
    if (!text)
        return;
    ecg_spec_print(spec, text, n + 1);
    fputs("<h3>Network</h3>\n<p><code>", f);
    html_text(f, text);
    fputs("</code></p>\n", f);
    free(text);
}

static void put_rule(FILE *f, const ecg_model *m)
{
    const ecg_rule *r = ecg_model_rule(m);
    fputs("<h2>How it answers</h2>\n<p>Each picture gets a probability for every class; they add up to "
          "100&#8239;%. ",
          f);
    if (r->threshold > 0.0f) {
        fputs("If the largest is below ", f);
        page_percent(f, (double)r->threshold);
        fputs(", the answer is <em>uncertain</em>. ", f);
    } else {
        fputs("This model has no threshold: it never says that it is uncertain. ", f);
    }
    if (ecg_model_gate(m))
        fputs("A picture that differs too much from those it was made from is <em>not a heartbeat "
              "picture</em>.",
              f);
    else
        fputs("It has not learned what is no heartbeat picture at all, and answers whatever it is shown.", f);
    fputs("</p>\n", f);
    if (r->pictures)
        fprintf(f, "<p>Its probabilities were adjusted on %u pictures%s (temperature %.3g).</p>\n",
                r->pictures, r->apart ? " of patients who did not train it" : "", (double)r->temperature);
}

static void put_meta(FILE *f, const ecg_model *m)
{
    const char *key, *value;
    if (!ecg_model_meta_at(m, 0, &key, &value)) {
        fputs("<p>The file does not say.</p>\n", f);
        return;
    }
    fputs("<dl class=\"facts wide\">\n", f);
    for (size_t i = 0; ecg_model_meta_at(m, i, &key, &value); i++) {
        open_fact(f, key);
        html_text(f, value);
        close_fact(f);
    }
    fputs("</dl>\n", f);
}

static void body(FILE *f, const page_site *s, const void *with)
{
    const serve_info *info = s->info;
    (void)with;
    fputs("<div class=\"prose\">\n<h1>About the model</h1>\n<p class=\"lead\">Every answer of this "
          "server comes from one file.</p>\n",
          f);
    put_file(f, info);
    put_rule(f, info->model);
    fputs(
        "<h2>What it cannot do</h2>\n<ul class=\"limits\">\n"
        "<li>It sees a picture of one beat in one lead. An ECG has twelve leads and a rhythm, and a patient "
        "has a story.</li>\n"
        "<li>It knows the classes it was taught and no other, and answers one of them even for a beat of "
        "another kind.</li>\n"
        "<li>It works best on pictures drawn like those it was trained on. A photo of a paper strip is "
        "another thing.</li>\n"
        "<li>A probability is the model’s own estimate. It can be sure and wrong.</li>\n"
        "<li>A heatmap shows what the answer depends on. It does not show what is medically important.</li>\n"
        "</ul>\n<h2>Where it comes from</h2>\n",
        f);
    put_meta(f, info->model);
    put_network(f, ecg_model_spec(info->model));
    if (info->card) {
        fputs("<h2 id=\"card-0\">Model card</h2>\n<div class=\"card-text\">\n", f);
        page_card(f, info->card);
        fputs("</div>\n", f);
    }
    fputs("<h2>For programs</h2>\n<p>The same answers by HTTP: <a href=\"/api/v1/openapi.json\">description "
          "of the API</a>, "
          "<a href=\"/api/v1/model\">this model as JSON</a>.</p>\n</div>\n",
          f);
}

void page_about(FILE *f, const page_site *s)
{
    page_write(f, s, "About the model", PAGE_ABOUT, body, NULL);
}
