/* The layers of an exported C file as calls. A convolution whose values are pooled is worked on a few rows at
 * a time, so that all of them never have to be in memory at once. */
#include "model/export_c.h"

static bool pools(const chain_layer *l)
{
    return l->kind == CHAIN_MAXPOOL || l->kind == CHAIN_AVGPOOL;
}

/* Whether a layer's values need another place than what they are made of. */
static bool moves(const chain_layer *l)
{
    return l->kind == CHAIN_CONV2D || l->kind == CHAIN_DENSE || pools(l) || l->kind == CHAIN_GLOBAL_AVGPOOL ||
           l->kind == CHAIN_GLOBAL_MAXPOOL;
}

/* The pooling layer behind convolution i, with only what works value by value between them; 0: there is none.
 */
static uint32_t pooled(const chain *c, uint32_t i)
{
    if (c->layer[i].kind != CHAIN_CONV2D)
        return 0;
    for (i++; i < c->layers; i++) {
        const chain_layer *l = &c->layer[i];
        if (pools(l))
            return i;
        if (!chain_elementwise(l->kind) && l->kind != CHAIN_BATCHNORM)
            return 0;
    }
    return 0;
}

/* ---- plan ---- */

static void needs(c_writer *w, int at, size_t n)
{
    if (n > w->room[at])
        w->room[at] = n;
}

void c_plan(c_writer *w)
{
    int at = 0;
    needs(w, 0, chain_count(ecg_spec_input(ecg_model_spec(w->c->model))));
    w->bytes = (chain_weights(w->c) + (size_t)w->p->zca_n * w->p->zca_n) * sizeof(float);
    for (uint32_t i = 0; i < w->c->layers; i++)
        if (w->c->layer[i].kind == CHAIN_BATCHNORM) /* its deviation is part of the scale */
            w->bytes -= w->c->layer[i].in.c * sizeof(float);
    if (w->p->zca) {
        at = 1;
        needs(w, 1, w->p->zca_n);
    }
    for (uint32_t i = 0; i < w->c->layers; i++) {
        const uint32_t pool = pooled(w->c, i);
        if (!moves(&w->c->layer[i]))
            continue;
        if (pool) {
            const chain_layer *l = &w->c->layer[i = pool];
            const size_t rows = l->kh < l->in.h ? l->kh : l->in.h, band = rows * l->in.w * l->in.c;
            w->band = band > w->band ? band : w->band;
        }
        at = 1 - at;
        needs(w, at, chain_count(w->c->layer[i].out));
    }
}

/* ---- calls ---- */

/* What is done value by value, or channel by channel: to `cells` times in.c values of x, times as many rows
 * as the expression `rows` says ("": no rows are counted). */
static void write_pointwise(const c_writer *w, uint32_t i, const char *x, const char *rows, size_t cells)
{
    const chain_layer *l = &w->c->layer[i];
    const size_t n = cells * l->in.c;
    FILE *f = w->f;
    if (l->kind == CHAIN_FLATTEN || l->kind == CHAIN_DROPOUT)
        return;
    fprintf(f, "%s%s(%s, %s", rows[0] ? "        " : "    ",
            l->kind == CHAIN_TANH ? "hyperbolic_tangent" : l->name, x, rows);
    if (l->kind == CHAIN_BATCHNORM)
        fprintf(f, "%zu, %u, batchnorm_%u_mean, batchnorm_%u_scale, batchnorm_%u_beta", cells, l->in.c, i + 1,
                i + 1, i + 1);
    else if (l->kind == CHAIN_SOFTMAX)
        fprintf(f, "%zu, %u", cells, l->in.c);
    else
        fprintf(f, "%zu", n);
    if (l->kind == CHAIN_ELU || l->kind == CHAIN_LEAKY_RELU) {
        fputs(", ", f);
        c_number(f, l->value);
    }
    fputs(");\n", f);
}

