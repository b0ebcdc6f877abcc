#define _POSIX_C_SOURCE 200809L
/* Architecture text to ecg_spec. Each layer is planned as it is read, so an error names the item it is in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "net/preset.h"
#include "net/spec.h"

/* A piece of the text. */
struct span {
    const char *at;
    size_t n;
};

struct parser {
    ecg_spec *spec;
    uint32_t capacity;
    uint32_t item; /* number of the item being read, from 1 */
    struct span text;
    ecg_shape shape; /* output of the layers so far */
    ecg_error *err;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span s)
{
    while (s.n && is_space(s.at[0]))
        s.at++, s.n--;
    while (s.n && is_space(s.at[s.n - 1]))
        s.n--;
    return s;
}

static bool span_is(struct span s, const char *word)
{
    return strlen(word) == s.n && memcmp(s.at, word, s.n) == 0;
}

/* Take the next word off the front of *rest; n = 0 at the end. */
static struct span next_word(struct span *rest)
{
    *rest = trim(*rest);
    struct span w = {rest->at, 0};
    while (w.n < rest->n && !is_space(rest->at[w.n]))
        w.n++;
    rest->at += w.n;
    rest->n -= w.n;
    return w;
}

/* Take the next item, up to ';' or a line end, with comments cut off; false at the end of the text. */
static bool next_item(struct parser *p, struct span *item)
{
    while (p->text.n) {
        size_t n = 0;
        while (n < p->text.n && p->text.at[n] != ';' && p->text.at[n] != '\n' && p->text.at[n] != '#')
            n++;
        *item = trim((struct span){p->text.at, n});
        if (n < p->text.n && p->text.at[n] == '#')
            while (n < p->text.n && p->text.at[n] != '\n')
                n++;
        if (n < p->text.n)
            n++;
        p->text.at += n;
        p->text.n -= n;
        if (item->n) {
            p->item++;
            return true;
        }
    }
    return false;
}

static ecg_status item_error(struct parser *p, struct span item, ecg_status s)
{
    const int n = item.n > 60 ? 60 : (int)item.n;
    return ecg__context(p->err, s, "network, item %" PRIu32 " \"%.*s\"", p->item, n, item.at);
}

static ecg_status grow(struct parser *p)
{
    ecg_spec *s = p->spec;
    if (s->layers == ECG__MAX_LAYERS)
        return ecg__fail(p->err, ECG_ELIMIT, "more than %d layers", ECG__MAX_LAYERS);
    if (s->layers < p->capacity)
        return ECG_OK;
    const uint32_t capacity = p->capacity ? 2 * p->capacity : 16;
    ecg__layer *layer = ecg__calloc(capacity, sizeof *layer);
    if (!layer)
        return ecg__fail(p->err, ECG_ENOMEM, "out of memory");
    if (s->layers)
        memcpy(layer, s->layer, s->layers * sizeof *layer);
    ecg__free(s->layer);
    s->layer = layer;
    p->capacity = capacity;
    return ECG_OK;
}

/* Open a layer with its defaults; it counts once it is planned. */
static ecg_status begin_layer(struct parser *p, const ecg__layer_ops *ops, ecg__layer **out)
{
    const ecg_status s = grow(p);
    if (s != ECG_OK)
        return s;
    ecg__layer *l = &p->spec->layer[p->spec->layers];
    memset(l, 0, sizeof *l);
    l->ops = ops;
    if (ops->attrs)
        ecg__attr_defaults(ops->attrs, l->attr);
    *out = l;
    return ECG_OK;
}

static ecg_status end_layer(struct parser *p, ecg__layer *l)
{
    const ecg_status s = ecg__layer_plan(l->ops, l->attr, p->shape, &l->plan, p->err);
    if (s != ECG_OK)
        return s;
    p->shape = l->plan.out;
    p->spec->layers++;
    return ECG_OK;
}

