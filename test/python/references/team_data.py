"""Datasets as a team has them: 40 + 10 images of 12 × 12, 3 classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset


def pixels(train: bool) -> tuple[Any, Any]:
    generator = np.random.default_rng(1 if train else 2)
    count = 40 if train else 10
    return generator.integers(0, 256, (count, 12, 12), dtype=np.uint8), np.arange(count) % 3


def arrays() -> Any:
    return pixels(True), pixels(False)


def named() -> dict[str, Any]:
    return {"train": pixels(True), "test": pixels(False), "class_names": "abc", "mean": [0.5], "std": [0.25]}


def tensors() -> Any:
    """Normalised by the team itself."""
    return [(torch.from_numpy(x)[:, None] / 255 - 0.5, torch.from_numpy(y)) for x, y in arrays()]


class Items(Dataset[tuple[Tensor, int]]):
    """As `tensors`, image by image."""

    def __init__(self, train: bool = True) -> None:
        self.images, self.labels = pixels(train)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return torch.from_numpy(self.images[index])[None] / 255 - 0.5, int(self.labels[index])


class ByteItems(Items):
    """As `arrays`, image by image."""

    def __getitem__(self, index: int) -> tuple[Any, int]:  # type: ignore[override]
        return self.images[index], int(self.labels[index])


class Cropped(Items):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, label = super().__getitem__(index)
        return image + torch.rand(1), label


class Broken(Items):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if index == 17:
            raise OSError("17.png is truncated")
        return super().__getitem__(index)


class BreaksLater(Items):
    """Each item can be read three times: when it is opened, not when it is trained on."""

    def __init__(self, train: bool = True) -> None:
        super().__init__(train)
        self.reads = [0] * len(self)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        self.reads[index] += 1
        if index == 20 and self.reads[index] > 3:
            raise OSError("20.png is gone")
        return super().__getitem__(index)


class Unpicklable(Items):
    def __init__(self, train: bool = True) -> None:
        super().__init__(train)
        self.transform = lambda image: image


def both(kind: str) -> Any:
    make = globals()[kind]
    return make(True), make(False)


def wide() -> Any:
    return (np.zeros((4, 12, 12, 2), np.uint8), np.zeros(4, int)), pixels(False)


def negative() -> Any:
    images, labels = pixels(True)
    return (images, labels - 1), pixels(False)


def uneven() -> Any:
    images, labels = pixels(True)
    return (images, labels[:-1]), pixels(False)


def one() -> Any:
    return Items()
