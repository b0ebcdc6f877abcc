#!/usr/bin/env python3
"""Makes the reference cases of this folder: definitions written out as loops, in double precision, plain Python.

    make_vectors.py [FOLDER]     writes manifest.tsv and the tensors, the same bytes every time

Form: a line of manifest.tsv is name, kind, parameters (key=value;...), tensors (key=file:shape;...); a file is
little-endian float32 in C order. Pictures are N x C x H x W, convolution kernels out x in x kh x kw, dense ones
out x in. Gradients are those of sum(y * dy)."""
import math
import random
import struct
import sys
from itertools import product
from pathlib import Path

OUT = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
RNG = random.Random(2024)
LINES = []


def f32(v):
    return struct.unpack("<f", struct.pack("<f", v))[0]


class Tensor:
    def __init__(self, *shape, fill=0.0):
        self.shape, self.data = shape, {i: fill for i in product(*map(range, shape))}

    def __getitem__(self, i):
        return self.data[i if isinstance(i, tuple) else (i,)]

    def __setitem__(self, i, v):
        self.data[i if isinstance(i, tuple) else (i,)] = v

    def __iter__(self):
        return iter(self.data)


def rand(*shape, low=-1.0, high=1.0):
    t = Tensor(*shape)
    for i in t:
        t[i] = f32(RNG.uniform(low, high))
    return t


def case(name, kind, parameters, /, **tensors):
    cells = []
    for key, t in tensors.items():
        file = f"{name}.{key}.f32"
        (OUT / file).write_bytes(b"".join(struct.pack("<f", v) for v in t.data.values()))
        cells.append(f"{key}={file}:{'x'.join(map(str, t.shape))}")
    text = ";".join(f"{k}={v}" for k, v in parameters.items()) or "-"
    LINES.append("\t".join([name, kind, text, ";".join(cells)]))


def size(n, k, stride, pad, dilation=1):
    return (n + 2 * pad - dilation * (k - 1) - 1) // stride + 1


def conv2d(name, n, ci, h, w, co, k, stride, pad, dilation):
    x, wt, b = rand(n, ci, h, w), rand(co, ci, *k), rand(co)
    oh, ow = size(h, k[0], stride[0], pad[0], dilation), size(w, k[1], stride[1], pad[1], dilation)
    y, dy = Tensor(n, co, oh, ow), rand(n, co, oh, ow)
    dx, dw, db = Tensor(n, ci, h, w), Tensor(co, ci, *k), Tensor(co)
    for s, o, r, q in y:
        y[s, o, r, q] += b[o]
        db[o] += dy[s, o, r, q]
        for c, i, j in product(range(ci), range(k[0]), range(k[1])):
            row, col = r * stride[0] + i * dilation - pad[0], q * stride[1] + j * dilation - pad[1]
            if 0 <= row < h and 0 <= col < w:
                y[s, o, r, q] += x[s, c, row, col] * wt[o, c, i, j]
                dx[s, c, row, col] += dy[s, o, r, q] * wt[o, c, i, j]
                dw[o, c, i, j] += dy[s, o, r, q] * x[s, c, row, col]
    params = {"kernel": f"{k[0]}x{k[1]}", "stride": f"{stride[0]}x{stride[1]}", "pad": f"{pad[0]}x{pad[1]}",
              "dilation": dilation}
    case(name, "conv2d", params, x=x, y=y, dy=dy, dx=dx, w=wt, dw=dw, b=b, db=db)


def pool(name, kind, n, c, h, w, k, stride, pad):
    x = rand(n, c, h, w)
    y = Tensor(n, c, size(h, k, stride, pad), size(w, k, stride, pad))
    dy, dx = rand(*y.shape), Tensor(*x.shape)
    for s, ch, r, q in y:
        cells = [(s, ch, row, col) for row, col in product(range(r * stride - pad, r * stride - pad + k),
                                                           range(q * stride - pad, q * stride - pad + k))
                 if 0 <= row < h and 0 <= col < w]
        if kind == "maxpool2d":
            cells = [max(cells, key=lambda i: x[i])]
        for i in cells:
            y[s, ch, r, q] += x[i] / len(cells)
            dx[i] += dy[s, ch, r, q] / len(cells)
    params = {"kernel": k, "stride": stride, "pad": pad}
    if kind == "avgpool2d":
        params["count_include_pad"] = 0
    case(name, kind, params, x=x, y=y, dy=dy, dx=dx)