static ecg_status parse_attr(struct parser *p, ecg__layer *l, struct span word, uint32_t *positional,
                             uint64_t *given)
{
    const ecg__attr *const table = l->ops->attrs;
    const char *equals = memchr(word.at, '=', word.n);
    struct span name = {word.at, equals ? (size_t)(equals - word.at) : 0}, value = word;
    if (equals)
        value = (struct span){equals + 1, word.n - name.n - 1};
    for (uint32_t i = 0, seen = 0; table && table[i].name; i++) {
        const ecg__attr *a = &table[i];
        if (equals ? !span_is(name, a->name) : !a->positional || seen++ != *positional)
            continue;
        if (*given >> i & 1)
            return ecg__fail(p->err, ECG_EINVAL, "%s given twice", a->name);
        *given |= (uint64_t)1 << i;
        if (!equals)
            ++*positional;
        return ecg__attr_parse(a, l->attr, value.at, value.n, p->err);
    }
    return ecg__fail(p->err, ECG_EINVAL, "%s has no attribute \"%.*s\"", l->ops->name,
                     (int)(equals ? name.n : word.n), word.at);
}

static ecg_status parse_layer(struct parser *p, struct span item)
{
    struct span rest = item;
    const struct span kind = next_word(&rest);
    const ecg__layer_ops *ops = ecg__layer_by_name(kind.at, kind.n);
    if (!ops)
        return ecg__fail(p->err, ECG_EINVAL, "there is no layer \"%.*s\"", (int)kind.n, kind.at);

    ecg__layer *l;
    ecg_status s = begin_layer(p, ops, &l);
    const ecg__layer_ops *activation = NULL;
    uint32_t positional = 0;
    uint64_t given = 0;
    for (struct span w; s == ECG_OK && (w = next_word(&rest)).n;) {
        if (activation)
            return ecg__fail(p->err, ECG_EINVAL, "\"%.*s\" after the activation", (int)w.n, w.at);
        const ecg__layer_ops *a = ecg__layer_by_name(w.at, w.n);
        if (a && a->activation)
            activation = a;
        else
            s = parse_attr(p, l, w, &positional, &given);
    }
    for (uint32_t i = 0; s == ECG_OK && ops->attrs && ops->attrs[i].name; i++)
        if (!ops->attrs[i].fallback && !(given >> i & 1))
            return ecg__fail(p->err, ECG_EINVAL, "%s is missing", ops->attrs[i].name);
    if (s == ECG_OK)
        s = end_layer(p, l);
    if (s != ECG_OK || !activation)
        return s;
    if (p->spec->layer[p->spec->layers - 1].plan.tensors == 0)
        return ecg__fail(p->err, ECG_EINVAL, "%s takes no activation: write it as an item of its own",
                         ops->name);
    s = begin_layer(p, activation, &l);
    return s == ECG_OK ? end_layer(p, l) : s;
}

/* "64x64x1" */
static ecg_status parse_input(struct parser *p, struct span rest)
{
    uint32_t v[3] = {0, 0, 0};
    struct span w = next_word(&rest);
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        const size_t first = at;
        while (at < w.n && at - first < 6 && w.at[at] >= '0' && w.at[at] <= '9')
            v[i] = v[i] * 10 + (uint32_t)(w.at[at++] - '0');
        const char end = at < w.n ? w.at[at] : '\0';
        if (at == first || end != (i < 2 ? 'x' : '\0'))
            return ecg__fail(p->err, ECG_EINVAL, "expected rows x columns x channels, such as 64x64x1");
        at++;
    }
    if (next_word(&rest).n)
        return ecg__fail(p->err, ECG_EINVAL, "expected nothing after the shape");
    p->spec->input = (ecg_shape){v[0], v[1], v[2]};
    return ECG_OK;
}

static ecg_status set_input(struct parser *p, const ecg_shape *want)
{
    ecg_shape *in = &p->spec->input;
    if (want && want->h)
        in->h = want->h;
    if (want && want->w)
        in->w = want->w;
    if (want && want->c)
        in->c = want->c;
    if (in->h < 1 || in->w < 1 || in->c < 1 || in->h > 4096 || in->w > 4096 || in->c > 4)
        return ecg__fail(p->err, ECG_EINVAL,
                         "network: input must be 1x1x1 to 4096x4096x4, got %" PRIu32 "x%" PRIu32 "x%" PRIu32,
                         in->h, in->w, in->c);
    p->shape = *in;
    return ECG_OK;
}

