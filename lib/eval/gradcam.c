/* Grad-CAM: one picture forward through the network as it is written, and the value of a class backward to
 * the layer that is asked for. Batchnorm and dropout do what they do in prediction, which is not what their
 * training half does. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "eval/heat.h"
#include "math/gemm.h"
#include "net/model.h"
#include "train/grads.h"

typedef struct pass {
    const ecg_model *m;
    const ecg_spec *s;
    uint32_t layers; /* without the last, a softmax */
    const float *x;
    float **y;             /* [layers]: outputs */
    unsigned char **saved; /* [layers] */
    float *dy, *dx;        /* [most values of a layer] */
    float *grads;          /* of the parameters of one layer; nobody wants them */
    void *scratch;
} pass;

static bool is(const ecg__layer *l, const char *name)
{
    return strcmp(l->ops->name, name) == 0;
}

/* ---- Memory ---- */

static bool alloc(pass *p)
{
    size_t values = 1, scratch = 64, grads = 16;
    p->y = ecg__calloc(p->layers, sizeof *p->y);
    p->saved = ecg__calloc(p->layers, sizeof *p->saved);
    bool fine = p->y && p->saved;
    for (uint32_t i = 0; fine && i < p->layers; i++) {
        const ecg__plan *plan = &p->s->layer[i].plan;
        size_t all = 0;
        for (uint32_t t = 0; t < plan->tensors; t++)
            all += ecg__align_up(plan->tensor[t].count * sizeof(float));
        grads = all > grads ? all : grads;
        values = plan->out_count > values ? plan->out_count : values;
        values = plan->in_count > values ? plan->in_count : values;
        scratch = plan->scratch > scratch ? plan->scratch : scratch;
        scratch = plan->train_scratch > scratch ? plan->train_scratch : scratch;
        p->y[i] = ecg__calloc(plan->out_count, sizeof *p->y[i]);
        p->saved[i] = ecg__calloc(1, plan->saved + 1);
        fine = p->y[i] && p->saved[i];
    }
    p->dy = ecg__calloc(values, sizeof *p->dy);
    p->dx = ecg__calloc(values, sizeof *p->dx);
    p->grads = ecg__calloc(1, grads);
    p->scratch = ecg__alloc(scratch);
    return fine && p->dy && p->dx && p->grads && p->scratch;
}

static void end(pass *p)
{
    for (uint32_t i = 0; i < p->layers; i++) {
        if (p->y)
            ecg__free(p->y[i]);
        if (p->saved)
            ecg__free(p->saved[i]);
    }
    ecg__free(p->y);
    ecg__free(p->saved);
    ecg__free(p->dy);
    ecg__free(p->dx);
    ecg__free(p->grads);
    ecg__free(p->scratch);
}

/* ---- Forward and backward ---- */

static void run_steps(const pass *p, uint32_t i, const ecg__step *steps, bool backward)
{
    static const uint64_t key = 0;
    const ecg__layer *l = &p->s->layer[i];
    const float *read[ECG__MAX_TENSORS];
    float *tensor[ECG__MAX_TENSORS], *grad[ECG__MAX_TENSORS], *free_grads = p->grads;
    ecg__spec_tensors(p->s, i, p->m->weights, read);
    for (uint32_t t = 0; t < l->plan.tensors; t++) {
        /* The steps that are run here only read them. */
        tensor[t] = p->m->weights + (read[t] - p->m->weights);
        grad[t] = l->plan.tensor[t].trainable ? free_grads : NULL;
        free_grads += ecg__align_up(l->plan.tensor[t].count * sizeof(float)) / sizeof(float);
    }
    const ecg__train_args a = {.attr = l->attr,
                               .plan = &l->plan,
                               .tensor = tensor,
                               .x = i ? p->y[i - 1] : p->x,
                               .y = p->y[i],
                               .dy = backward ? p->dy : NULL,
                               .dx = backward ? p->dx : NULL,
                               .saved = p->saved[i],
                               .key = &key,
                               .n = 1,
                               .grad = grad,
                               .scratch = p->scratch,
                               .shards = 1,
                               .layer = i};
    for (int k = 0; k < ECG__MAX_STEPS && steps[k].run; k++)
        for (size_t part = 0; part < (steps[k].by_block ? l->plan.blocks : 1); part++)
            steps[k].run(&a, part);
}

static void forward(const pass *p, uint32_t i)
{
    const ecg__layer *l = &p->s->layer[i];
    const ecg__step *steps = ecg__layer_grad_of(l->ops)->forward;
    const float *tensor[ECG__MAX_TENSORS];
    if (steps[0].run && !is(l, "batchnorm") && !is(l, "dropout")) {
        run_steps(p, i, steps, false);
        return;
    }
    ecg__spec_tensors(p->s, i, p->m->weights, tensor);
    const ecg__forward_args a = {.attr = l->attr,
                                 .plan = &l->plan,
                                 .tensor = tensor,
                                 .x = i ? p->y[i - 1] : p->x,
                                 .y = p->y[i],
                                 .n = 1,
                                 .scratch = p->scratch};
    l->ops->forward(&a);
}

