"""The dataset that a config names, and its parts as the Dataset that a user would write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from py_backend import datasets
from py_backend.catalogue import read_options
from py_backend.references import dataset as dataset_references

from .choice import Choice
from .noise import StepNoise, bounded


@dataclass(frozen=True)
class Augmentation:
    """Random crop after padding with `crop` black pixels on each side, and horizontal flip."""

    crop: int = 0
    flip: bool = False


def open_data(choice: Choice, data_dir: str | None) -> Any:
    """The dataset as py_backend.datasets describes it. Raises BackendError."""
    definition = dataset_references.definition(choice.name) if choice.origin == "import" else datasets.find(choice.name)
    options = read_options("dataset", definition, dict(choice.options))
    return definition.load(Path(data_dir or "data"), options)


class Pictures(Dataset[tuple[Tensor, int]]):
    """A part as images float32 [C, H, W], normalised as x·scale − shift in float32, and labels.

    With augmentation the place of a sample in its batch is that of its call since `begin`, so one process reads all:
    `num_workers=0`. `reads` lists, for each step begun, the indices that came to __getitem__.
    """

    def __init__(self, data: Any, part: str, augmentation: Augmentation | None = None, noise: StepNoise | None = None):
        self._part = data.test if part == "test" else data.train
        self._scaling = None if data.is_float else scale_and_shift(data.mean, data.std)
        self._augmentation = augmentation or Augmentation()
        self._noise = noise
        self.reads: list[list[int]] = []

    def begin(self) -> None:
        """A step begins."""
        self.reads.append([])

    def __len__(self) -> int:
        return int(self._part.size)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        place = len(self.reads[-1]) if self.reads else 0
        if self.reads:
            self.reads[-1].append(int(index))
        image: npt.NDArray[Any] = self._part.raw(index)
        if self._noise is not None and (self._augmentation.crop or self._augmentation.flip):
            image = crop_and_flip(image, self._augmentation, self._noise.crop_words(place))
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).to(torch.float32)
        if self._scaling is not None:
            scale, shift = self._scaling
            pixels = pixels * scale - shift
        return pixels, int(self._part.labels[index])


def scale_and_shift(mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """float32 [C, 1, 1] each, computed in float64: pixels 0 … 255 are normalised as x·scale − shift."""
    means, deviations = np.array(mean, np.float64), np.array(std, np.float64)
    scale, shift = 1 / (255 * deviations), means / deviations
    return torch.tensor(scale).float().view(-1, 1, 1), torch.tensor(shift).float().view(-1, 1, 1)


def crop_and_flip(image: npt.NDArray[Any], augmentation: Augmentation, words: list[int]) -> npt.NDArray[Any]:
    """[H, W, C], of the same shape: padded with 0, cut out at a random place, mirrored in half of the cases."""
    height, width, _ = image.shape
    crop = augmentation.crop
    padded = np.pad(image, ((crop, crop), (crop, crop), (0, 0)))
    top, left = bounded(words[0], 2 * crop + 1), bounded(words[1], 2 * crop + 1)
    cut = padded[top : top + height, left : left + width]
    return cut[:, ::-1] if augmentation.flip and bounded(words[2], 2) else cut
