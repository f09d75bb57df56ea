"""Datasets as a team has them: 40 + 10 images of 12 × 12, 3 classes."""

from __future__ import annotations

import multiprocessing
import random
import sys
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


class DrawsInVain(Items):
    """Draws from everybody's generators, more often from reading to reading; its items are always the same."""

    def __init__(self, train: bool = True) -> None:
        super().__init__(train)
        self.reads = 0

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        self.reads += 1
        for _ in range(self.reads % 7):
            torch.rand(1), np.random.rand(), random.random()
        return super().__getitem__(index)


class Broken(Items):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if index == 17:
            raise OSError("17.png is truncated")
        return super().__getitem__(index)


class BreaksLater(Items):
    """Item 20 can be read twice more in this process after it was opened, or in a worker that it was sent to."""

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
    return (np.zeros((4, 12, 12, 5), np.uint8), np.zeros(4, int)), pixels(False)


def negative() -> Any:
    images, labels = pixels(True)
    return (images, labels - 1), pixels(False)


def uneven() -> Any:
    images, labels = pixels(True)
    return (images, labels[:-1]), pixels(False)


def one() -> Any:
    return Items()


class OneOfUs(Items):
    """Items of class 2 are random, from item 8 on."""

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, label = super().__getitem__(index)
        return (image + torch.rand(1) if label == 2 and index >= 8 else image), label


class Relabelled(Items):
    """Item 9 has another class from its second reading on."""

    from_reading = 2

    def __init__(self, train: bool = True) -> None:
        super().__init__(train)
        self.reads = [0] * len(self)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, label = super().__getitem__(index)
        self.reads[index] += 1
        return image, label + 1 if index == 9 and self.reads[index] >= self.from_reading else label


class RelabelledLater(Relabelled):
    """Once training goes on."""

    from_reading = 3


class Labelled(ByteItems):
    """Item 9 has this label."""

    def __init__(self, label: Any, train: bool = True) -> None:
        super().__init__(train)
        self.label = label

    def __getitem__(self, index: int) -> tuple[Any, Any]:  # type: ignore[override]
        image, label = super().__getitem__(index)
        return image, self.label if index == 9 else label


LABELS = {
    "fraction": 0.7,
    "whole": 2.0,
    "digit": "2",
    "one-hot": np.array([0, 0, 1]),
    "negative": -1,
    "huge": 2**70,
    "tensor": torch.tensor(0.7),
    "missing": None,
}


def labelled(label: str) -> Any:
    return Labelled(LABELS[label]), ByteItems(False)


def integers() -> Any:
    """All kinds of whole numbers."""
    return Labelled(torch.tensor([0])), Labelled(np.uint8(0), False)


def texts() -> Any:
    return tuple((images, np.array(["cat", "dog", "ox"])[labels]) for images, labels in arrays())


def fractions() -> Any:
    return tuple((images, labels + 0.7) for images, labels in arrays())


def from_one() -> Any:
    return tuple((images, labels + 1) for images, labels in arrays())


def with_names(**given: Any) -> Any:
    train, test = arrays()
    return {"train": train, "test": test, **given}


def bytes_names() -> Any:
    return with_names(class_names=np.array([b"a", b"b", b"c"]))


def array_statistics() -> Any:
    return with_names(mean=np.array([0.5]), std=torch.tensor(0.25))


def nan_statistics() -> Any:
    return with_names(mean=[0.5], std=[float("nan")])


def bad_pixel(part: str, value: float) -> Any:
    given = dict(zip(("train", "test"), tensors(), strict=True))
    given[part][0][3, 0, 2, 5] = value
    return given


class BadPixel(Items):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, label = super().__getitem__(index)
        if index == 9:
            image[0, 2, 5] = torch.nan
        return image, label


class Counted(Items):
    """Has what only a parent can give to its children."""

    def __init__(self, train: bool = True) -> None:
        super().__init__(train)
        self.count = multiprocessing.Value("i")


class WithGradient(Items):
    """Tensors that are computed with a gradient cannot be sent."""

    def __init__(self, train: bool = True) -> None:
        super().__init__(train)
        self.scale = torch.ones(1, requires_grad=True) * 2


def train_twice() -> Any:
    return pixels(True), pixels(True)


def some_in_both() -> Any:
    images, labels = pixels(True)
    others, _ = pixels(False)
    return (images, labels), (np.concatenate([others[:2], images[7:10]]), labels[:5])


def channels(count: int, kind: str = "float32") -> Any:
    generator = np.random.default_rng(count)

    def part(size: int) -> Any:
        shape = (size, 12, 12, count)
        images = generator.integers(0, 256, shape, np.uint8)
        labels = np.arange(size) % 3
        return (images, labels) if kind == "uint8" else ((images / np.float32(255)).transpose(0, 3, 1, 2), labels)

    return part(40), part(10)


class NoDataset:
    """Has what a dataset has, by name."""

    def __len__(self) -> int:
        raise RuntimeError("I am not what I seem")

    def __getitem__(self, index: int) -> Any:
        return None


def no_dataset_at_all() -> Any:
    return NoDataset(), NoDataset()


def small() -> Any:
    """8 × 8: after three halvings one pixel is left."""
    return tuple((images[:, :8, :8], labels) for images, labels in arrays())


class Exits(Items):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if index == 17:
            sys.exit(3)
        return super().__getitem__(index)


class Raises(Items):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if index == 17:
            raise ValueError("corrupt JPEG")
        return super().__getitem__(index)


def many_names() -> Any:
    return with_names(class_names=[f"class {number} δ" for number in range(40_000)])