/* Rows first..end - 1 of a convolution; these are C expressions. */
static void write_conv(const c_writer *w, uint32_t i, char x, const char *rows, const char *y)
{
    const chain_layer *l = &w->c->layer[i];
    char bias[48] = "0";
    if (l->bias)
        snprintf(bias, sizeof bias, "conv2d_%u_bias", i + 1);
    fprintf(
        w->f,
        "    conv(%c, %u, %u, %u, conv2d_%u_kernel, %s, %u, %u, %u, %u, %u, %u, %u, %u, %u, %s, %u, %s);\n",
        x, l->in.h, l->in.w, l->in.c, i + 1, bias, l->out.c, l->kh, l->kw, l->sh, l->sw, l->dh, l->dw, l->top,
        l->left, rows, l->out.w, y);
}

static void write_pooled(const c_writer *w, uint32_t i, uint32_t pool, char x, char y)
{
    const chain_layer *l = &w->c->layer[pool];
    FILE *f = w->f;
    fprintf(f,
            "    for (int r = 0; r < %u; r++) {\n        const int top = r * %u - %u, first = top > 0 ? top "
            ": 0;\n"
            "        const int end = top + %u < %u ? top + %u : %u;\n    ",
            l->out.h, l->sh, l->top, l->kh, l->in.h, l->kh, l->in.h);
    write_conv(w, i, x, "first, end", "band");
    while (++i < pool)
        write_pointwise(w, i, "band", "(end - first) * ", w->c->layer[i].in.w);
    fprintf(f, "        %s(band, end - first, %u, %u, %u, %u, %u, %u, 0, %u, 1, %u, %c + r * %u);\n    }\n",
            l->name, l->in.w, l->in.c, l->kh, l->kw, l->sh, l->sw, l->left, l->out.w, y, l->out.w * l->out.c);
}

static void write_temperature(const c_writer *w, const chain_layer *l, char x)
{
    const float t = ecg_model_rule(w->c->model)->temperature;
    if (!c_any(&t, 1, 1.0f))
        return;
    fprintf(w->f, "    for (int i = 0; i < %u; i++)\n        %c[i] /= ", l->out.c, x);
    c_number(w->f, t);
    fputs(";\n", w->f);
}

static void write_layer(const c_writer *w, uint32_t i, char x, char y)
{
    const chain_layer *l = &w->c->layer[i];
    const size_t n = chain_count(l->in), cells = (size_t)l->in.h * l->in.w;
    const char value[2] = {x, '\0'}, result[2] = {y, '\0'};
    char rows[32];
    switch (l->kind) {
    case CHAIN_CONV2D:
        snprintf(rows, sizeof rows, "0, %u", l->out.h);
        write_conv(w, i, x, rows, result);
        break;
    case CHAIN_MAXPOOL:
    case CHAIN_AVGPOOL:
        fprintf(w->f, "    %s(%c, %u, %u, %u, %u, %u, %u, %u, %u, %u, %u, %u, %c);\n", l->name, x, l->in.h,
                l->in.w, l->in.c, l->kh, l->kw, l->sh, l->sw, l->top, l->left, l->out.h, l->out.w, y);
        break;
    case CHAIN_DENSE:
        fprintf(w->f, "    dense(%c, %zu, dense_%u_kernel, ", x, n, i + 1);
        if (l->bias)
            fprintf(w->f, "dense_%u_bias", i + 1);
        fprintf(w->f, "%s, %u, %c);\n", l->bias ? "" : "0", l->out.c, y);
        break;
    case CHAIN_GLOBAL_AVGPOOL:
    case CHAIN_GLOBAL_MAXPOOL:
        fprintf(w->f, "    %s(%c, %zu, %u, %c);\n", l->name, x, cells, l->in.c, y);
        break;
    default:
        if (l->kind == CHAIN_SOFTMAX && i + 1 == w->c->layers)
            write_temperature(w, l, x);
        write_pointwise(w, i, value, "", cells);
    }
}

void c_calls(c_writer *w)
{
    for (uint32_t i = 0; i < w->c->layers; i++) {
        const uint32_t pool = pooled(w->c, i);
        const char x = w->at ? 'b' : 'a', y = w->at ? 'a' : 'b';
        if (moves(&w->c->layer[i]))
            w->at = 1 - w->at;
        if (pool) {
            write_pooled(w, i, pool, x, y);
            i = pool;
        } else {
            write_layer(w, i, x, y);
        }
    }
}