/* y = slope x + something, for each channel: batchnorm in prediction, and its slope is what it makes of 1
 * less what it makes of 0. Taken from its running statistics, in double precision. */
static void through_batchnorm(const pass *p, uint32_t i)
{
    enum { GAMMA, BETA, MEAN, VARIANCE };
    const ecg__layer *l = &p->s->layer[i];
    const float *tensor[ECG__MAX_TENSORS];
    float eps;
    memcpy(&eps, l->attr + l->ops->attrs[0].offset, sizeof eps);
    ecg__spec_tensors(p->s, i, p->m->weights, tensor);
    const size_t c = l->plan.in.c;
    for (size_t k = 0; k < l->plan.in_count; k++) {
        const double scale = sqrt((double)tensor[VARIANCE][k % c] + (double)eps);
        p->dx[k] = (float)((double)p->dy[k] * (double)tensor[GAMMA][k % c] / scale);
    }
}

/* dy of layer i becomes that of the one before it. */
static void backward(pass *p, uint32_t i)
{
    const ecg__layer *l = &p->s->layer[i];
    if (is(l, "batchnorm"))
        through_batchnorm(p, i);
    else if (is(l, "dropout"))
        memcpy(p->dx, p->dy, l->plan.in_count * sizeof *p->dx);
    else
        run_steps(p, i, ecg__layer_grad_of(l->ops)->backward, true);
    float *t = p->dy;
    p->dy = p->dx;
    p->dx = t;
}

/* ---- Which layer ---- */

static bool is_map(const ecg__layer *l)
{
    return l->plan.out.h > 1 || l->plan.out.w > 1;
}

/* *layer is from 1 on, 0 for the default. */
static ecg_status find(const ecg_spec *s, uint32_t *layer, ecg_error *err)
{
    static const char *const follow[] = {"batchnorm", "relu", "elu",  "leaky_relu",
                                         "sigmoid",   "tanh", "gelu", "silu"};
    if (*layer >= s->layers)
        return ecg__fail(err, ECG_EINVAL, "heat: layer %u, expected 1..%u, of which the last is softmax",
                         *layer, s->layers - 1);
    if (*layer) {
        const ecg__layer *l = &s->layer[*layer - 1];
        return is_map(l) ? ECG_OK
                         : ecg__fail(err, ECG_EINVAL, "heat: layer %u, %s, has no rows and columns", *layer,
                                     l->ops->name);
    }
    for (uint32_t i = 0; i + 1 < s->layers; i++)
        if (is(&s->layer[i], "conv2d") && is_map(&s->layer[i]))
            *layer = i + 1;
    if (!*layer)
        return ecg__fail(err, ECG_EUNSUPPORTED,
                         "heat: the network has no convolution that leaves rows and "
                         "columns; occlusion works with any");
    for (size_t k = 0; *layer + 1 < s->layers && k < sizeof follow / sizeof *follow; k++)
        if (is(&s->layer[*layer], follow[k])) {
            ++*layer;
            k = (size_t)-1;
        }
    return ECG_OK;
}

/* relu(sum of a[k] A[..][k]) */
static ecg_status combine(ecg_heat *h, const float *y, const float *dy, uint32_t channels, ecg_error *err)
{
    const size_t n = (size_t)h->map_h * h->map_w;
    bool finite = true;
    double *weight = ecg__calloc(channels, sizeof *weight);
    if (!weight)
        return ecg__fail(err, ECG_ENOMEM, "heat: out of memory");
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < channels; k++)
            weight[k] += (double)dy[i * channels + k] / (double)n;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (uint32_t k = 0; k < channels; k++)
            sum += weight[k] * (double)y[i * channels + k];
        h->map[i] = sum > 0.0 ? (float)sum : 0.0f;
        finite = finite && isfinite((float)sum);
    }
    ecg__free(weight);
    return finite ? ECG_OK : ecg__fail(err, ECG_ENUMERIC, "heat: the network's values are not finite");
}

ecg_status ecg__gradcam(ecg_heat **out, const ecg_model *m, const float *x, uint32_t cls, uint32_t layer,
                        ecg_error *err)
{
    pass p = {.m = m, .s = m->spec, .layers = m->spec->layers - 1, .x = x};
    *out = NULL;
    ecg_status s = find(m->spec, &layer, err);
    if (s != ECG_OK)
        return s;
    const ecg_shape shape = m->spec->layer[layer - 1].plan.out;
    s = alloc(&p) ? ecg__heat_alloc(out, shape.h, shape.w, &m->prep, err)
                  : ecg__fail(err, ECG_ENOMEM, "heat: out of memory");
    if (s == ECG_OK) {
        ecg__blas_pin();
        for (uint32_t i = 0; i < p.layers; i++)
            forward(&p, i);
        memset(p.dy, 0, m->classes * sizeof *p.dy);
        p.dy[cls] = 1.0f;
        for (uint32_t i = p.layers; i-- > layer;)
            backward(&p, i);
        ecg__blas_unpin();
        (*out)->layer = layer;
        s = combine(*out, p.y[layer - 1], p.dy, shape.c, err);
    }
    if (s != ECG_OK) {
        ecg_heat_free(*out);
        *out = NULL;
    }
    end(&p);
    return s;
}
