"""What a dataset is to the backend, and what a dataset file has to declare."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Images: TypeAlias = npt.NDArray[np.uint8]
FloatImages: TypeAlias = npt.NDArray[np.float32]
Labels: TypeAlias = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a dataset, in file order: index i of the wire is images[i] with labels[i].

    images: uint8 [n, H, W, C], C-contiguous, grey levels or R, G, B of 0..255; or float32, which a model gets as they
    are.
    labels: uint32 [n], the class of each image.
    """

    images: Images | FloatImages
    labels: Labels

    def __post_init__(self) -> None:
        """Refuse what breaks the contract: a fault of the dataset's file, not of its data."""
        _require(self.images.dtype in (np.uint8, np.float32), f"images are {self.images.dtype}, not uint8 or float32")
        _require(self.images.ndim == 4, f"images have {self.images.ndim} dimensions, not 4 (n, H, W, C)")
        _require(self.images.size > 0, f"images of shape {self.images.shape} hold nothing")
        _require(self.images.flags.c_contiguous, "images are not C-contiguous")
        _require(self.labels.dtype == np.uint32, f"labels are {self.labels.dtype}, not uint32")
        _require(
            self.labels.shape == (len(self.images),),
            f"labels of shape {self.labels.shape} for {len(self.images)} images",
        )

    @property
    def size(self) -> int:
        return len(self.images)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C)"""
        height, width, channels = self.images.shape[1:]
        return height, width, channels

    @property
    def is_float(self) -> bool:
        return bool(self.images.dtype == np.float32)

    def raw(self, index: int) -> Images | FloatImages:
        """[H, W, C], as it is stored."""
        image: Images | FloatImages = self.images[index]
        return image


@dataclass(frozen=True, eq=False)
class FetchedPart:
    """A part that does not fit into memory: its images are fetched by index, by so many worker processes.

    fetch: gives an image [H, W, C] of image_shape, float32 where is_float, else uint8: the same one each time. Raises
    BackendError. Is sent to other processes where there are workers.
    labels: uint32 [n], the class of each image.
    """

    fetch: Callable[[int], Images | FloatImages]
    labels: Labels
    image_shape: tuple[int, int, int]
    is_float: bool
    workers: int

    @property
    def size(self) -> int:
        return len(self.labels)

    def raw(self, index: int) -> Images | FloatImages:
        """[H, W, C], as it is stored."""
        return self.fetch(index)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A loaded dataset.

    class_names: the name of class 0, 1, ...; every label is below their number.
    mean, std: one value a channel, of pixels scaled to [0, 1], as the model's input is normalised with.
    notices: a line each, for a person.
    """

    name: str
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train: Part | FetchedPart
    test: Part | FetchedPart
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together: a fault of the dataset's file, not of its data."""
        shapes = {part.image_shape for part in (self.train, self.test)}
        _require(len(shapes) == 1, f"{self.name}: train and test images differ in shape: {sorted(shapes)}")
        _require(
            self.train.is_float == self.test.is_float, f"{self.name}: images are float in one part, uint8 in another"
        )
        channels = self.train.image_shape[2]
        _require(
            len(self.mean) == len(self.std) == channels,
            f"{self.name}: {len(self.mean)} means and {len(self.std)} deviations for {channels} channels",
        )
        top = max(int(part.labels.max()) for part in (self.train, self.test))
        _require(
            top < len(self.class_names),
            f"{self.name}: label {top} with {len(self.class_names)} class names",
        )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image, as a model takes it."""
        height, width, channels = self.train.image_shape
        return channels, height, width

    @property
    def is_float(self) -> bool:
        """Whether images are float32, and go to the model as they are; else they are uint8 and normalised."""
        return self.train.is_float

    def sha256(self, fetched: Callable[[FetchedPart], Iterable[Images | FloatImages]] | None = None) -> str:
        """Hex SHA-256 over train images, train labels, test images, test labels.

        Their raw bytes in this order: images as they lie (n, H, W, C), labels as little-endian uint32; float32 images
        little-endian, after the text `float32`. Images that are fetched are all fetched once for this: by `fetched`,
        which gives them in order, one or more at a time.
        """
        digest = hashlib.sha256(b"float32" if self.is_float else b"")
        for part in (self.train, self.test):
            if isinstance(part, Part):
                digest.update(part.images.data)
            else:
                for images in fetched(part) if fetched else map(part.raw, range(part.size)):
                    digest.update(np.ascontiguousarray(images).data)
            digest.update(part.labels.astype("<u4", order="C").data)
        return digest.hexdigest()


@dataclass(frozen=True)
class DatasetDefinition:
    """What a dataset file declares, as DATASET.

    name: its name on the wire and in a config.
    summary, when_to_choose: one line each, shown by `ibatch list datasets`.
    where_to_get: one line for error texts, where `ibatch data` has the files from; empty if none are needed.
    options: a msgspec.Struct (forbid_unknown_fields, kw_only, frozen), each option described by its Meta.
    load: makes the dataset from the folder given as --data and the options, or raises BackendError.
    """

    name: str
    summary: str
    when_to_choose: str
    where_to_get: str
    options: type[msgspec.Struct]
    load: Callable[[Path, Any], Dataset]


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
