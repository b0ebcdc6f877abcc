"""The PyTorch side of the comparisons: ecg-bench's networks, the fastest of the usual ways to train them, and whether they
are the same networks (as a program: `torch_side.py TEXT libecgcnn.so`). Imported by compare.py and compare_train.py."""
import ctypes
import json
import re
import sys
import time

# What an attribute is called and what it does where nothing is said, by layer.
KNOWN = {"conv2d": {"pad": "valid", "stride": "1", "bias": "1"}, "maxpool": {"stride": ""}, "dense": {"bias": "1"},
         "batchnorm": {"eps": "0.001", "momentum": "0.99"}, "flatten": {}, "global_maxpool": {}, "global_avgpool": {},
         "dropout": {}, "relu": {}, "elu": {}, "softmax": {}}


def pair(word):
    a, _, b = word.partition("x")
    return int(a), int(b or a)


def torch_net(text, nn):
    """The network of a canonical text, its input's shape and its number of classes; softmax is left to the loss."""
    items = [item.split() for item in re.split(r"[;\n]", text) if item.split()]
    assert items[0][0] == "input", text
    shape = list(map(int, items[0][1].split("x")))
    start, layers = tuple(shape), []

    def add(name, words):
        options = dict(x.split("=", 1) for x in words if "=" in x)
        sizes = [x for x in words if "=" not in x]
        if name not in KNOWN or set(options) - set(KNOWN[name]):
            sys.exit(f"not known here: {name} {' '.join(words)}")
        options = {**KNOWN[name], **options}
        if name == "conv2d":
            n, (kh, kw), (sh, sw) = int(sizes[0]), pair(sizes[1]), pair(options["stride"])
            same = options["pad"] == "same"
            if same and (sh, sw) != (1, 1) or options["pad"] not in ("same", "valid"):
                sys.exit(f"not known here: pad={options['pad']} with stride {sh}x{sw}")
            layers.append(nn.Conv2d(shape[2], n, (kh, kw), (sh, sw), "same" if same else 0,
                                    bias=options["bias"] == "1"))
            if not same:
                shape[0], shape[1] = (shape[0] - kh) // sh + 1, (shape[1] - kw) // sw + 1
            shape[2] = n
        elif name == "maxpool":
            (kh, kw) = pair(sizes[0] if sizes else "2x2")
            sh, sw = pair(options["stride"] or f"{kh}x{kw}")
            layers.append(nn.MaxPool2d((kh, kw), (sh, sw)))
            shape[0], shape[1] = (shape[0] - kh) // sh + 1, (shape[1] - kw) // sw + 1
        elif name in ("global_maxpool", "global_avgpool"):
            layers.extend([nn.AdaptiveMaxPool2d(1) if name == "global_maxpool" else nn.AdaptiveAvgPool2d(1),
                           nn.Flatten()])
            shape[:] = [1, 1, shape[2]]
        elif name == "flatten":
            layers.append(nn.Flatten())
            shape[:] = [1, 1, shape[0] * shape[1] * shape[2]]
        elif name == "dense":
            layers.append(nn.Linear(shape[2], int(sizes[0]), bias=options["bias"] == "1"))
            shape[2] = int(sizes[0])
        elif name == "batchnorm":
            flat = shape[0] == shape[1] == 1
            layers.append((nn.BatchNorm1d if flat else nn.BatchNorm2d)(
                shape[2], float(options["eps"]), 1 - float(options["momentum"])))
        elif name == "dropout":
            layers.append(nn.Dropout(float(sizes[0])))
        elif name == "relu":
            layers.append(nn.ReLU(inplace=True))
        elif name == "elu":
            layers.append(nn.ELU(float(sizes[0]) if sizes else 1.0, inplace=True))

    for name, *words in items[1:]:
        ending = words.pop() if words and words[-1] in ("relu", "elu") else None
        add(name, words)
        if ending:
            add(ending, [])
    return nn.Sequential(*layers), start, shape[2]


def trial(torch, net, x, y, foreach, steps=10):
    """Seconds of the fastest of a few steps."""
    adam = torch.optim.Adam(net.parameters(), eps=1e-7, foreach=foreach)
    best = float("inf")
    for k in range(steps):
        start = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(net(x), y).backward()
        adam.step()
        best = min(best, time.perf_counter() - start) if k else best
    return best


