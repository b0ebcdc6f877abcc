/* Weights of Keras' layers to the tensors of our network. Both keep kernels as [rows][columns][in][out] and
 * [in][out] and flatten rows, columns, channels in this order, so that most are copied as they are. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/keras.h"

struct taker {
    import_model *model;
    const keras_plan *plan;
    const keras_file *file;
    const char *path;
    ecg_error *err;
};

static const keras_group *group_of(const struct taker *t, const keras_layer *l)
{
    for (size_t i = 0; i < t->file->groups; i++)
        if (strcmp(t->file->group[i]->layer, l->name) == 0)
            return t->file->group[i];
    return NULL;
}

static void shape_text(char *to, size_t cap, const uint32_t dims[4], uint32_t rank)
{
    size_t n = (size_t)snprintf(to, cap, "(");
    for (uint32_t d = 0; d < rank && n < cap; d++)
        n += (size_t)snprintf(to + n, cap - n, "%s%" PRIu32, d ? ", " : "", dims[d]);
    if (n < cap)
        snprintf(to + n, cap - n, ")");
}

/* The shape that the file must have for a tensor of our network of shape `dims`. */
static uint32_t expected(const struct taker *t, const keras_place *p, const uint32_t dims[4],
                         uint32_t want[4])
{
    uint32_t rank = 0;
    while (rank < 4 && dims[rank]) {
        want[rank] = dims[rank];
        rank++;
    }
    if (rank == 4 && p->rank == 2) { /* a convolution of 1x1 that was dense */
        want[0] = dims[2];
        want[1] = dims[3];
        rank = 2;
    }
    if (t->plan->gray && p->first)
        want[rank - 2] *= 3;
    if (p->logistic)
        want[rank - 1] = 1;
    return rank;
}

static ecg_status check_shape(const struct taker *t, const keras_place *p, const keras_weight *w,
                              const uint32_t dims[4])
{
    uint32_t want[4] = {0};
    const uint32_t rank = expected(t, p, dims, want);
    if (w->rank == rank && memcmp(w->dims, want, rank * sizeof *want) == 0)
        return ECG_OK;
    char found[64], wanted[64];
    shape_text(found, sizeof found, w->dims, w->rank);
    shape_text(wanted, sizeof wanted, want, rank);
    return import_fail(t->err, ECG_EFORMAT,
                       "%s: layer \"%.100s\" (%.60s): weight \"%.100s\" has the shape %s, expected %s",
                       t->path, p->layer->name, p->layer->kind, w->name, found, wanted);
}

/* Where the three channels are equal, (k0 + k1 + k2) x = k0 x + k1 x + k2 x: the sum is taken in double
 * precision and rounded once. */
static void fold(float *to, const float *from, size_t count, size_t out)
{
    for (size_t i = 0; i < count; i++) {
        const float *k = from + i / out * 3 * out + i % out;
        to[i] = (float)((double)k[0] + (double)k[out] + (double)k[2 * out]);
    }
}

/* The weight that belongs in a tensor of shape `dims`. */
static ecg_status find(const struct taker *t, const keras_place *p, const uint32_t dims[4],
                       const keras_weight **out)
{
    const keras_group *g = group_of(t, p->layer);
    const uint32_t want = keras_plan_weights(t->plan, p->layer);
    if (!g || g->weights != want)
        return import_fail(t->err, ECG_EFORMAT,
                           "%s: layer \"%.100s\" (%.60s): the file has %" PRIu32
                           " weights, expected %" PRIu32,
                           t->path, p->layer->name, p->layer->kind, g ? g->weights : 0, want);
    *out = &g->weight[p->nth];
    return check_shape(t, p, *out, dims);
}

/* to[count] from a weight of the right shape. */
static ecg_status fill(const struct taker *t, const keras_place *p, const keras_weight *w,
                       const uint32_t dims[4], float *to, size_t count)
{
    const bool gray = t->plan->gray && p->first;
    const size_t n = gray ? w->count / 3 : w->count;
    float *folded = NULL;
    if (gray) {
        folded = malloc(n * sizeof *folded);
        if (!folded)
            return import_fail(t->err, ECG_ENOMEM, "%s: out of memory", t->path);
        fold(folded, w->value, n, p->logistic ? 1 : dims[2] ? dims[3] : dims[1]);
    }
    const float *from = folded ? folded : w->value;
    if (p->logistic) /* the first of two outputs is 0 */
        for (size_t i = 0; i < count / 2; i++)
            to[2 * i + 1] = from[i];
    else
        memcpy(to, from, count * sizeof *to);
    free(folded);
    return ECG_OK;
}

static ecg_status take(const struct taker *t, const keras_place *p, const char *name, const uint32_t dims[4])
{
    const keras_weight *w = NULL;
    size_t count = 1; /* as the file has it, or the channels of a batchnorm */
    const ecg_status s = p->nth < 0 ? ECG_OK : find(t, p, dims, &w);
    if (s != ECG_OK)
        return s;
    for (int d = 0; d < 4 && dims[d]; d++)
        count *= dims[d];
    float *to = import_add(t->model, name, count, t->err);
    if (!to)
        return ECG_ENOMEM;
    for (size_t i = 0; !w && i < count; i++)
        to[i] = p->fill;
    return w ? fill(t, p, w, dims, to, count) : ECG_OK;
}

/* The tensors that our network has are those of the plan, by name. */
ecg_status keras_weights_take(import_model *m, const keras_plan *plan, const keras_file *f, const char *path,
                              ecg_error *err)
{
    const struct taker t = {m, plan, f, path, err};
    ecg_spec *spec;
    ecg_status s = ecg_spec_parse(&spec, plan->text, NULL, 0, err);
    if (s != ECG_OK) {
        ecg_error why = *err;
        return import_fail(err, s, "%s: %s", path, why.message);
    }
    const char *name;
    uint32_t dims[4];
    for (size_t i = 0; s == ECG_OK && (name = ecg_spec_tensor(spec, i, dims)); i++) {
        const keras_place *p = NULL;
        for (size_t k = 0; k < plan->places; k++)
            if (strcmp(plan->place[k].tensor, name) == 0)
                p = &plan->place[k];
        s = p ? take(&t, p, name, dims) : import_fail(err, ECG_EFORMAT, "%s: no weight for %s", path, name);
    }
    ecg_spec_free(spec);
    return s;
}
