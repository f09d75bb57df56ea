"""A part of a dataset on the device, or fetched to it; normalised and augmented there, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from .datasets.contract import Dataset, FetchedPart, FloatImages, Images, Labels, Part
from .fetched import FetchedPixels, Rows
from .noise import bounded


@dataclass(frozen=True)
class Augmentation:
    """Random crop after padding with `crop` black pixels on each side, and horizontal flip, anew at every visit."""

    crop: int = 0
    flip: bool = False

    def __bool__(self) -> bool:
        return self.crop > 0 or self.flip


class Pixels(Protocol):
    """The images of a part as the dataset stores them. image_shape: (H, W, C)."""

    @property
    def size(self) -> int: ...
    @property
    def image_shape(self) -> tuple[int, int, int]: ...

    def expect(self, batches: Sequence[Rows]) -> None:
        """`gather` will be asked for these rows, in this sequence."""

    def gather(self, rows: Tensor) -> Tensor:
        """A copy of these images, [B, H, W, C] on the device. rows: int64 [B]."""

    def end_workers(self) -> None:
        """Nothing more will be gathered of what was expected."""


class ResidentPixels:
    """Images on the device, uint8 or float32 [n, H, W, C]."""

    def __init__(self, images: Tensor) -> None:
        self._images = images

    @property
    def size(self) -> int:
        return self._images.shape[0]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        height, width, channels = self._images.shape[1:]
        return height, width, channels

    def expect(self, batches: Sequence[Rows]) -> None:
        """Nothing is to be done: they are there."""

    def gather(self, rows: Tensor) -> Tensor:
        return self._images.index_select(0, rows)  # as `[rows]`, without the copies of a general index

    def end_workers(self) -> None:
        """There are none."""


@dataclass(frozen=True)
class Normalisation:
    """scale, shift: float32 [1, C, 1, 1]."""

    scale: Tensor
    shift: Tensor


@dataclass(frozen=True)
class DataPart:
    """labels: int64 [n]. normalisation: of uint8 images; None where images are float32 and stay as they are."""

    pixels: Pixels
    labels: Tensor
    normalisation: Normalisation | None

    @property
    def size(self) -> int:
        return self.pixels.size

    @property
    def device(self) -> torch.device:
        return self.labels.device

    def batch(self, rows: Tensor) -> Tensor:
        """Normalised images, float32 [B, C, H, W], channels last. rows: int64 [B]."""
        return self.normalised(self.pixels.gather(rows))

    def normalised(self, pixels: Tensor) -> Tensor:
        """float32 [B, C, H, W], channels last. pixels: [B, H, W, C], as the dataset has them."""
        images = pixels.permute(0, 3, 1, 2)
        if self.normalisation is None:
            return images
        return images.to(torch.float32).mul_(self.normalisation.scale).sub_(self.normalisation.shift)


def crop_and_flip(pixels: Tensor, augmentation: Augmentation, words: Tensor) -> Tensor:
    """pixels: uint8 [B, H, W, C]; the padding is black, as before normalisation. Returns the same shape."""
    _, height, width, _ = pixels.shape
    crop = augmentation.crop
    padded = F.pad(pixels, (0, 0, crop, crop, crop, crop)) if crop else pixels
    top, left = (bounded(words[:, i], 2 * crop + 1).unsqueeze(1) for i in (0, 1))
    columns = torch.arange(width, device=pixels.device).expand(pixels.shape[0], width)
    if augmentation.flip:
        flipped = bounded(words[:, 2], 2).bool().unsqueeze(1)
        columns = torch.where(flipped, width - 1 - columns, columns)
    rows = torch.arange(height, device=pixels.device) + top
    samples = torch.arange(pixels.shape[0], device=pixels.device)
    return padded[samples[:, None, None], rows[:, :, None], (columns + left)[:, None, :]]


@dataclass(frozen=True)
class ResidentDataset:
    """Both parts of a dataset on the device, with what the controller needs to know of it: the images are kept nowhere
    else. labels, test_labels: uint32 [n] on the host; input_shape: (C, H, W)."""

    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    labels: Labels
    test_labels: Labels
    sha256: str
    is_float: bool
    notices: tuple[str, ...]
    train: DataPart
    test: DataPart

    def end_workers(self) -> None:
        """Of both parts, until something is fetched again."""
        for part in (self.train, self.test):
            part.pixels.end_workers()


def reside(dataset: Dataset, device: torch.device) -> ResidentDataset:
    """Moves the dataset to the device, once. Images that are fetched are all fetched, as training will fetch them, and
    must be what they were when they were read first. Raises BackendError (bad_reference, no_shared_memory)."""
    mean = torch.tensor(dataset.mean, dtype=torch.float64)
    std = torch.tensor(dataset.std, dtype=torch.float64)
    scale = (1 / (255 * std)).float().view(1, -1, 1, 1).to(device)
    shift = (mean / std).float().view(1, -1, 1, 1).to(device)
    normalisation = None if dataset.is_float else Normalisation(scale, shift)

    def move(part: Part | FetchedPart, pixels: Pixels) -> DataPart:
        return DataPart(pixels, torch.from_numpy(part.labels.astype("i8")).to(device), normalisation)

    def fetched(part: FetchedPart) -> Iterable[Images | FloatImages]:
        pixels = train if part is dataset.train else test
        assert isinstance(pixels, FetchedPixels)
        return pixels.in_order()

    train, test = (pixels_of(dataset.name, part, device) for part in (dataset.train, dataset.test))
    sha256 = dataset.sha256(fetched)
    return ResidentDataset(
        class_names=dataset.class_names,
        input_shape=dataset.input_shape,
        labels=dataset.train.labels,
        test_labels=dataset.test.labels,
        sha256=sha256,
        is_float=dataset.is_float,
        notices=dataset.notices,
        train=move(dataset.train, train),
        test=move(dataset.test, test),
    )


def pixels_of(dataset: str, part: Part | FetchedPart, device: torch.device) -> Pixels:
    if isinstance(part, FetchedPart):
        return FetchedPixels(dataset, part, device)
    return ResidentPixels(torch.from_numpy(part.images).to(device))
