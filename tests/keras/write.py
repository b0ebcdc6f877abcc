"""Keras files as Keras of several versions writes them, by h5py and zipfile: networks with random weights, and files that
must be refused."""
import io
import json
import struct
import zipfile

import h5py
import numpy as np

import oracle


# ---- layers: class, configuration, shapes of weights ----

class Net:
    """A chain of layers that knows its shapes, so that weights can be drawn."""

    def __init__(self, shape, seed=1):
        self.shape, self.at, self.layers, self.weights = list(shape), list(shape), [], {}
        self.rng = np.random.default_rng(seed)
        self.count = {}

    def name(self, kind):
        base = oracle.snake(kind)
        n = self.count.get(base, 0)
        self.count[base] = n + 1
        return base + (f"_{n}" if n else "")

    def add(self, kind, weights=(), name=None, **config):
        name = name or self.name(kind)
        self.layers.append((kind, name, {"name": name, "trainable": True, **config}))
        self.weights[name] = [np.asarray(w, np.float32) for w in weights]
        x = np.zeros([1] + self.at, np.float32)
        self.at = list(oracle.layer_forward(x, kind, config, self.weights[name]).shape[1:])
        return self

    def draw(self, *shape):
        return self.rng.normal(0, 0.4, shape)

    def conv(self, filters, size=3, strides=1, padding="valid", bias=True, dilation=1, activation="linear", **more):
        kh, kw = oracle.pair(size)
        w = [self.draw(kh, kw, self.at[2], filters)] + ([self.draw(filters)] if bias else [])
        return self.add("Conv2D", w, filters=filters, kernel_size=[kh, kw], strides=oracle.pair(strides),
                        padding=padding, data_format="channels_last", dilation_rate=oracle.pair(dilation), groups=1,
                        activation=activation, use_bias=bias, **more)

    def dense(self, units, activation="linear", bias=True, **more):
        w = [self.draw(self.at[-1], units) / 2] + ([self.draw(units)] if bias else [])
        return self.add("Dense", w, units=units, activation=activation, use_bias=bias, **more)

    def bn(self, scale=True, center=True, epsilon=1e-3, **more):
        c = self.at[-1]
        w = [self.draw(c) + 1] * scale + [self.draw(c)] * center + [self.draw(c), self.rng.uniform(0.2, 2, c)]
        return self.add("BatchNormalization", w, axis=[len(self.at)], momentum=0.9, epsilon=epsilon, scale=scale,
                        center=center, **more)

    def pool(self, kind="Max", size=2, strides=None, padding="valid"):
        return self.add(f"{kind}Pooling2D", pool_size=oracle.pair(size), padding=padding,
                        strides=strides and oracle.pair(strides), data_format="channels_last")


def networks():
    """Name and network, every kind of layer and attribute somewhere."""
    out = {}
    out["seed"] = Net((16, 16, 3)).conv(4, activation="relu").pool().conv(4, activation="relu").pool() \
        .add("Flatten", data_format="channels_last").dense(8).dense(6, "softmax")
    n = Net((13, 17, 3), 2).conv(5, (3, 2), (2, 1), "same", bias=False).bn().add("Activation", activation="elu")
    n.pool("Average", (3, 2), (2, 3), "same").conv(4, 3, padding="same", dilation=2, activation="silu")
    n.bn(scale=False, epsilon=1e-5).add("ReLU", max_value=None, negative_slope=0.0, threshold=0.0)
    n.add("SpatialDropout2D", rate=0.2).pool("Max", 3, 2, "same").bn(center=False).add("LeakyReLU", alpha=0.2)
    out["many"] = n.add("Flatten").dense(7, "tanh", bias=False).add("Dropout", rate=0.5).bn().dense(3) \
        .add("Softmax", axis=-1)
    out["jun"] = Net((16, 16, 1), 3).conv(4, activation="elu").bn().conv(4, activation="elu").bn().pool() \
        .conv(6, padding="same", activation="elu").bn().add("Flatten").dense(8, "elu").bn().add("Dropout", rate=0.5) \
        .dense(8, "softmax")
    n = Net((12, 12, 3), 4).add("ZeroPadding2D", padding=[[1, 2], [0, 3]]).conv(4, strides=2, activation="gelu")
    n.add("ELU", alpha=0.7).add("GlobalMaxPooling2D", keepdims=False)
    out["global"] = n.dense(5, "sigmoid").dense(4, "softmax")
    out["places"] = Net((9, 8, 1), 6).dense(4, "relu").conv(3, 2, activation="leaky_relu") \
        .add("GlobalAveragePooling2D", keepdims=True).add("Flatten").dense(3, "softmax")
    out["rescaling"] = Net((8, 8, 3), 6).add("Rescaling", scale=1 / 127.5, offset=-1.0).add("RandomFlip", mode="x") \
        .conv(3, activation="swish").add("Flatten").dense(2, "softmax")
    out["channels"] = Net((8, 8, 3), 7).add("Rescaling", scale=[0.01, 0.02, 0.005], offset=[0.1, -0.2, 0.3]) \
        .conv(3, activation="relu").add("Flatten").dense(2, "softmax")
    out["binary"] = Net((8, 8, 1), 8).conv(3, activation="relu").add("Flatten").dense(1, "sigmoid")
    out["logits"] = Net((8, 8, 1), 9).conv(3, activation="relu").add("Flatten").dense(4)
    out["flat"] = Net((6, 5, 3), 10).pool().add("Flatten").dense(9, "relu").dense(3, "softmax")
    return out