/* Give the last dense layer `classes` units and plan the rest again. */
static ecg_status set_classes(struct parser *p, uint32_t classes)
{
    ecg_spec *s = p->spec;
    uint32_t last = s->layers;
    while (last > 0 && strcmp(s->layer[last - 1].ops->name, "dense") != 0)
        last--;
    if (last == 0)
        return ecg__fail(p->err, ECG_EINVAL, "network: no dense layer whose size could be the classes");
    char number[16];
    const int n = snprintf(number, sizeof number, "%" PRIu32, classes);
    ecg__layer *l = &s->layer[last - 1];
    ecg_status status = ecg__attr_parse(&l->ops->attrs[0], l->attr, number, (size_t)n, p->err);
    p->shape = last > 1 ? s->layer[last - 2].plan.out : s->input;
    for (uint32_t i = last - 1; status == ECG_OK && i < s->layers; i++) {
        l = &s->layer[i];
        status = ecg__layer_plan(l->ops, l->attr, p->shape, &l->plan, p->err);
        p->shape = l->plan.out;
    }
    return status;
}

/* Places in the flat vector: trainable tensors, then state. */
static ecg_status place_tensors(struct parser *p)
{
    ecg_spec *s = p->spec;
    for (uint32_t i = 0; i < s->layers; i++) {
        s->layer[i].origin = i;
        s->layer[i].first_tensor = s->slots;
        s->slots += s->layer[i].plan.tensors;
    }
    s->slot = ecg__calloc(s->slots ? s->slots : 1, sizeof *s->slot);
    if (!s->slot)
        return ecg__fail(p->err, ECG_ENOMEM, "out of memory");
    size_t at = 0;
    for (int state = 0; state < 2; state++) {
        for (uint32_t i = 0; i < s->layers; i++) {
            const ecg__layer *l = &s->layer[i];
            for (uint32_t t = 0; t < l->plan.tensors; t++) {
                const ecg__tensor *tensor = &l->plan.tensor[t];
                if (tensor->trainable == (state == 1))
                    continue;
                ecg__slot *slot = &s->slot[l->first_tensor + t];
                slot->tensor = tensor;
                slot->layer = i;
                slot->offset = at;
                snprintf(slot->name, sizeof slot->name, "%" PRIu32 ".%s.%s", i + 1, l->ops->name,
                         tensor->name);
                if (tensor->count > ((size_t)1 << 40) - at)
                    return ecg__fail(p->err, ECG_ELIMIT, "network: too many parameters at layer %" PRIu32,
                                     i + 1);
                at += (tensor->count + 15) & ~(size_t)15;
                s->params += state == 0 ? tensor->count : 0;
            }
        }
        if (state == 0)
            s->trainable_floats = at;
    }
    s->floats = at;
    return ECG_OK;
}

static ecg_status parse(struct parser *p, const ecg_shape *input, uint32_t classes)
{
    struct span item, kind;
    bool more = next_item(p, &item);
    ecg_status s = ECG_OK;
    if (more) {
        struct span rest = item;
        kind = next_word(&rest);
        if (span_is(kind, "input")) {
            s = parse_input(p, rest);
            if (s != ECG_OK)
                return item_error(p, item, s);
            more = next_item(p, &item);
        }
    }
    s = set_input(p, input);
    if (s != ECG_OK)
        return s;
    if (!more)
        return ecg__fail(p->err, ECG_EINVAL, "network: no layers");
    for (; more; more = next_item(p, &item)) {
        s = parse_layer(p, item);
        if (s != ECG_OK)
            return item_error(p, item, s);
    }
    if (classes)
        s = set_classes(p, classes);
    return s == ECG_OK ? place_tensors(p) : s;
}

ecg_status ecg_spec_parse(ecg_spec **out, const char *text, const ecg_shape *input, uint32_t classes,
                          ecg_error *err)
{
    *out = NULL;
    if (!text)
        return ecg__fail(err, ECG_EINVAL, "network: no text");
    struct parser p = {.text = {text, strnlen(text, ECG__MAX_TEXT + 1)}, .err = err};
    if (p.text.n > ECG__MAX_TEXT)
        return ecg__fail(err, ECG_ELIMIT, "network: text of more than %d bytes", ECG__MAX_TEXT);
    const struct span word = trim(p.text);
    const char *preset = ecg__preset_text(word.at, word.n);
    if (preset)
        p.text = (struct span){preset, strlen(preset)};
    p.spec = ecg__calloc(1, sizeof *p.spec);
    if (!p.spec)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    const ecg_status s = parse(&p, input, classes);
    if (s == ECG_OK)
        *out = p.spec;
    else
        ecg_spec_free(p.spec);
    return s;
}
