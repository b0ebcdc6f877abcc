"""Files that must be refused: what is wrong with each, and words of the message."""
import json
import zipfile

import h5py
import numpy as np

import write
from write import Net, functional, sequential2, sequential3, write_h5, write_keras


def plain():
    return Net((8, 8, 1), 20).conv(3, activation="relu").add("Flatten").dense(3, "softmax")


def with_layer(kind, **config):
    """A layer that cannot be imported, after the first."""
    net = plain()
    out = sequential2(net, True)
    out["config"]["layers"].insert(2, {"class_name": kind, "config": {"name": "odd_one", **config}})
    return net, out


def changed(index, module=None, **config):
    """A configuration with a few members changed in one layer."""
    net = plain()
    out = sequential2(net, True)
    out["config"]["layers"][index]["config"].update(config)
    if module:
        out["config"]["layers"][index]["module"] = module
    return net, out


KERNEL = "model_weights/conv2d/conv2d/kernel:0"


def configurations():
    lay = 'layer "odd_one" '
    return {
        "lambda": (with_layer("Lambda", function=["4wEA", None, None]), lay + r"\(Lambda\): is not supported"),
        "lstm": (with_layer("LSTM", units=3), lay + r"\(LSTM\)"),
        "separable": (with_layer("SeparableConv2D", filters=3), lay),
        "model": (with_layer("Sequential", layers=[]), lay + r"\(Sequential\)"),
        "prelu": (with_layer("PReLU"), lay),
        "relu6": (with_layer("ReLU", max_value=6.0), lay + ".*max_value"),
        "rescaling": (with_layer("Rescaling", scale=0.5, offset=0), lay + ".*before all other layers"),
        "padding": (with_layer("ZeroPadding2D", padding=1), "ZeroPadding2D.*before a Conv2D"),
        "selu": (with_layer("Activation", activation="selu"), "activation selu is not supported"),
        "first": (changed(1, data_format="channels_first"), r'layer "conv2d" \(Conv2D\): data_format is channels_first'),
        "groups": (changed(1, groups=3), "has 3 groups"),
        "causal": (changed(1, padding="causal"), "padding is causal"),
        "filters": (changed(1, filters="many"), "filters must be a whole number"),
        "kernel": (changed(1, kernel_size=[3, 3, 3]), "kernel_size"),
        "shape": (changed(1, filters=4), r'layer "conv2d" \(Conv2D\): weight .* has the shape \(3, 3, 1, 3\), expected'),
        "nobias": (changed(1, use_bias=False), "the file has 2 weights, expected 1"),
        "renamed": (changed(1, name="other"), 'layer "other".* the file has 0 weights'),
        "custom": (changed(1, module="my.own"), "none of Keras' own"),
        "sigmoids": (changed(3, activation="sigmoid"), "sigmoid of 3 outputs"),
        "logits": (changed(3, activation="linear"), "--softmax"),
        "relu_end": (changed(3, activation="relu"), "does not end in a softmax"),
        "rank3": (changed(0, batch_input_shape=[None, 8, 8]), "rows x columns x channels"),
        "two": (changed(0, batch_input_shape=[None, 8, 8, 2]), ""),
        "open": (changed(0, batch_input_shape=[None, None, None, 1]), "--size"),
        "huge": (changed(0, batch_input_shape=[None, 9000, 9000, 1]), "4096"),
        "axis": (with_layer("BatchNormalization", axis=[1]), "axis is not the last"),
    }


def forked():
    net = plain()
    out = functional(net, 2)
    out["config"]["layers"][1]["inbound_nodes"] = [[["first", 0, 0, {}], ["conv2d", 0, 0, {}]]]
    return net, out


def merged():
    net = plain()
    out = functional(net, 2)
    out["config"]["layers"].append({"class_name": "Dense", "name": "aside", "config": {"name": "aside"},
                                    "inbound_nodes": [[["first", 0, 0, {}]]]})
    return net, out


