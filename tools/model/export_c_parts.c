/* What an exported C file computes with: plain C99 that is C++ too, without memory of its own. */
#include "model/export_c.h"

static const char conv[] =
    "static void conv(const float *x, int h, int w, int c, const float *kernel, const float *bias, int "
    "filters,\n"
    "                 int kh, int kw, int sh, int sw, int dh, int dw, int top, int left, int first, int "
    "end, int ow,\n"
    "                 float *y)\n"
    "{\n"
    "    for (int r = first; r < end; r++)\n"
    "        for (int q = 0; q < ow; q++, y += filters) {\n"
    "            for (int j = 0; j < filters; j++)\n"
    "                y[j] = bias ? bias[j] : 0.0f;\n"
    "            for (int a = 0; a < kh; a++) {\n"
    "                const int row = r * sh - top + a * dh;\n"
    "                for (int b = 0; b < kw && row >= 0 && row < h; b++) {\n"
    "                    const int col = q * sw - left + b * dw;\n"
    "                    const float *k = kernel + (a * kw + b) * c * filters;\n"
    "                    for (int i = 0; i < c && col >= 0 && col < w; i++, k += filters) {\n"
    "                        const float v = x[(row * w + col) * c + i];\n"
    "                        for (int j = 0; j < filters; j++)\n"
    "                            y[j] += v * k[j];\n"
    "                    }\n"
    "                }\n"
    "            }\n"
    "        }\n"
    "}\n\n";

static const char dense[] =
    "static void dense(const float *x, int n, const float *kernel, const float *bias, int units, float *y)\n"
    "{\n"
    "    for (int j = 0; j < units; j++)\n"
    "        y[j] = bias ? bias[j] : 0.0f;\n"
    "    for (int i = 0; i < n; i++, kernel += units)\n"
    "        for (int j = 0; j < units; j++)\n"
    "            y[j] += x[i] * kernel[j];\n"
    "}\n\n";

static const char maxpool[] =
    "static void maxpool(const float *x, int h, int w, int c, int kh, int kw, int sh, int sw, int top, int "
    "left,\n"
    "                    int oh, int ow, float *y)\n"
    "{\n"
    "    for (int r = 0; r < oh; r++)\n"
    "        for (int q = 0; q < ow; q++)\n"
    "            for (int j = 0; j < c; j++, y++) {\n"
    "                int any = 0;\n"
    "                for (int a = 0; a < kh; a++)\n"
    "                    for (int b = 0; b < kw; b++) {\n"
    "                        const int row = r * sh - top + a, col = q * sw - left + b;\n"
    "                        if (row < 0 || row >= h || col < 0 || col >= w)\n"
    "                            continue;\n"
    "                        const float v = x[(row * w + col) * c + j];\n"
    "                        *y = any && *y > v ? *y : v;\n"
    "                        any = 1;\n"
    "                    }\n"
    "            }\n"
    "}\n\n";

static const char avgpool[] =
    "static void avgpool(const float *x, int h, int w, int c, int kh, int kw, int sh, int sw, int top, int "
    "left,\n"
    "                    int oh, int ow, float *y)\n"
    "{\n"
    "    for (int r = 0; r < oh; r++)\n"
    "        for (int q = 0; q < ow; q++)\n"
    "            for (int j = 0; j < c; j++, y++) {\n"
    "                int n = 0;\n"
    "                float sum = 0.0f;\n"
    "                for (int a = 0; a < kh; a++)\n"
    "                    for (int b = 0; b < kw; b++) {\n"
    "                        const int row = r * sh - top + a, col = q * sw - left + b;\n"
    "                        if (row < 0 || row >= h || col < 0 || col >= w)\n"
    "                            continue;\n"
    "                        sum += x[(row * w + col) * c + j];\n"
    "                        n++;\n"
    "                    }\n"
    "                *y = sum / (float)n;\n"
    "            }\n"
    "}\n\n";

static const char global_avgpool[] =
    "static void global_avgpool(const float *x, int cells, int c, float *y)\n"
    "{\n"
    "    for (int j = 0; j < c; j++)\n"
    "        y[j] = 0.0f;\n"
    "    for (int i = 0; i < cells; i++)\n"
    "        for (int j = 0; j < c; j++)\n"
    "            y[j] += x[i * c + j];\n"
    "    for (int j = 0; j < c; j++)\n"
    "        y[j] /= (float)cells;\n"
    "}\n\n";

static const char global_maxpool[] =
    "static void global_maxpool(const float *x, int cells, int c, float *y)\n"
    "{\n"
    "    for (int j = 0; j < c; j++)\n"
    "        y[j] = x[j];\n"
    "    for (int i = 1; i < cells; i++)\n"
    "        for (int j = 0; j < c; j++)\n"
    "            y[j] = x[i * c + j] > y[j] ? x[i * c + j] : y[j];\n"
    "}\n\n";

static const char batchnorm[] = "static void batchnorm(float *x, int cells, int c, const float *mean, const "
                                "float *scale, const float *beta)\n"
                                "{\n"
                                "    for (int i = 0; i < cells; i++)\n"
                                "        for (int j = 0; j < c; j++)\n"
                                "            x[i * c + j] = (x[i * c + j] - mean[j]) * scale[j] + beta[j];\n"
                                "}\n\n";

