#include "net/spec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

ecg_shape ecg_spec_input(const ecg_spec *s)
{
    return s->input;
}

uint32_t ecg_spec_outputs(const ecg_spec *s)
{
    return (uint32_t)s->layer[s->layers - 1].plan.out_count;
}

uint64_t ecg_spec_params(const ecg_spec *s)
{
    return s->params;
}

uint32_t ecg_spec_layers(const ecg_spec *s)
{
    return s->layers;
}

ecg_layer_info ecg_spec_layer(const ecg_spec *s, uint32_t i)
{
    const ecg__layer *l = &s->layer[i];
    ecg_layer_info info = {.name = l->ops->name, .out = l->plan.out, .macs = l->plan.macs};
    for (uint32_t t = 0; t < l->plan.tensors; t++)
        *(l->plan.tensor[t].trainable ? &info.params : &info.state) += l->plan.tensor[t].count;
    return info;
}

const char *ecg_spec_tensor(const ecg_spec *s, size_t i, uint32_t dims[4])
{
    if (i >= s->slots)
        return NULL;
    const ecg__tensor *t = s->slot[i].tensor;
    for (uint32_t d = 0; dims && d < 4; d++)
        dims[d] = d < t->rank ? t->dims[d] : 0;
    return s->slot[i].name;
}

const char *ecg_layer_kind(size_t i, const char **help)
{
    if (i >= ecg__layer_row_count)
        return NULL;
    if (help)
        *help = ecg__layer_rows[i].ops->help;
    return ecg__layer_rows[i].ops->name;
}

/* Text that grows past its buffer without harm, as snprintf does. */
struct text {
    char *buf;
    size_t cap, n;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(t->n < t->cap ? t->buf + t->n : NULL, t->n < t->cap ? t->cap - t->n : 0, fmt,
                            args);
    va_end(args);
    t->n += n > 0 ? (size_t)n : 0;
}

/* Attributes that differ from their default; positional ones up to the last such, or those without a default.
 */
static void put_attrs(struct text *t, const ecg__layer *l, const char *before)
{
    const ecg__attr *const table = l->ops->attrs;
    unsigned char plain[ECG__ATTR_BYTES] = {0};
    if (!table)
        return;
    ecg__attr_defaults(table, plain);
    uint32_t last = 0; /* one past the last positional attribute to print */
    for (uint32_t i = 0; table[i].name; i++) {
        char value[64], usual[64];
        ecg__attr_print(&table[i], l->attr, value, sizeof value);
        ecg__attr_print(&table[i], plain, usual, sizeof usual);
        if (table[i].positional && (!table[i].fallback || strcmp(value, usual) != 0))
            last = i + 1;
    }
    for (uint32_t i = 0; table[i].name; i++) {
        char value[64], usual[64];
        ecg__attr_print(&table[i], l->attr, value, sizeof value);
        ecg__attr_print(&table[i], plain, usual, sizeof usual);
        if (table[i].positional && i < last)
            put(t, "%s%s", before, value);
        else if (!table[i].positional && strcmp(value, usual) != 0)
            put(t, "%s%s=%s", before, table[i].name, value);
        else
            continue;
        before = " ";
    }
}

/* Whether layer i is written as the last word of the item before it. */
static bool folds(const ecg_spec *s, uint32_t i)
{
    const ecg__layer *l = &s->layer[i];
    if (i == 0 || !l->ops->activation || s->layer[i - 1].plan.tensors == 0 ||
        strcmp(l->ops->name, "softmax") == 0)
        return false;
    char attrs[8];
    struct text t = {attrs, sizeof attrs, 0};
    put_attrs(&t, l, "");
    return t.n == 0;
}

size_t ecg_spec_layer_text(const ecg_spec *s, uint32_t i, char *buf, size_t cap)
{
    if (cap)
        buf[0] = '\0';
    struct text t = {buf, cap, 0};
    put_attrs(&t, &s->layer[i], "");
    return t.n;
}

size_t ecg_spec_print(const ecg_spec *s, char *buf, size_t cap)
{
    struct text t = {buf, cap, 0};
    put(&t, "input %" PRIu32 "x%" PRIu32 "x%" PRIu32, s->input.h, s->input.w, s->input.c);
    for (uint32_t i = 0; i < s->layers; i++) {
        put(&t, "%s%s", folds(s, i) ? " " : "; ", s->layer[i].ops->name);
        put_attrs(&t, &s->layer[i], " ");
    }
    return t.n;
}

/* Everything of s into the arrays of *copy. */
static void fill(ecg_spec *copy, const ecg_spec *s, ecg__layer *layer, ecg__slot *slot)
{
    *copy = *s;
    copy->layer = memcpy(layer, s->layer, s->layers * sizeof *s->layer);
    copy->slot = memcpy(slot, s->slot, s->slots * sizeof *s->slot);
    for (uint32_t i = 0; i < copy->slots; i++) {
        ecg__layer *l = &copy->layer[copy->slot[i].layer];
        copy->slot[i].tensor = &l->plan.tensor[i - l->first_tensor];
    }
}

ecg_spec *ecg__spec_copy(const ecg_spec *s)
{
    ecg_spec *copy = ecg__calloc(1, sizeof *copy);
    if (!copy)
        return NULL;
    copy->layer = ecg__alloc(s->layers * sizeof *s->layer);
    copy->slot = ecg__alloc((s->slots ? s->slots : 1) * sizeof *s->slot);
    if (!copy->layer || !copy->slot) {
        ecg_spec_free(copy);
        return NULL;
    }
    fill(copy, s, copy->layer, copy->slot);
    return copy;
}

size_t ecg__spec_bytes(const ecg_spec *s)
{
    return ecg__align_up(sizeof *s) + ecg__align_up(s->layers * sizeof *s->layer) +
           ecg__align_up(s->slots * sizeof *s->slot);
}

ecg_spec *ecg__spec_place(const ecg_spec *s, void *memory)
{
    unsigned char *layer = (unsigned char *)memory + ecg__align_up(sizeof *s);
    unsigned char *slot = layer + ecg__align_up(s->layers * sizeof *s->layer);
    fill(memory, s, (ecg__layer *)(void *)layer, (ecg__slot *)(void *)slot);
    return memory;
}

void ecg_spec_free(ecg_spec *s)
{
    if (!s)
        return;
    ecg__free(s->layer);
    ecg__free(s->slot);
    ecg__free(s);
}
