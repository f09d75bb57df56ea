"""Losses of every training sample as plain PyTorch finds them, for a recorded run on digits without dropout.

    python test/e2e/plain_losses.py RUN_DIRECTORY EPOCHS LEARNING_RATE MOMENTUM OUT

The same initial weights (checked by their hash), a loop of its own over the recorded batches of EPOCHS epochs, then one
pass over all training samples. Writes float32 [n] to OUT. Of the backend: the digits, and the seed of the weights.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))
from py_backend import datasets
from py_backend.noise import derive, signed
from py_backend.opening import INITIAL_WEIGHTS_PLACE


def main(directory: Path, epochs: int, rate: float, momentum: float, out: Path) -> None:
    torch.set_num_threads(1)
    run = json.loads((directory / "run.json").read_text())
    digits = datasets.find("digits")
    data = digits.load(Path(), digits.options())
    # Normalised as x·scale − shift, and channels last: rounding alike, or 88 steps would amplify the difference.
    mean, std = (torch.tensor(values, dtype=torch.float64).view(1, -1, 1, 1) for values in (data.mean, data.std))
    pixels = torch.from_numpy(data.train.images).permute(0, 3, 1, 2).float()
    images = pixels * (1 / (255 * std)).float() - (mean / std).float()
    labels = torch.from_numpy(data.train.labels.astype("i8"))

    torch.manual_seed(signed(derive(run["seed"], INITIAL_WEIGHTS_PLACE)))
    model = nn.Sequential(
        *(nn.Conv2d(1, 64, 2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 32, 2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1152, 10)),
    )
    weights = b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())
    model = model.to(memory_format=torch.channels_last)
    assert hashlib.sha256(weights).hexdigest() == run["surroundings"]["initialWeightsSha256"]

    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
    for epoch in range(epochs):
        indices = np.fromfile(directory / f"orders/{epoch:04}.u32", "<u4").astype("i8")
        offsets = json.loads((directory / f"orders/{epoch:04}.json").read_text())["offsets"]
        for start, end in itertools.pairwise(offsets):
            rows = torch.from_numpy(indices[start:end])
            optimizer.zero_grad()
            F.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        losses = F.cross_entropy(model(images), labels, reduction="none")
    losses.numpy().astype("<f4").tofile(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5]))
