#!/usr/bin/env python3
"""The original project's ECG.h5, imported, against Keras' arithmetic in NumPy, over real pictures: probabilities to 1e-5, and
the same class wherever the two best are more than 1e-5 apart.

    keras_import.py TOOLS WORK [SHARED]     100 pictures of each file; with ECG_FULL=1 all
Exit status 77: h5py, PIL or the shared folder is missing.
"""
import csv
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "keras"))
try:
    import numpy as np
    from PIL import Image

    import oracle
except ImportError as e:
    print(f"SKIP: {e}")
    sys.exit(77)

SIZE, SAMPLE, GROUP = 64, 100, 64


def load(path):
    """As Keras' load_img and img_to_array, with color_mode rgb and nearest resizing."""
    with Image.open(path) as i:
        return np.asarray(i.convert("RGB").resize((SIZE, SIZE), Image.NEAREST), np.float32)


def keras(config, weights, paths, dtype):
    out = []
    for at in range(0, len(paths), GROUP):
        x = np.stack([load(p) for p in paths[at:at + GROUP]]) * np.float32(1 / 255)
        out.append(oracle.forward(config, weights, x.astype(dtype)))
    return np.concatenate(out)


def linked(work, data, every):
    """A folder of the same classes with every n-th picture of data."""
    paths = []
    for folder in sorted(p for p in data.iterdir() if p.is_dir()):
        (work / folder.name).mkdir(parents=True, exist_ok=True)
        for p in sorted(folder.iterdir())[::every]:
            link = work / folder.name / p.name
            if not link.exists():
                link.symlink_to(p)
            paths.append(link)
    return paths


def main():
    tools, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    shared = Path(sys.argv[3] if len(sys.argv) > 3 else os.environ.get("ECG_SHARED") or "nowhere") / "data"
    if not (shared / "keras").is_dir() or not (shared / "beat-images").is_dir():
        print(f"SKIP: no {shared}/keras and beat-images")
        return 77
    full = os.environ.get("ECG_FULL") == "1"
    work.mkdir(parents=True, exist_ok=True)
    folder = work / ("all" if full else "sample")
    data = (shared / "beat-images").resolve()
    paths = linked(folder, data, 1 if full else sum(1 for p in data.rglob("*.png")) // SAMPLE)
    names = work / "classes.txt"
    names.write_text("".join(p.name + "\n" for p in sorted(folder.iterdir())))
    bad = 0
    for source in sorted((shared / "keras").glob("*.h5")):
        config, weights = oracle.load_h5(source)
        want = keras(config, weights, paths, np.float64)
        single = keras(config, weights, paths, np.float32)
        for gray in [], ["--gray"]:
            model, table = work / "model.ecgm", work / "table.csv"
            subprocess.run([tools / "ecg-model", "import", source, "-o", model, "--rescale", "1/255", "--class-names", names,
                            *gray], check=True, stdout=subprocess.DEVNULL)
            subprocess.run([tools / "ecg-eval", "-m", model, folder, "--csv", table, "--quiet"], check=True,
                           stdout=subprocess.DEVNULL)
            with open(table, newline="") as f:
                rows = {(Path(r[0]).parent.name, Path(r[0]).name): r for r in list(csv.reader(f))[1:]}
            rows = [rows[p.parent.name, p.name] for p in paths]
            classes = names.read_text().splitlines()
            got = np.array([[float(v) for v in r[4:]] for r in rows])
            best = np.array([classes.index(r[2]) for r in rows])
            top = np.sort(want, axis=1)
            apart = top[:, -1] - top[:, -2] > 1e-5
            off, wrong = np.abs(got - want).max(), (best != want.argmax(axis=1))[apart].sum()
            print(f"{source.name} {' '.join(gray)}: {len(paths)} pictures, largest difference {off:.3g} "
                  f"(Keras' own in single precision {np.abs(single - want).max():.3g}), {apart.sum()} with the two best "
                  f"apart, {wrong} of another class; accuracy {(best == [classes.index(r[1]) for r in rows]).mean():.4f}")
            bad += off > 1e-5 or wrong > 0 or got.shape != want.shape
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
