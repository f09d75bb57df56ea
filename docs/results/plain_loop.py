"""A plain PyTorch loop to hold our figures against: nn.Dropout, cross_entropy, SGD, a constant rate; no code of the
backend but the file readers.

    python docs/results/plain_loop.py mnist --data data --rate 0.01 --epochs 10
    python docs/results/plain_loop.py fashion-mnist --data data --rate 0.01 --orders runs/<run>/shuffled/seed-0

--orders trains on a run's recorded epochs, else each epoch is a torch.randperm of the whole set. --by-class sorts each
epoch by class. One thread.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2]))
from py_backend import datasets

NETS = {
    "mnist": lambda: nn.Sequential(
        *(nn.Conv2d(1, 64, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)),
        *(nn.Conv2d(64, 32, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)),
        *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(1152, 10)),
    ),
    "fashion-mnist": lambda: nn.Sequential(
        *(nn.Conv2d(1, 64, 2), nn.PReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 2), nn.PReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(128, 64, 2), nn.PReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, 10)),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=NETS)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--orders", type=Path, help="a run's directory")
    parser.add_argument("--by-class", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    definition = datasets.find(arguments.dataset)
    data = definition.load(arguments.data, definition.options())
    images, test_images = (normalised(part.images, data.mean, data.std) for part in (data.train, data.test))
    labels, test_labels = (torch.from_numpy(part.labels.astype("i8")) for part in (data.train, data.test))
    model = NETS[arguments.dataset]().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=arguments.rate, momentum=0.9, weight_decay=5e-4)

    step = 0
    for epoch, order in enumerate(epochs(arguments, len(labels))):
        if arguments.by_class:
            order = order[torch.argsort(labels[order], stable=True)]
        model.train()
        for rows in order.split(100):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images[rows]), labels[rows])
            if not torch.isfinite(loss):
                sys.exit(f"diverged at step {step}")
            loss.backward()
            optimizer.step()
            step += 1
        model.eval()
        with torch.no_grad():
            accuracy = (model(test_images).argmax(1) == test_labels).double().mean().item()
        print(f"epoch {epoch + 1}: test accuracy {100 * accuracy:.2f} %", flush=True)


def normalised(images: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return (pixels - mean[0]) / std[0]


def epochs(arguments: argparse.Namespace, count: int) -> Iterator[Tensor]:
    if arguments.orders is None:
        yield from (torch.randperm(count) for _ in range(arguments.epochs))
        return
    for file in sorted(arguments.orders.glob("orders/*.u32")):
        yield torch.from_numpy(np.fromfile(file, "<u4").astype("i8"))


if __name__ == "__main__":
    main()
