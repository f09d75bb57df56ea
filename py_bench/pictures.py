"""The images that all loops are trained on: made up, or a dataset of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from py_backend import datasets
from py_backend.errors import BackendError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

CLASSES = 10
TEST_IMAGES = 20


@dataclass(frozen=True, eq=False)
class Pictures:
    """images: uint8 [n, H, W, C]; labels: [n]; mean, std: of pixels as 0 … 1, a value a channel."""

    images: Images
    labels: Labels
    mean: tuple[float, ...]
    std: tuple[float, ...]


def made_up(samples: int, height: int, width: int, channels: int) -> tuple[tuple[Images, Labels], ...]:
    """Training and test part: a picture of each class, half hidden by noise, so that there is something to learn. The
    dataset of the config, by reference."""
    generator = np.random.default_rng(0)
    shape = (height, width, channels)
    classes = generator.integers(0, 256, (CLASSES, *shape), dtype=np.uint8)

    def part(count: int) -> tuple[Images, Labels]:
        labels = np.arange(count, dtype=np.int64) % CLASSES
        noise = generator.integers(0, 256, (count, *shape), dtype=np.uint8)
        return (noise >> 1) + (classes[labels] >> 1), labels

    return part(samples), part(TEST_IMAGES)


def take(name: str | None, data_dir: str | None, samples: int, shape: tuple[int, int, int]) -> Pictures:
    """Training images: the first so many of the dataset of that name, else made up. shape: (H, W, C). Raises
    BackendError."""
    if name is None:
        (images, labels), _ = made_up(samples, *shape)
        pixels = images.reshape(-1, shape[-1]) / 255
        mean, std = pixels.mean(0), pixels.std(0)
        return Pictures(images, labels, tuple(mean.tolist()), tuple(std.tolist()))
    definition = datasets.find(name)
    data = definition.load(Path(data_dir or "data"), definition.options())
    part = data.train
    if not isinstance(part, datasets.contract.Part) or part.images.dtype != np.uint8 or part.size < samples:
        raise BackendError("bad_option", f"{samples} samples of {name} are more than the {part.size} that are there")
    return Pictures(part.images[:samples].view(np.uint8), part.labels[:samples].astype(np.int64), data.mean, data.std)
