#!/usr/bin/env python3
"""The figures of ecg-eval against scikit-learn, to 1e-6, on random and adversarial cases.

    sklearn_metrics.py TOOLS WORK      exit status 77: no scikit-learn
"""
import csv
import json
import math
import subprocess
import sys
import warnings
from pathlib import Path

try:
    import numpy as np
    from sklearn import metrics as sk
except ImportError:
    print("SKIP: python3-sklearn is not installed")
    sys.exit(77)

warnings.simplefilter("ignore")
TOOLS, WORK = Path(sys.argv[1]), Path(sys.argv[2])
WORK.mkdir(parents=True, exist_ok=True)
failed = compared = 0


def write(path, truth, p, names, patients=None, status="ok"):
    with open(path, "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(["image", "truth", "predicted", "status"] + [f"p:{n}" for n in names]
                   + (["patient"] if patients is not None else []))
        for i, t in enumerate(truth):
            row = [f"{i}.png", names[t], names[int(np.argmax(p[i]))], status]
            row += [f"{v:.9g}" for v in p[i]] + ([patients[i]] if patients is not None else [])
            w.writerow(row)


def evaluate(*args):
    out = subprocess.run([TOOLS / "ecg-eval", "--merge", "--json", "--quiet", *args], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(out.stdout)


def same(case, what, got, want, tolerance=1e-6):
    global failed, compared
    compared += 1
    got = math.nan if got is None else got
    if not (math.isnan(got) and math.isnan(want)) and not abs(got - want) <= tolerance:
        failed += 1
        print(f"FAILED {case}: {what} is {got!r}, scikit-learn says {want!r}")


def ratio(a, b):
    return a / b if b else math.nan


def ece(p, hit, bins=15):
    top = p.max(1).astype(float)
    which = np.clip(np.ceil(top * bins) - 1, 0, bins - 1).astype(int)
    return sum(abs(hit[which == b].sum() - top[which == b].sum()) for b in range(bins)) / len(p)


def compare(case, truth, p, names):
    p = p.astype(np.float32)
    truth = np.asarray(truth)
    path = WORK / "case.csv"
    write(path, truth, p, names)
    got = evaluate("--bootstrap", "0", path)
    k = len(names)
    guess = p.argmax(1)
    labels = np.unique(truth)
    hit = (guess == truth).astype(float)
    same(case, "accuracy", got["accuracy"], sk.accuracy_score(truth, guess))
    same(case, "balanced_accuracy", got["balanced_accuracy"], sk.balanced_accuracy_score(truth, guess))
    same(case, "kappa", got["kappa"], sk.cohen_kappa_score(truth, guess))
    clipped = np.clip(p.astype(float), 1e-7, 1)
    same(case, "loss", got["loss"], -np.log(clipped[np.arange(len(truth)), truth]).mean())
    if k > 1 and np.allclose(p.sum(1), 1, atol=1e-6):
        # scikit-learn divides by the sum and clips at 1 - eps: up to some 1e-7 beside our loss.
        same(case, "loss of sklearn", got["loss"], sk.log_loss(truth, p.astype(float), labels=range(k), eps=1e-7), 3e-6)
    onehot = np.eye(k)[truth]
    same(case, "brier", got["brier"], ((p.astype(float) - onehot) ** 2).sum(1).mean())
    if k == 2 and np.allclose(p.sum(1), 1, atol=1e-7):
        same(case, "brier of sklearn", got["brier"], 2 * sk.brier_score_loss(truth == 1, p[:, 1].astype(float)), 1e-6)
    same(case, "ece", got["ece"], ece(p, hit))
    for average in "macro", "weighted":
        se, ppv, f1 = [f(truth, guess, labels=labels, average=average, zero_division=0)
                       for f in (sk.recall_score, sk.precision_score, sk.f1_score)]
        same(case, f"{average} sensitivity", got[average]["sensitivity"], se)
        same(case, f"{average} ppv", got[average]["ppv"], ppv)
        same(case, f"{average} f1", got[average]["f1"], f1)
        if len(labels) == k and k > 2 and np.allclose(p.sum(1), 1, atol=1e-6):
            exact = p.astype(float) / p.astype(float).sum(1, keepdims=True)
            one = [sk.roc_auc_score(truth == c, p[:, c]) for c in range(k)]
            weight = np.bincount(truth, minlength=k) if average == "weighted" else None
            same(case, f"{average} auc", got[average]["auc"], np.average(one, weights=weight))
            if np.array_equal(exact.astype(np.float32), p):
                same(case, f"{average} auc, ovr", got[average]["auc"],
                     sk.roc_auc_score(truth, exact, multi_class="ovr", average=average), 1e-5)
    same(case, "macro_f1", got["macro_f1"], sk.f1_score(truth, guess, labels=labels, average="macro"))
    confusion = sk.confusion_matrix(truth, guess, labels=range(k))
    if got["confusion"] != confusion.tolist():
        same(case, "confusion", 0, 1)
    rows = sk.confusion_matrix(truth, guess, labels=labels, normalize="true")
    for i, c in enumerate(labels):
        for j, d in enumerate(labels):
            inside = confusion[c][labels].sum()
            if inside == confusion[c].sum():
                same(case, f"confusion_rows {c} {d}", got["confusion_rows"][c][d], rows[i][j])
    for c in range(k):
        row, is_c = got["classes"][c], truth == c
        tp, fn, fp = confusion[c, c], confusion[c].sum() - confusion[c, c], confusion[:, c].sum() - confusion[c, c]
        tn = len(truth) - tp - fn - fp
        same(case, f"support {c}", row["support"], is_c.sum())
        same(case, f"sensitivity {c}", row["sensitivity"], ratio(tp, tp + fn))
        same(case, f"specificity {c}", row["specificity"], ratio(tn, tn + fp))
        same(case, f"ppv {c}", row["ppv"], ratio(tp, tp + fp))
        same(case, f"f1 {c}", row["f1"], ratio(2 * tp, 2 * tp + fp + fn))
        both = 0 < is_c.sum() < len(truth)
        same(case, f"auc {c}", row["auc"], sk.roc_auc_score(is_c, p[:, c]) if both else math.nan)
        same(case, f"pr_auc {c}", row["pr_auc"], sk.average_precision_score(is_c, p[:, c]) if is_c.any() else math.nan)
    return got


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


rng = np.random.default_rng(20)
for k in 2, 3, 7:
    for n in 1, 2, 30, 1500:
        truth = rng.integers(0, k, n)
        compare(f"random {k} x {n}", truth, softmax(rng.normal(0, 2, (n, k)) + 1.5 * np.eye(k)[truth]),
                [f"c{i}" for i in range(k)])
names = ["N", "S", "V", "F"]
truth = rng.integers(0, 4, 400)
coarse = rng.integers(0, 5, (400, 4)) / 4
got = compare("ties", truth, coarse, names)
guess = coarse.argmax(1)
se = [sk.recall_score(truth == c, guess == c) for c in (1, 2)]
ppv = [sk.precision_score(truth == c, guess == c) for c in (1, 2)]
same("j", "j_index", got["j_index"], sum(se) + sum(ppv))
same("j", "j_kappa", got["j_kappa"], sk.cohen_kappa_score(truth, guess) / 2 + (sum(se) + sum(ppv)) / 8)
compare("all the same score", truth, np.full((400, 4), 0.25), names)
compare("zeros and ones", truth, np.eye(4)[rng.integers(0, 4, 400)], names)
compare("all right", truth, np.eye(4)[truth], names)
compare("all wrong", truth, np.eye(4)[(truth + 1) % 4], names)
compare("one class only", np.full(50, 2), softmax(rng.normal(0, 1, (50, 4))), names)
compare("an empty class", rng.integers(0, 3, 300), softmax(rng.normal(0, 1, (300, 4))), names)
compare("a class that is never predicted", truth, softmax(rng.normal(0, 1, (400, 4)) - [0, 50, 0, 0]), names)
compare("a single class", np.zeros(5, int), np.ones((5, 1)), ["only"])
compare("tiny scores", truth, coarse * 1e-38, names)
compare("names to quote", truth[:50], coarse[:50], ['a,b', 'c "d"', 'e', 'ü'])

# Merged files are as one; intervals: over patients when they are named, and as wide as patients differ.
p = softmax(rng.normal(0, 1, (600, 4)) + 1.2 * np.eye(4)[rng.integers(0, 4, 600)])
truth = p.argmax(1)
bad = np.repeat(np.arange(20), 30) % 4 == 0  # every fourth patient is hard
wrong = bad & (rng.random(600) < 0.8)
truth = np.where(wrong, (truth + 1) % 4, truth)
who = [f"p{i // 30}" for i in range(600)]
write(WORK / "all.csv", truth, p, names, who)
write(WORK / "a.csv", truth[:200], p[:200], names, who[:200])
write(WORK / "b.csv", truth[200:], p[200:], names, who[200:])
whole, merged = evaluate(WORK / "all.csv"), evaluate(WORK / "a.csv", WORK / "b.csv")
files = merged.pop("files"), whole.pop("files")
same("merge", "all figures", 0.0 if whole == merged else 1.0, 0.0)
same("merge", "files", sum(f["images"] for f in files[0]), 600)
write(WORK / "plain.csv", truth, p, names)
plain = evaluate(WORK / "plain.csv")
same("intervals", "by", float(whole["ci"]["by"] == "patients" and whole["ci"]["units"] == 20), 1)
same("intervals", "by pictures", float(plain["ci"]["by"] == "pictures" and plain["ci"]["units"] == 600), 1)
hit = (p.astype(np.float32).argmax(1) == truth).astype(float)
for result, units in (whole, hit.reshape(20, 30).mean(1)), (plain, hit):
    draws = rng.choice(units, (20000, len(units))).mean(1)
    for end, q in zip(result["ci"]["accuracy"], (2.5, 97.5)):
        same("intervals", f"accuracy {q} % over {len(units)}", end, np.percentile(draws, q),
             0.005 + 1 / len(units))  # one patient more or less
width = [r["ci"]["accuracy"][1] - r["ci"]["accuracy"][0] for r in (whole, plain)]
same("intervals", "patients are wider", float(width[0] > 2 * width[1]), 1)
same("intervals", "again the same", float(evaluate(WORK / "all.csv", "--threads", "1")["ci"] == whole["ci"]), 1)
same("intervals", "another seed", float(evaluate(WORK / "all.csv", "--seed", "2")["ci"] != whole["ci"]), 1)

print(f"passed {compared - failed} of {compared}")
sys.exit(bool(failed) or not compared)
