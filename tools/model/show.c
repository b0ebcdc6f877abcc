#define _POSIX_C_SOURCE 200809L
/* ecg-model show: what a model file holds. */
#include <stdlib.h>
#include <string.h>

#include "common/network.h"
#include "common/opts.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/version.h"
#include "model/model.h"

static const char about[] =
    "Prints what a model file or checkpoint holds: the network as a table of layers with shapes, parameters "
    "and multiply-adds, the classes, how a picture becomes numbers, where the model comes from, the parts of "
    "the file with their checksums, and its SHA-256, by which logs name it.";

/* ---- for people ---- */

static void print_file(const char *path, const inspection *i)
{
    const ecg_verify_report *r = &i->report;
    fputs("file        ", stdout);
    inspect_text(path, stdout);
    printf("\n            %llu bytes, format %u.%u\n", (unsigned long long)r->bytes, r->major, r->minor);
    printf("sha256      %s\n", r->sha256);
    if (!r->checkpoint) {
        puts("checkpoint  no");
        return;
    }
    printf("checkpoint  yes: %llu epochs and %llu steps done", (unsigned long long)r->epochs,
           (unsigned long long)r->steps);
    if (r->samples)
        printf(", %llu of %llu pictures of the next epoch", (unsigned long long)r->samples,
               (unsigned long long)r->samples_of_epoch);
    fputc('\n', stdout);
}

static void print_floats(const char *label, const float *v, uint32_t n)
{
    printf(", %s", label);
    for (uint32_t i = 0; i < n; i++)
        printf("%s%.9g", i ? " " : "", (double)v[i]);
}

static void print_preprocess(const ecg_preprocess *p)
{
    printf("\npictures    %ux%u %s, profile %s, filter %s, value = (pixel * %.9g - mean) / deviation", p->w,
           p->h, ecg_color_name(p->color), ecg_profile_name(p->profile), ecg_filter_name(p->filter),
           (double)p->rescale);
    const uint32_t channels = (uint32_t)p->color;
    print_floats("mean ", p->mean, channels);
    print_floats("deviation ", p->deviation, channels);
    if (p->samplewise_center)
        fputs(", own mean subtracted", stdout);
    if (p->samplewise_std)
        fputs(", divided by own deviation", stdout);
    if (p->zca_n)
        printf(", then a matrix of %ux%u", p->zca_n, p->zca_n);
    fputc('\n', stdout);
}

static void print_rule(const ecg_rule *r)
{
    printf("answers     temperature %.9g", (double)r->temperature);
    if (r->threshold > 0.0f)
        printf(", uncertain below %.9g", (double)r->threshold);
    if (r->pictures)
        printf(", fitted on %u pictures%s", r->pictures, r->apart ? " of patients who did not train" : "");
    fputc('\n', stdout);
}

static void print_lists(const ecg_model *m, const inspection *i)
{
    for (uint32_t k = 0; k < ecg_model_classes(m); k++) {
        printf("%s%-4u ", k ? "            " : "classes     ", k);
        inspect_text(ecg_model_class(m, k), stdout);
        fputc('\n', stdout);
    }
    const char *key, *value;
    for (size_t k = 0; ecg_model_meta_at(m, k, &key, &value); k++) {
        fputs(k ? "            " : "made by     ", stdout);
        inspect_text(key, stdout);
        fputs(" = ", stdout);
        inspect_text(value, stdout);
        fputc('\n', stdout);
    }
    text_table t = {.align = "lrrl"};
    text_cell(&t, "chunk");
    text_cell(&t, "at byte");
    text_cell(&t, "bytes");
    text_cell(&t, "CRC-32");
    for (uint32_t k = 0; k < i->chunks; k++) {
        text_cell(&t, "%s", i->chunk[k].tag);
        text_cell(&t, "%llu", (unsigned long long)i->chunk[k].offset);
        text_cell(&t, "%llu", (unsigned long long)i->chunk[k].bytes);
        text_cell(&t, "%08x", i->chunk[k].stored);
    }
    fputc('\n', stdout);
    text_table_print(&t, stdout, 0);
}

/* ---- for machines ---- */