# ---- configurations of several versions ----

def entry2(kind, name, config, shape=None):
    config = dict(config, dtype="float32")
    if shape:
        config["batch_input_shape"] = [None] + shape
    return {"class_name": kind, "config": config}


def entry3(kind, name, config, build=None):
    config = dict(config, dtype={"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"},
                                 "registered_name": None})
    if isinstance(config.get("activation"), str) and kind == "Activation":
        config["activation"] = {"module": "builtins", "class_name": "function", "config": config["activation"],
                                "registered_name": "function"}
    if kind == "LeakyReLU":
        config["negative_slope"] = config.pop("alpha")
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None,
            "build_config": {"input_shape": build}}


def sequential2(net, input_layer):
    shape = net.shape
    layers = [entry2(k, n, c) for k, n, c in net.layers]
    if input_layer:
        layers.insert(0, entry2("InputLayer", "in", {"name": net.layers[0][1] + "_input"}, shape))
    else:
        layers[0]["config"]["batch_input_shape"] = [None] + shape
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}


def sequential_old(net):
    """Before Keras 2.2.3: a list instead of an object, and dtype nowhere."""
    return {"class_name": "Sequential", "config": sequential2(net, False)["config"]["layers"]}


def sequential3(net):
    layers = [{"module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
               "config": {"batch_shape": [None] + net.shape, "dtype": "float32", "sparse": False, "name": "input"}}]
    layers += [entry3(k, n, c, [None] + net.shape) for k, n, c in net.layers]
    return {"module": "keras", "class_name": "Sequential", "registered_name": "Sequential",
            "config": {"name": "sequential", "trainable": True, "layers": layers,
                       "build_input_shape": [None] + net.shape},
            "build_config": {"input_shape": [None] + net.shape}}


def functional(net, version):
    make = entry2 if version == 2 else entry3
    first = make("InputLayer", "first", {"name": "first", "batch_input_shape" if version == 2 else "batch_shape":
                                         [None] + net.shape})
    layers, before = [dict(first, name="first", inbound_nodes=[])], "first"
    for kind, name, config in net.layers:
        if version == 2:
            nodes = [[[before, 0, 0, {}]]]
        else:
            nodes = [{"args": [{"class_name": "__keras_tensor__", "config": {
                "shape": [None, 1], "dtype": "float32", "keras_history": [before, 0, 0]}}], "kwargs": {}}]
        layers.append(dict(make(kind, name, config), name=name, inbound_nodes=nodes))
        before = name
    order = layers[:1] + layers[:0:-1]  # not the order they are run in
    ends = [["first", 0, 0]], [[before, 0, 0]]
    if version == 3:
        ends = ends[0][0], ends[1][0]
    return {"class_name": "Functional", "config": {"name": "model", "layers": order, "input_layers": ends[0],
                                                   "output_layers": ends[1]}}


# ---- files ----

def names_attribute(group, name, values, variable, split=0):
    if not values:
        group.attrs[name] = np.array([])  # as Keras does: of float64
        return
    if split:
        for i in range(0, len(values), split):
            names_attribute(group, f"{name}{i // split}", values[i:i + split], variable)
    elif variable:
        group.attrs.create(name, values, dtype=h5py.string_dtype("utf-8" if variable == "utf-8" else "ascii"))
    else:
        group.attrs[name] = np.array([v.encode() for v in values])


def text_attribute(group, name, value, variable):
    if variable:
        group.attrs.create(name, value, dtype=h5py.string_dtype("utf-8" if variable == "utf-8" else "ascii"))
    else:
        group.attrs[name] = np.bytes_(value.encode())


def write_h5(path, net, config, variable, suffix=":0", prefix="", version="2.4.0", split=0, texts=None, libver=None):
    texts = texts or variable
    with h5py.File(path, "w", libver=libver) as f:
        text_attribute(f, "keras_version", version, texts)
        text_attribute(f, "backend", "tensorflow", texts)
        text_attribute(f, "model_config", json.dumps(config), texts)
        root = f.create_group("model_weights")
        names_attribute(root, "layer_names", [n for _, n, _ in net.layers], variable, split)
        for kind, name, c in net.layers:
            g = root.create_group(name)
            labels = ["kernel", "bias"]
            if kind == "BatchNormalization":
                labels = ["gamma"] * c["scale"] + ["beta"] * c["center"] + ["moving_mean", "moving_variance"]
            weights = net.weights[name]
            names = [f"{prefix}{name}/{label}{suffix}" for label in labels[:len(weights)]]
            names_attribute(g, "weight_names", names, variable)
            for n, w in zip(names, weights):
                g.create_dataset(n, data=w)
        if version.startswith("3"):
            names_attribute(root.create_group("top_level_model_weights"), "weight_names", [], variable)
        f.create_group("optimizer_weights").create_dataset("iter", data=np.int64(3))