static const char relu[] = "static void relu(float *x, int n)\n"
                           "{\n"
                           "    for (int i = 0; i < n; i++)\n"
                           "        x[i] = x[i] > 0.0f ? x[i] : 0.0f;\n"
                           "}\n\n";

static const char elu[] = "static void elu(float *x, int n, float alpha)\n"
                          "{\n"
                          "    for (int i = 0; i < n; i++)\n"
                          "        x[i] = x[i] > 0.0f ? x[i] : alpha * expm1f(x[i]);\n"
                          "}\n\n";

static const char leaky_relu[] = "static void leaky_relu(float *x, int n, float slope)\n"
                                 "{\n"
                                 "    for (int i = 0; i < n; i++)\n"
                                 "        x[i] = x[i] > 0.0f ? x[i] : slope * x[i];\n"
                                 "}\n\n";

static const char sigmoid[] = "static void sigmoid(float *x, int n)\n"
                              "{\n"
                              "    for (int i = 0; i < n; i++)\n"
                              "        x[i] = 1.0f / (1.0f + expf(-x[i]));\n"
                              "}\n\n";

static const char tangent[] = "static void hyperbolic_tangent(float *x, int n)\n"
                              "{\n"
                              "    for (int i = 0; i < n; i++)\n"
                              "        x[i] = tanhf(x[i]);\n"
                              "}\n\n";

static const char gelu[] = "static void gelu(float *x, int n)\n"
                           "{\n"
                           "    for (int i = 0; i < n; i++)\n"
                           "        x[i] *= 0.5f * (1.0f + erff(x[i] * 0.707106781f));\n"
                           "}\n\n";

static const char silu[] = "static void silu(float *x, int n)\n"
                           "{\n"
                           "    for (int i = 0; i < n; i++)\n"
                           "        x[i] /= 1.0f + expf(-x[i]);\n"
                           "}\n\n";

static const char softmax[] = "static void softmax(float *x, int rows, int c)\n"
                              "{\n"
                              "    for (int r = 0; r < rows; r++, x += c) {\n"
                              "        float most = x[0], sum = 0.0f;\n"
                              "        for (int j = 1; j < c; j++)\n"
                              "            most = x[j] > most ? x[j] : most;\n"
                              "        for (int j = 0; j < c; j++) {\n"
                              "            x[j] = expf(x[j] - most);\n"
                              "            sum += x[j];\n"
                              "        }\n"
                              "        for (int j = 0; j < c; j++)\n"
                              "            x[j] /= sum;\n"
                              "    }\n"
                              "}\n\n";

static const char centre[] = "static void subtract_own_mean(float *x, int n)\n"
                             "{\n"
                             "    double sum = 0.0;\n"
                             "    for (int i = 0; i < n; i++)\n"
                             "        sum += (double)x[i];\n"
                             "    const float mean = (float)(sum / n);\n"
                             "    for (int i = 0; i < n; i++)\n"
                             "        x[i] -= mean;\n"
                             "}\n\n";

static const char divide[] = "static void divide_by_own_deviation(float *x, int n)\n"
                             "{\n"
                             "    double sum = 0.0, square = 0.0;\n"
                             "    for (int i = 0; i < n; i++)\n"
                             "        sum += (double)x[i];\n"
                             "    for (int i = 0; i < n; i++)\n"
                             "        square += ((double)x[i] - sum / n) * ((double)x[i] - sum / n);\n"
                             "    const float by = (float)(sqrt(square / n) + 1e-6);\n"
                             "    for (int i = 0; i < n; i++)\n"
                             "        x[i] /= by;\n"
                             "}\n\n";

void export_c_functions(FILE *f, const chain *c)
{
    static const char *const part[CHAIN_KINDS] = {
        [CHAIN_CONV2D] = conv,
        [CHAIN_DENSE] = dense,
        [CHAIN_MAXPOOL] = maxpool,
        [CHAIN_AVGPOOL] = avgpool,
        [CHAIN_GLOBAL_AVGPOOL] = global_avgpool,
        [CHAIN_GLOBAL_MAXPOOL] = global_maxpool,
        [CHAIN_BATCHNORM] = batchnorm,
        [CHAIN_RELU] = relu,
        [CHAIN_ELU] = elu,
        [CHAIN_LEAKY_RELU] = leaky_relu,
        [CHAIN_SIGMOID] = sigmoid,
        [CHAIN_TANH] = tangent,
        [CHAIN_GELU] = gelu,
        [CHAIN_SILU] = silu,
        [CHAIN_SOFTMAX] = softmax,
    };
    const ecg_preprocess *p = ecg_model_preprocess(c->model);
    bool used[CHAIN_KINDS] = {false};
    for (uint32_t i = 0; i < c->layers; i++)
        used[c->layer[i].kind] = true;
    if (p->samplewise_center)
        fputs(centre, f);
    if (p->samplewise_std)
        fputs(divide, f);
    if (p->zca && !used[CHAIN_DENSE])
        fputs(dense, f); /* whitening is one */
    for (int k = 0; k < CHAIN_KINDS; k++)
        if (used[k] && part[k])
            fputs(part[k], f);
}
