#include "model/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"

static const char *const names[CHAIN_KINDS] = {
    "conv2d",         "dense",     "flatten", "maxpool", "avgpool", "global_avgpool",
    "global_maxpool", "batchnorm", "dropout", "relu",    "elu",     "leaky_relu",
    "sigmoid",        "tanh",      "gelu",    "silu",    "softmax"};

chain_kind chain_kind_of(const char *name)
{
    for (int k = 0; k < CHAIN_KINDS; k++)
        if (strcmp(names[k], name) == 0)
            return (chain_kind)k;
    return CHAIN_KINDS;
}

bool chain_elementwise(chain_kind kind)
{
    return kind >= CHAIN_DROPOUT && kind <= CHAIN_SILU;
}

/* ---- attributes, from their canonical text ---- */

/* The word `name=...`, or with name NULL the positional word number `at`, as it is in text; "" if absent. */
static void word_of(const char *text, const char *name, int at, char *out, size_t cap)
{
    const size_t n = name ? strlen(name) : 0;
    out[0] = '\0';
    while (*text) {
        const size_t len = strcspn(text, " ");
        const char *equals = memchr(text, '=', len);
        const char *from = NULL;
        if (name && equals == text + n && memcmp(text, name, n) == 0)
            from = equals + 1;
        else if (!name && !equals && at-- == 0)
            from = text;
        if (from) {
            snprintf(out, cap, "%.*s", (int)(text + len - from), from);
            return;
        }
        text += len + (text[len] == ' ');
    }
}

static float number(const char *text, const char *name, float fallback)
{
    char word[64];
    word_of(text, name, 0, word, sizeof word);
    return word[0] ? strtof(word, NULL) : fallback;
}

static void pair(const char *text, const char *name, int at, uint32_t fallback, uint32_t *h, uint32_t *w)
{
    char word[64], *end;
    word_of(text, name, at, word, sizeof word);
    *h = *w = fallback;
    if (!word[0])
        return;
    *h = (uint32_t)strtoul(word, &end, 10);
    *w = *end == 'x' ? (uint32_t)strtoul(end + 1, NULL, 10) : *h;
}

static void padding(const char *text, chain_layer *l)
{
    char word[64], *at = word;
    word_of(text, "pad", 0, word, sizeof word);
    if (strcmp(word, "same") == 0) {
        chain_same(l->in.h, l->kh, l->sh, l->dh, &l->top, &l->bottom);
        chain_same(l->in.w, l->kw, l->sw, l->dw, &l->left, &l->right);
    } else if (strchr(word, 'x')) {
        pair(text, "pad", 0, 0, &l->top, &l->left);
        l->bottom = l->top;
        l->right = l->left;
    } else if (strchr(word, ',')) { /* top,bottom,left,right */
        uint32_t *const to[4] = {&l->top, &l->bottom, &l->left, &l->right};
        for (int i = 0; i < 4; i++, at += *at == ',')
            *to[i] = (uint32_t)strtoul(at, &at, 10);
    }
}

static void attributes(const char *text, chain_layer *l)
{
    switch (l->kind) {
    case CHAIN_CONV2D:
        pair(text, NULL, 1, 1, &l->kh, &l->kw);
        pair(text, "stride", 0, 1, &l->sh, &l->sw);
        pair(text, "dilation", 0, 1, &l->dh, &l->dw);
        padding(text, l);
        break;
    case CHAIN_MAXPOOL:
    case CHAIN_AVGPOOL:
        pair(text, NULL, 0, 2, &l->kh, &l->kw);
        pair(text, "stride", 0, 0, &l->sh, &l->sw);
        l->sh = l->sh ? l->sh : l->kh;
        l->sw = l->sw ? l->sw : l->kw;
        l->dh = l->dw = 1;
        padding(text, l);
        break;
    case CHAIN_BATCHNORM:
        l->eps = number(text, "eps", 0.001f);
        l->momentum = number(text, "momentum", 0.99f);
        break;
    case CHAIN_ELU:
        l->value = number(text, NULL, 1.0f);
        break;
    case CHAIN_LEAKY_RELU:
        l->value = number(text, NULL, 0.3f);
        break;
    case CHAIN_DROPOUT:
        l->value = number(text, NULL, 0.0f);
        break;
    default:
        break;
    }
}