static void json_floats(const char *name, const float *v, uint32_t n)
{
    printf(",\"%s\":[", name);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            fputc(',', stdout);
        text_json_number(stdout, (double)v[i]);
    }
    fputc(']', stdout);
}

/* network_json ends its line: not here. */
static void json_network(const ecg_spec *s)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    if (f) {
        network_json(s, f);
        fclose(f);
    }
    if (text)
        text[strcspn(text, "\n")] = '\0';
    fputs(text ? text : "null", stdout);
    free(text);
}

static void json_model(const ecg_model *m)
{
    const ecg_preprocess *p = ecg_model_preprocess(m);
    const ecg_spec *s = ecg_model_spec(m);
    const size_t n = ecg_spec_print(s, NULL, 0) + 1;
    char *text = malloc(n);
    if (text)
        ecg_spec_print(s, text, n);
    fputs("\"architecture\":", stdout);
    text_json_string(stdout, text ? text : "");
    free(text);
    fputs(",\"network\":", stdout);
    json_network(s);
    fputs(",\"classes\":[", stdout);
    for (uint32_t k = 0; k < ecg_model_classes(m); k++) {
        if (k)
            fputc(',', stdout);
        text_json_string(stdout, ecg_model_class(m, k));
    }
    printf(
        "],\"preprocess\":{\"width\":%u,\"height\":%u,\"color\":\"%s\",\"profile\":\"%s\",\"filter\":\"%s\",",
        p->w, p->h, ecg_color_name(p->color), ecg_profile_name(p->profile), ecg_filter_name(p->filter));
    fputs("\"rescale\":", stdout);
    text_json_number(stdout, (double)p->rescale);
    json_floats("mean", p->mean, (uint32_t)p->color);
    json_floats("deviation", p->deviation, (uint32_t)p->color);
    printf(",\"samplewise_center\":%s,\"samplewise_std\":%s,\"zca\":%u},",
           p->samplewise_center ? "true" : "false", p->samplewise_std ? "true" : "false", p->zca_n);
    const ecg_rule *r = ecg_model_rule(m);
    fputs("\"rule\":{\"temperature\":", stdout);
    text_json_number(stdout, (double)r->temperature);
    fputs(",\"threshold\":", stdout);
    text_json_number(stdout, (double)r->threshold);
    printf(",\"pictures\":%u,\"apart\":%s},\"meta\":{", r->pictures, r->apart ? "true" : "false");
    const char *key, *value;
    for (size_t k = 0; ecg_model_meta_at(m, k, &key, &value); k++) {
        if (k)
            fputc(',', stdout);
        text_json_string(stdout, key);
        fputc(':', stdout);
        text_json_string(stdout, value);
    }
    fputs("},", stdout);
}

static int show(const char *path, const inspection *i, int json)
{
    ecg_model *m;
    ecg_error err = {0};
    const ecg_status s = ecg_model_load(&m, path, NULL, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    if (json) {
        fputs("{\"file\":", stdout);
        text_json_string(stdout, path);
        fputc(',', stdout);
        json_model(m);
        inspect_json(i, stdout);
        fputs("}\n", stdout);
    } else {
        print_file(path, i);
        fputc('\n', stdout);
        network_print(ecg_model_spec(m), stdout);
        print_preprocess(ecg_model_preprocess(m));
        print_rule(ecg_model_rule(m));
        print_lists(m, i);
        printf("\n%s\n", ECG_NOTICE);
    }
    ecg_model_free(m);
    return EXIT_DONE;
}

int model_show(int argc, char **argv)
{
    uint32_t json = 0;
    const opt_row rows[] = {
        {"json", 0, NULL, OPT_FLAG, &json, .help = "print one JSON object"},
    };
    const opt_command command = {"ecg-model show",
                                 "FILE [options]",
                                 about,
                                 rows,
                                 OPT_COUNT(rows),
                                 1,
                                 1,
                                 "A damaged file is an error; 'ecg-model verify' says all that is damaged."};
    int code = opts_parse(&command, &argc, argv);
    if (code != OPTS_GO)
        return code;
    inspection *i = inspect(argv[1]);
    if (!i)
        return tool_fail("%s: out of memory", argv[1]);
    code = i->status == ECG_OK ? show(argv[1], i, (int)json) : tool_error(i->status, &i->err);
    free(i);
    return code;
}