def faster_ways(torch, text, batch, layouts, steps=10):
    """Layout and foreach of Adam that train fastest, each tried for a moment."""
    ways = {}
    for layout in layouts:
        for foreach in (False, True):
            net, (h, w, c), classes = torch_net(text, torch.nn)
            x, y = torch.rand(batch, c, h, w), torch.randint(classes, (batch,))
            ways[layout, foreach] = trial(torch, net.to(memory_format=layout), x.to(memory_format=layout), y, foreach,
                                          steps)
    return min(ways, key=ways.get)


# ---- the same arithmetic? ----

class Step(ctypes.Structure):
    _fields_ = [("loss", ctypes.c_double), ("step", ctypes.c_uint64), ("correct", ctypes.c_uint32),
                ("n", ctypes.c_uint32), ("lr", ctypes.c_float)]


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("where", ctypes.c_uint32), ("message", ctypes.c_char * 504)]


def copy_weights(torch, lib, trainer, net):
    """The first weights of a trainer into a network."""
    modules = [m for m in net if hasattr(m, "weight")]
    sources = {}
    for i in range(1 << 16):
        name, count = ctypes.c_char_p(), ctypes.c_size_t()
        at = lib.ecg_trainer_tensor(trainer, ctypes.c_size_t(i), ctypes.byref(name), ctypes.byref(count))
        if not at:
            break
        layer, _, kind = name.value.decode().split(".")
        sources.setdefault(int(layer), {})[kind] = torch.tensor(at[:count.value])
    assert len(sources) == len(modules)
    channels = None  # of the last convolution
    with torch.no_grad():
        for _, tensors in sorted(sources.items()):
            m = modules.pop(0)
            if "gamma" in tensors:
                m.weight.copy_(tensors["gamma"]), m.bias.copy_(tensors["beta"])
                continue
            if m.weight.ndim == 4:
                out, channels, kh, kw = m.weight.shape
                m.weight.copy_(tensors["kernel"].view(kh, kw, channels, out).permute(3, 2, 0, 1))
                channels = out
            else:
                kernel = tensors["kernel"].view(m.in_features, m.out_features)
                if channels:  # rows, columns, channels here; channels, rows, columns there
                    kernel = kernel.view(-1, channels, m.out_features).transpose(0, 1).reshape(kernel.shape)
                m.weight.copy_(kernel.T)
                channels = None
            if m.bias is not None:
                m.bias.copy_(tensors["bias"])


def difference(text, library, steps=4):
    """Relative difference of the losses of the first step and of the last of a few, from the same weights; None where
    chance has a part. Where a gradient is near nothing, Adam makes much of its rounding."""
    import torch
    if "dropout" in text:
        return None
    lib = ctypes.CDLL(library)
    lib.ecg_trainer_tensor.restype = ctypes.POINTER(ctypes.c_float)
    spec, trainer, err = ctypes.c_void_p(), ctypes.c_void_p(), Error()
    if lib.ecg_spec_parse(ctypes.byref(spec), text.encode(), None, 0, ctypes.byref(err)) or \
            lib.ecg_trainer_new(ctypes.byref(trainer), spec, None, ctypes.byref(err)):
        sys.exit(err.message.decode())
    torch.manual_seed(1)
    net, (h, w, c), classes = torch_net(text, torch.nn)
    copy_weights(torch, lib, trainer, net)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7)
    differ = []
    for _ in range(steps):
        x, y = torch.rand(32, h, w, c), torch.randint(classes, (32,))
        labels, out = (ctypes.c_uint32 * 32)(*y.tolist()), Step()
        if lib.ecg_trainer_step(trainer, ctypes.c_void_p(x.data_ptr()), labels, ctypes.c_size_t(32), ctypes.byref(out),
                                ctypes.byref(err)):
            sys.exit(err.message.decode())
        adam.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(net(x.permute(0, 3, 1, 2).contiguous()), y)
        loss.backward()
        adam.step()
        differ.append(abs(loss.item() - out.loss) / out.loss)
    lib.ecg_trainer_free(trainer)
    lib.ecg_spec_free(spec)
    return differ[0], differ[-1]


if __name__ == "__main__":
    print(json.dumps(difference(*sys.argv[1:])))