/* ---- a model's layers ---- */

/* Tensor `name` of layer i, counted from 1; NULL: it has none of that name and size. */
static const float *tensor_of(const ecg_model *m, uint32_t i, const char *layer, const char *name,
                              size_t count)
{
    char want[64];
    const char *is;
    size_t n;
    const float *values;
    snprintf(want, sizeof want, "%u.%s.%s", i, layer, name);
    for (size_t t = 0; (values = ecg_model_tensor(m, t, &is, &n)); t++)
        if (strcmp(is, want) == 0)
            return n == count ? values : NULL;
    return NULL;
}

static bool tensors(const ecg_model *m, uint32_t i, chain_layer *l)
{
    const size_t c = l->in.c, out = l->out.c;
    switch (l->kind) {
    case CHAIN_CONV2D:
        l->bias = tensor_of(m, i, l->name, "bias", out);
        l->kernel = tensor_of(m, i, l->name, "kernel", (size_t)l->kh * l->kw * c * out);
        return l->kernel;
    case CHAIN_DENSE:
        l->bias = tensor_of(m, i, l->name, "bias", out);
        l->kernel = tensor_of(m, i, l->name, "kernel", chain_count(l->in) * out);
        return l->kernel;
    case CHAIN_BATCHNORM:
        l->gamma = tensor_of(m, i, l->name, "gamma", c);
        l->beta = tensor_of(m, i, l->name, "beta", c);
        l->mean = tensor_of(m, i, l->name, "mean", c);
        l->variance = tensor_of(m, i, l->name, "variance", c);
        return l->gamma && l->beta && l->mean && l->variance;
    default:
        return true;
    }
}

int chain_open(chain *out, const ecg_model *m)
{
    const ecg_spec *s = ecg_model_spec(m);
    *out = (chain){m, ecg_spec_layers(s), NULL};
    out->layer = calloc(out->layers, sizeof *out->layer);
    if (!out->layer)
        return tool_fail("out of memory");
    ecg_shape in = ecg_spec_input(s);
    for (uint32_t i = 0; i < out->layers; i++) {
        char text[512];
        chain_layer *l = &out->layer[i];
        const ecg_layer_info info = ecg_spec_layer(s, i);
        *l = (chain_layer){.kind = chain_kind_of(info.name), .name = info.name, .in = in, .out = info.out};
        if (l->kind == CHAIN_KINDS || ecg_spec_layer_text(s, i, text, sizeof text) >= sizeof text) {
            chain_free(out);
            return tool_fail("layer %u, %s, cannot be exported", i + 1, info.name);
        }
        attributes(text, l);
        if (!tensors(m, i + 1, l)) {
            chain_free(out);
            return tool_fail("layer %u, %s: its weights are not as expected", i + 1, info.name);
        }
        in = l->out;
    }
    return EXIT_DONE;
}

void chain_free(chain *c)
{
    free(c->layer);
    *c = (chain){0};
}

size_t chain_weights(const chain *c)
{
    size_t n = 0;
    for (uint32_t i = 0; i < c->layers; i++) {
        const chain_layer *l = &c->layer[i];
        if (l->kind == CHAIN_CONV2D)
            n += (size_t)l->kh * l->kw * l->in.c * l->out.c;
        else if (l->kind == CHAIN_DENSE)
            n += chain_count(l->in) * l->out.c;
        n += l->bias ? l->out.c : 0;
        n += l->gamma ? 4 * (size_t)l->in.c : 0;
    }
    return n;
}
