"""How much of a batch its largest class holds: the mean over an arm's recorded batches, an epoch a column.

    python docs/results/purity.py runs/digits-importance-<hash> shuffled hardest-first hardest-first-rescored

For runs on digits. 0.1 would be perfect balance over ten classes, 1 batches of one class each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from py_backend import datasets


def main(directory: Path, arms: list[str]) -> None:
    digits = datasets.find("digits")
    labels = digits.load(Path(), digits.options()).train.labels
    for arm in arms:
        runs = sorted((directory / arm).glob("seed-*/orders"))
        epochs = len(list(runs[0].glob("*.u32")))
        means = [np.mean([share for run in runs for share in purities(run, epoch, labels)]) for epoch in range(epochs)]
        print(arm, " ".join(f"{mean:.2f}" for mean in means))


def purities(orders: Path, epoch: int, labels: np.ndarray) -> list[float]:
    """The share of the largest class, of each batch."""
    classes = labels[np.fromfile(orders / f"{epoch:04}.u32", "<u4")]
    offsets = json.loads((orders / f"{epoch:04}.json").read_text())["offsets"]
    return [float(np.bincount(batch).max() / len(batch)) for batch in np.split(classes, offsets[1:-1])]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