def global_pool(name, kind, n, c, h, w):
    x, y, dy, dx = rand(n, c, h, w), Tensor(n, c), rand(n, c), Tensor(n, c, h, w)
    for s, ch in y:
        cells = [(s, ch, *i) for i in product(range(h), range(w))]
        if kind == "global_maxpool":
            cells = [max(cells, key=lambda i: x[i])]
        for i in cells:
            y[s, ch] += x[i] / len(cells)
            dx[i] = dy[s, ch] / len(cells)
    case(name, kind, {}, x=x, y=y, dy=dy, dx=dx)


def dense(name, n, ni, no):
    x, w, b, dy = rand(n, ni), rand(no, ni), rand(no), rand(n, no)
    y, dx, dw, db = Tensor(n, no), Tensor(n, ni), Tensor(no, ni), Tensor(no)
    for s, o in y:
        y[s, o] = b[o] + sum(x[s, i] * w[o, i] for i in range(ni))
        db[o] += dy[s, o]
        for i in range(ni):
            dx[s, i] += dy[s, o] * w[o, i]
            dw[o, i] += dy[s, o] * x[s, i]
    case(name, "dense", {}, x=x, y=y, dy=dy, dx=dx, w=w, dw=dw, b=b, db=db)


def activation(name, kind, f, df, **params):
    x, dy = rand(4, 9, low=-4, high=4), rand(4, 9)
    y, dx = Tensor(4, 9), Tensor(4, 9)
    for i in y:
        y[i], dx[i] = f(x[i]), dy[i] * df(x[i])
    case(name, kind, params, x=x, y=y, dy=dy, dx=dx)


def softmax_row(row):
    e = [math.exp(v - max(row)) for v in row]
    return [v / sum(e) for v in e]


def softmax(name):
    x, dy, y, dx = rand(3, 7, low=-80, high=80), rand(3, 7), Tensor(3, 7), Tensor(3, 7)
    for s in range(3):
        p = softmax_row([x[s, j] for j in range(7)])
        dot = sum(p[j] * dy[s, j] for j in range(7))
        for j in range(7):
            y[s, j], dx[s, j] = p[j], p[j] * (dy[s, j] - dot)
    case(name, "softmax", {}, x=x, y=y, dy=dy, dx=dx)


def batchnorm(name, n, c, h, w):
    eps, keep, m = 1e-3, 0.99, n * h * w
    x, dy, y, dx = rand(n, c, h, w, low=2, high=5), rand(n, c, h, w), Tensor(n, c, h, w), Tensor(n, c, h, w)
    gamma, beta, dgamma, dbeta = rand(c), rand(c), Tensor(c), Tensor(c)
    mean0, var0, mean1, var1 = rand(c), rand(c, low=0.5, high=2), Tensor(c), Tensor(c)
    for ch in range(c):
        cells = [(s, ch, i, j) for s, i, j in product(range(n), range(h), range(w))]
        mean = sum(x[i] for i in cells) / m
        var = sum((x[i] - mean) ** 2 for i in cells) / m
        sd = math.sqrt(var + eps)
        xhat = {i: (x[i] - mean) / sd for i in cells}
        dgamma[ch], dbeta[ch] = sum(dy[i] * xhat[i] for i in cells), sum(dy[i] for i in cells)
        for i in cells:
            y[i] = gamma[ch] * xhat[i] + beta[ch]
            dx[i] = gamma[ch] / sd * (dy[i] - dbeta[ch] / m - xhat[i] * dgamma[ch] / m)
        mean1[ch], var1[ch] = keep * mean0[ch] + (1 - keep) * mean, keep * var0[ch] + (1 - keep) * var
    case(name, "batchnorm", {"eps": eps, "torch_momentum": 0.01, "running_var": "biased"}, x=x, y=y, dy=dy, dx=dx,
         gamma=gamma, beta=beta, dgamma=dgamma, dbeta=dbeta, mean_before=mean0, var_before=var0, mean_after=mean1,
         var_after=var1)