def weights_h5(net, place="layers/{}"):
    out, seen = io.BytesIO(), {}
    with h5py.File(out, "w") as f:
        f.create_group("vars")
        for kind, name, _ in net.layers:
            base = oracle.snake(kind)
            n = seen.get(base, 0)
            seen[base] = n + 1
            g = f.create_group(place.format(base + (f"_{n}" if n else ""))).create_group("vars")
            for i, w in enumerate(net.weights[name]):
                g[str(i)] = w
    return out.getvalue()


def write_keras(path, net, config, place="layers/{}", compress=False, version="3.3.3", leave_out=()):
    how = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w") as z:
        for name, data in (("metadata.json", json.dumps({"keras_version": version, "date_saved": "x"})),
                           ("config.json", json.dumps(config)), ("model.weights.h5", weights_h5(net, place))):
            if name not in leave_out:
                z.writestr(zipfile.ZipInfo(name), data, how)  # the same bytes every time


def write_good(folder):
    """Each network in each form; the names of the files, with network and configuration."""
    out = []

    def note(path, net, config):
        out.append((path, net, config))

    for name, net in networks().items():
        two, three = sequential2(net, True), sequential3(net)
        forms = {
            "fixed": lambda p: write_h5(p, net, sequential2(net, False), None, version="2.2.4-tf"),
            "variable": lambda p: write_h5(p, net, two, "utf-8", version="2.7.0"),
            "keras3": lambda p: write_h5(p, net, three, "utf-8", suffix="", prefix="sequential/", version="3.3.3"),
        }
        if name in ("seed", "many"):
            forms["old"] = lambda p: write_h5(p, net, sequential_old(net), None, version="2.0.8")
            forms["ascii"] = lambda p: write_h5(p, net, two, "ascii", split=2)
            forms["latest"] = lambda p: write_h5(p, net, three, "utf-8", suffix="", version="3.3.3", libver="latest")
            forms["fixedsplit"] = lambda p: write_h5(p, net, two, None, split=3)
            forms["functional2"] = lambda p: write_h5(p, net, functional(net, 2), None)
            forms["functional3"] = lambda p: write_h5(p, net, functional(net, 3), "utf-8", version="3.3.3")
        for form, write in forms.items():
            path = f"{folder}/{name}-{form}.h5"
            write(path)
            note(path, net, two)
        zips = {"keras": {}}
        if name in ("seed", "many"):
            zips.update(windows={"place": "layers\\{}"}, early={"place": "_layer_checkpoint_dependencies/{}"},
                        deflated={"compress": True})
        for form, how in zips.items():
            path = f"{folder}/{name}-{form}.keras"
            write_keras(path, net, functional(net, 3) if form == "early" else three, **how)
            note(path, net, two)
    return out


def records(net, config):
    """What the process that reads HDF5 says of such a file (tools/model/keras_records.c)."""
    def put(kind, data):
        return kind + struct.pack("<Q", len(data)) + data

    out = put(b"V", b"2.4.0") + put(b"C", json.dumps(config).encode())
    for _, name, _ in net.layers:
        out += put(b"G", name.encode())
        for w in net.weights[name]:
            out += put(b"W", struct.pack("<5I", w.ndim, *w.shape, *[0] * (4 - w.ndim)) + b"w") + put(b"D", w.tobytes())
    return out + put(b"Z", struct.pack("<i", 0))


def write_fixtures(folder):
    """Small files for the fuzz targets: write.py tests/fuzz/corpus"""
    net = Net((6, 6, 1), 11).conv(2, activation="relu").bn(scale=False).pool().add("Flatten").dense(2, "softmax")
    write_h5(f"{folder}/keras_h5/small.h5", net, sequential2(net, False), None, texts="utf-8")
    write_keras(f"{folder}/keras_zip/stored.keras", net, sequential3(net))
    write_keras(f"{folder}/keras_zip/deflated.keras", net, functional(net, 3), compress=True)
    every = networks()["many"]
    for name, data in (("small", records(net, sequential2(net, False))), ("chain", records(net, functional(net, 3))),
                       ("every", records(every, sequential3(every)))):
        with open(f"{folder}/keras_records/{name}", "wb") as f:
            f.write(data)


if __name__ == "__main__":
    import sys

    write_fixtures(sys.argv[1])