def write_refused(folder):
    """Names of files and patterns of their messages."""
    out = []

    def h5(name, pattern, spoil=None, net=None, config=None, **how):
        path = f"{folder}/{name}.h5"
        net = net or plain()
        write_h5(path, net, config or sequential2(net, True), how.pop("variable", None), **how)
        if spoil:
            with h5py.File(path, "r+") as f:
                spoil(f)
        out.append((path, pattern))

    for name, ((net, config), pattern) in configurations().items():
        h5(f"bad-{name}", pattern, net=net, config=config)
    for name, (net, config), pattern in (("two-inputs", forked(), "several places"),
                                         ("branch", merged(), "several read from")):
        h5(f"bad-{name}", pattern, net=net, config=config)

    def replace(data=None, **how):
        def spoil(f):
            old = np.array(f[KERNEL])
            del f[KERNEL]
            f.create_dataset(KERNEL, data=old if data is None else data, **how)
        return spoil

    def link(target):
        def spoil(f):
            del f[KERNEL]
            f[KERNEL] = target
        return spoil

    def external(f):
        del f[KERNEL]
        f.create_dataset(KERNEL, (3, 3, 1, 3), "<f4", external=[("/etc/hostname", 0, 4 * 27)])

    def virtual(f):
        del f[KERNEL]
        layout = h5py.VirtualLayout((3, 3, 1, 3), "<f4")
        layout[...] = h5py.VirtualSource("/etc/hostname", "x", (3, 3, 1, 3))
        f.create_virtual_dataset(KERNEL, layout)

    def bomb(f):
        del f[KERNEL]
        f.create_dataset(KERNEL, (60000, 60000), "<f4")

    def unwritten(f):
        del f[KERNEL]
        f.create_dataset(KERNEL, (3, 3, 1, 3), "<f4")

    def attribute(name, value, at="/"):
        def spoil(f):
            if name in f[at].attrs:
                del f[at].attrs[name]
            if value is not None:
                f[at].attrs[name] = value
        return spoil

    def remove(name):
        def spoil(f):
            del f[name]
        return spoil

    h5("bad-gzip", "chunks or compressed", replace(compression="gzip"))
    h5("bad-chunks", "chunks or compressed", replace(chunks=(3, 3, 1, 1)))
    h5("bad-double", "not of 32-bit floats", replace(dtype="<f8"))
    h5("bad-integers", "not of 32-bit floats", replace(np.zeros((3, 3, 1, 3), "<i4")))
    h5("bad-soft", "a link to another place", link(h5py.SoftLink("/model_weights/dense/dense/kernel:0")))
    h5("bad-elsewhere", "a link to another place", link(h5py.ExternalLink("/etc/hostname", "/x")))
    h5("bad-external", "another file", external)
    h5("bad-virtual", "chunks|cannot be read", virtual)
    h5("bad-bomb", "400000000 values", bomb)
    h5("bad-unwritten", "cannot be read", unwritten)
    h5("bad-missing", "is missing", remove(KERNEL))
    h5("bad-nogroup", 'no group "conv2d"', remove("model_weights/conv2d"))
    h5("bad-nan", "not finite", replace(np.full((3, 3, 1, 3), np.nan, "<f4")))
    def weights_alone(f):
        del f.attrs["model_config"]
        f.attrs["layer_names"] = f["model_weights"].attrs["layer_names"]
        for layer in list(f["model_weights"]):
            f.move(f"model_weights/{layer}", layer)
        del f["model_weights"]

    h5("bad-weights", "weights alone.*save the whole", weights_alone)
    h5("bad-noconfig", "without model_config", attribute("model_config", None))
    h5("bad-json", "no JSON", attribute("model_config", np.bytes_(b"{]")))
    h5("bad-empty", "not that of a Keras model", attribute("model_config", np.bytes_(b"{}")))
    h5("bad-subclass", "of the class Mine", attribute("model_config", np.bytes_(b'{"class_name": "Mine", "config": {}}')))
    h5("bad-number", "no text", attribute("model_config", 7))
    h5("bad-list", 'cannot be read', attribute("layer_names", np.array([b"x"] * 5000), "model_weights"))
    h5("bad-dots", "path|no group", attribute("layer_names", np.array([b"../conv2d"]), "model_weights"))
    h5("bad-number-names", "no text", attribute("weight_names", np.array([1, 2]), "model_weights/conv2d"))
    with h5py.File(f"{folder}/bad-other.h5", "w") as f:
        f["x"] = 1
    out.append((f"{folder}/bad-other.h5", "not a Keras model"))
    with h5py.File(f"{folder}/bad-weights3.h5", "w") as f:
        f.create_group("layers")
    out.append((f"{folder}/bad-weights3.h5", "weights alone"))
    whole = open(f"{folder}/bad-weights.h5", "rb").read()
    for name, data in (("cut", whole[:3000]), ("head", whole[:8])):
        open(f"{folder}/bad-{name}.h5", "wb").write(data)
        out.append((f"{folder}/bad-{name}.h5", "libhdf5 can open|cannot be read"))

    # libhdf5 1.10.8 goes round for ever in a heap of zeros.
    path = f"{folder}/bad-circle.h5"
    net = Net((6, 6, 1), 11).conv(2, activation="relu").bn(scale=False).pool().add("Flatten").dense(2, "softmax")
    write_h5(path, net, sequential2(net, False), None, texts="utf-8")
    data = bytearray(open(path, "rb").read())
    at = data.index(b'"layers"')
    data[at:at + 4000] = bytes(4000)
    open(path, "wb").write(data)
    out.append((path, "libhdf5 is not done with it|cannot be read|no JSON"))

    # ---- zip ----
    net = plain()
    for name, leave, pattern in (("noconfig", "config.json", "without config.json"),
                                 ("noweights", "model.weights.h5", "no model.weights.h5")):
        write_keras(f"{folder}/bad-{name}.keras", net, sequential3(net), leave_out=(leave,))
        out.append((f"{folder}/bad-{name}.keras", pattern))
    write_keras(f"{folder}/bad-place.keras", net, sequential3(net), place="elsewhere/{}")
    out.append((f"{folder}/bad-place.keras", 'no group "layers/conv2d/vars"'))
    with zipfile.ZipFile(f"{folder}/bad-bomb.keras", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("config.json", json.dumps(sequential3(net)))
        z.writestr("model.weights.h5", bytes(100 << 20))
    out.append((f"{folder}/bad-bomb.keras", "unpacks from"))
    data = bytearray(open(f"{folder}/bad-place.keras", "rb").read())
    data[data.index(b"Sequential") + 3] ^= 1
    open(f"{folder}/bad-crc.keras", "wb").write(data)
    out.append((f"{folder}/bad-crc.keras", "config.json is damaged"))
    open(f"{folder}/bad-cut.keras", "wb").write(data[:len(data) // 2])
    out.append((f"{folder}/bad-cut.keras", "not a zip archive"))
    return out