def cross_entropy(name, labels, c, smoothing):
    n = len(labels)
    logits, d, loss = rand(n, c, low=-3, high=3), Tensor(n, c), Tensor(1)
    for s, label in enumerate(labels):
        p = softmax_row([logits[s, j] for j in range(c)])
        for j in range(c):
            target = (1 - smoothing) * (j == label) + smoothing / c
            loss[0] -= target * math.log(p[j]) / n
            d[s, j] = (p[j] - target) / n
    case(name, "softmax_cross_entropy", {"labels": ",".join(map(str, labels)), "reduction": "mean",
                                         "label_smoothing": smoothing}, logits=logits, loss=loss, dlogits=d)


def adam(name, n, steps):
    lr, b1, b2, eps = 0.01, 0.9, 0.999, 1e-7
    p0, grads, params = rand(n), rand(steps, n), Tensor(steps, n)
    for i in range(n):
        p, m, v = p0[i], 0.0, 0.0
        for t in range(steps):
            g = grads[t, i]
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            p -= lr * (m / (1 - b1 ** (t + 1))) / (math.sqrt(v / (1 - b2 ** (t + 1))) + eps)
            params[t, i] = p
    case(name, "optimizer_adam", {"lr": lr, "betas": f"{b1},{b2}", "eps": eps}, p0=p0, grads=grads, params=params)


def nesterov(name, n, steps):
    lr, momentum = 0.01, 0.9
    p0, grads, params = rand(n), rand(steps, n), Tensor(steps, n)
    for i in range(n):
        p, u = p0[i], 0.0
        for t in range(steps):
            u = momentum * u + grads[t, i]
            p -= lr * (grads[t, i] + momentum * u)
            params[t, i] = p
    case(name, "optimizer_nesterov", {"lr": lr, "momentum": momentum, "nesterov": True}, p0=p0, grads=grads,
         params=params)


def main():
    conv2d("conv_plain", 2, 1, 6, 7, 3, (3, 3), (1, 1), (0, 0), 1)
    conv2d("conv_all", 2, 3, 7, 8, 2, (3, 2), (2, 1), (2, 1), 2)
    pool("maxpool_pad", "maxpool2d", 2, 3, 5, 6, 3, 2, 1)
    pool("avgpool_pad", "avgpool2d", 2, 3, 5, 6, 3, 2, 1)
    global_pool("global_max", "global_maxpool", 2, 3, 3, 4)
    global_pool("global_avg", "global_avgpool", 2, 3, 3, 4)
    dense("dense", 3, 5, 4)
    activation("relu", "relu", lambda v: max(v, 0.0), lambda v: float(v > 0))
    activation("elu", "elu", lambda v: v if v > 0 else 0.7 * (math.exp(v) - 1),
               lambda v: 1.0 if v > 0 else 0.7 * math.exp(v), alpha=0.7)
    activation("gelu", "gelu", lambda v: v * 0.5 * (1 + math.erf(v / math.sqrt(2))),
               lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))) +
               v * math.exp(-v * v / 2) / math.sqrt(2 * math.pi))
    softmax("softmax")
    batchnorm("batchnorm", 3, 2, 2, 3)
    cross_entropy("cross_entropy", [2, 0, 3, 1], 4, 0.1)
    adam("adam", 5, 4)
    nesterov("nesterov", 5, 4)
    (OUT / "manifest.tsv").write_text("#name\tkind\tparameters\ttensors\n" + "\n".join(LINES) + "\n")


if __name__ == "__main__":
    main()
