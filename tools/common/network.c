#include "common/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "common/text.h"

enum { MOST_TEXT = 65536, USUAL_SIDE = 64 };

static const char *preset_text(const char *net)
{
    const char *name, *help, *text;
    for (size_t i = 0; (text = ecg_preset(i, &name, &help)) != NULL; i++)
        if (strcmp(name, net) == 0)
            return text;
    return NULL;
}

const char *network_name(const char *net)
{
    return preset_text(net) ? net : "custom";
}

const char *network_help(void)
{
    static char text[8192];
    const char *name, *help;
    size_t at = (size_t)snprintf(text, sizeof text, "Networks for --net:");
    for (size_t i = 0; ecg_preset(i, &name, &help) && at < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "\n  %s: %s", name, help);
    if (at < sizeof text)
        at += (size_t)snprintf(text + at, sizeof text - at, "\n\nLayers in the text of a network:");
    for (size_t i = 0; (name = ecg_layer_kind(i, &help)) != NULL && at < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "\n  %s: %s", name, help);
    return text;
}

/* Does the text say what it reads? Its first item would. */
static int has_input(const char *text)
{
    for (;;) {
        text += strspn(text, " \t\r\n;");
        if (*text != '#')
            break;
        text += strcspn(text, "\n");
    }
    return strncmp(text, "input", 5) == 0 && strchr(" \t", text[5]) != NULL && text[5] != '\0';
}

static char *read_text(const char *path)
{
    char *text = malloc(MOST_TEXT + 1);
    if (!text) {
        tool_fail("%s: out of memory", path);
        return NULL;
    }
    errno = 0;
    FILE *f = fopen(path, "rb");
    const size_t n = f ? fread(text, 1, MOST_TEXT, f) : 0;
    const int bad = !f || ferror(f), more = !bad && fgetc(f) != EOF;
    const int why = errno;
    if (f)
        fclose(f);
    text[n] = '\0';
    if (bad)
        tool_fail("%s: %s", path, strerror(why));
    else if (more || strlen(text) != n)
        tool_fail("%s: no network: expected text of at most %d bytes", path, MOST_TEXT);
    else
        return text;
    free(text);
    return NULL;
}

int network_read(ecg_spec **out, const char *net, uint32_t h, uint32_t w, uint32_t channels, uint32_t classes)
{
    ecg_error err = {0};
    char *file = NULL;
    *out = NULL;
    if (net[0] == '@' && (file = read_text(net + 1)) == NULL)
        return EXIT_FAILED;
    const char *preset = preset_text(net), *text = file ? file : preset ? preset : net;
    ecg_shape input = {h, w, channels};
    if (!has_input(text)) {
        input.h = h ? h : USUAL_SIDE;
        input.w = w ? w : USUAL_SIDE;
        input.c = channels ? channels : 1;
    }
    const ecg_status s = ecg_spec_parse(out, file ? file : net, &input, classes, &err);
    free(file);
    if (s != ECG_OK)
        return tool_fail("--net: %s", err.message[0] ? err.message : ecg_status_text(s));
    return EXIT_DONE;
}

/* Calls a function of snprintf's rules twice. NULL: out of memory. */
static char *layer_text(const ecg_spec *s, uint32_t i)
{
    const size_t n = ecg_spec_layer_text(s, i, NULL, 0) + 1;
    char *text = malloc(n);
    if (text)
        ecg_spec_layer_text(s, i, text, n);
    return text;
}

static void shape_cell(text_table *t, ecg_shape s)
{
    if (s.h == 1 && s.w == 1)
        text_cell(t, "%u", s.c);
    else
        text_cell(t, "%ux%ux%u", s.h, s.w, s.c);
}

void network_print(const ecg_spec *s, FILE *f)
{
    text_table t = {.align = "rllrr"};
    uint64_t state = 0, macs = 0;
    text_cell(&t, "#");
    text_cell(&t, "layer");
    text_cell(&t, "output");
    text_cell(&t, "parameters");
    text_cell(&t, "multiply-adds");
    text_cell(&t, "0");
    text_cell(&t, "input");
    shape_cell(&t, ecg_spec_input(s));
    text_cell(&t, "0");
    text_cell(&t, "0");
    for (uint32_t i = 0; i < ecg_spec_layers(s); i++) {
        const ecg_layer_info info = ecg_spec_layer(s, i);
        char *attributes = layer_text(s, i);
        state += info.state;
        macs += info.macs;
        text_cell(&t, "%u", i + 1);
        text_cell(&t, "%s%s%.40s", info.name, attributes && *attributes ? " " : "",
                  attributes ? attributes : "");
        shape_cell(&t, info.out);
        text_cell(&t, "%llu", (unsigned long long)(info.params + info.state));
        text_cell(&t, "%llu", (unsigned long long)info.macs);
        free(attributes);
    }
    text_table_print(&t, f, 0);
    const uint64_t params = ecg_spec_params(s);
    fprintf(f, "%llu parameters to train (%.1f MB)", (unsigned long long)params, 4e-6 * (double)params);
    if (state)
        fprintf(f, ", %llu not trained", (unsigned long long)state);
    fprintf(f, "\n%.4g million multiply-adds a picture\n", 1e-6 * (double)macs);
}

static void print_shape(ecg_shape s, FILE *f)
{
    fprintf(f, "[%u,%u,%u]", s.h, s.w, s.c);
}

void network_json(const ecg_spec *s, FILE *f)
{
    uint64_t state = 0, macs = 0;
    fputs("{\"input\":", f);
    print_shape(ecg_spec_input(s), f);
    fputs(",\"layers\":[", f);
    for (uint32_t i = 0; i < ecg_spec_layers(s); i++) {
        const ecg_layer_info info = ecg_spec_layer(s, i);
        char *attributes = layer_text(s, i);
        state += info.state;
        macs += info.macs;
        fprintf(f, "%s{\"name\":", i ? "," : "");
        text_json_string(f, info.name);
        fputs(",\"text\":", f);
        text_json_string(f, attributes ? attributes : "");
        fputs(",\"output\":", f);
        print_shape(info.out, f);
        fprintf(f, ",\"params\":%llu,\"state\":%llu,\"macs\":%llu}", (unsigned long long)info.params,
                (unsigned long long)info.state, (unsigned long long)info.macs);
        free(attributes);
    }
    fprintf(f, "],\"outputs\":%u,\"params\":%llu,\"state\":%llu,\"macs\":%llu}\n", ecg_spec_outputs(s),
            (unsigned long long)ecg_spec_params(s), (unsigned long long)state, (unsigned long long)macs);
}
