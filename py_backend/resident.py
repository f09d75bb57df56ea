"""A part of a dataset, resident on the device as uint8; normalised and augmented there, a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .datasets.contract import Dataset, Labels, Part
from .noise import bounded


@dataclass(frozen=True)
class Augmentation:
    """Random crop after padding with `crop` black pixels on each side, and horizontal flip, anew at every visit."""

    crop: int = 0
    flip: bool = False

    def __bool__(self) -> bool:
        return self.crop > 0 or self.flip


@dataclass(frozen=True)
class ResidentPart:
    """images: uint8 [n, H, W, C]; labels: int64 [n]; scale, shift: float32 [1, C, 1, 1]."""

    images: Tensor
    labels: Tensor
    scale: Tensor
    shift: Tensor

    @property
    def size(self) -> int:
        return self.images.shape[0]

    @property
    def image_bytes(self) -> int:
        """Of one image as it is stored."""
        return self.images[0].numel()

    def pixels(self, rows: Tensor) -> Tensor:
        """As the dataset stores them, uint8 [B, H, W, C]: a copy. rows: int64 [B]."""
        return self.images[rows]

    def batch(self, rows: Tensor) -> Tensor:
        """Normalised images, float32 [B, C, H, W], channels last. rows: int64 [B]."""
        return self._normalise(self.pixels(rows))

    def augmented_batch(self, rows: Tensor, augmentation: Augmentation, words: Tensor) -> Tensor:
        """As `batch`, cropped and flipped by random words, int64 [B, 3]: row, column, flip."""
        return self._normalise(crop_and_flip(self.pixels(rows), augmentation, words))

    def _normalise(self, pixels: Tensor) -> Tensor:
        return pixels.permute(0, 3, 1, 2).to(torch.float32).mul_(self.scale).sub_(self.shift)


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
    train: ResidentPart
    test: ResidentPart


def reside(dataset: Dataset, device: torch.device) -> ResidentDataset:
    """Moves the dataset to the device, once."""
    mean = torch.tensor(dataset.mean, dtype=torch.float64)
    std = torch.tensor(dataset.std, dtype=torch.float64)
    scale = (1 / (255 * std)).float().view(1, -1, 1, 1).to(device)
    shift = (mean / std).float().view(1, -1, 1, 1).to(device)

    def move(part: Part) -> ResidentPart:
        images = torch.from_numpy(part.images).to(device)
        labels = torch.from_numpy(part.labels.astype("i8")).to(device)
        return ResidentPart(images, labels, scale, shift)

    return ResidentDataset(
        class_names=dataset.class_names,
        input_shape=dataset.input_shape,
        labels=dataset.train.labels,
        test_labels=dataset.test.labels,
        sha256=dataset.sha256(),
        train=move(dataset.train),
        test=move(dataset.test),
    )
