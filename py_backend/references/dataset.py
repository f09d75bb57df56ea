"""A dataset of the user's: a callable that gives arrays, or map-style `torch.utils.data.Dataset`s.

What the callable returns, called with `args`:

    (train, test), or a map with "train", "test" and, where they are known, "class_names", "mean", "std";
    with `testArgs`: the training part alone; called once more with {**args, **testArgs} it returns the test part.

A part is (images, labels), numpy arrays or tensors, or a map-style Dataset of (image, label):

    images    uint8 [n, H, W] or [n, H, W, C], C 1 or 3: normalised by mean and std, those of the training part where
              none are given; or floating [n, C, H, W]: float32 that the model gets as they are
    items     uint8 or floating as above without n, or a PIL image
    labels    integers 0 … classes-1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from ..datasets.contract import Dataset, DatasetDefinition, FetchedPart, Part
from ..device import free_host_bytes
from ..errors import BackendError
from .importing import call, failed, import_callable, keywords

Array = npt.NDArray[Any]

ITEMS_READ_TWICE = 8
"""So many first items must be the same when they are read again."""
SHARE_OF_FREE_MEMORY = 0.5
"""`load: auto` keeps in memory what takes no more of it than this."""
MOST_CLASS_NAMES = 100_000


class Options(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """args, test_args: keyword arguments of the callable, as the JSON text of a map. load: keep images in memory, or
    have `workers` processes fetch them by index; auto: as there is room."""

    args: str = "{}"
    test_args: str | None = None
    load: Literal["auto", "resident", "fetch"] = "auto"
    workers: Annotated[int, msgspec.Meta(ge=0, le=256)] = 2


def definition(reference: str) -> DatasetDefinition:
    """As one of our own datasets. Raises BackendError (not_allowed, module_missing, bad_reference)."""
    make = import_callable(reference)

    def load(_data_dir: Path, options: Options) -> Dataset:
        return Reader(reference, options).dataset(make)

    return DatasetDefinition(
        name=reference, summary="a dataset of your own", when_to_choose="", where_to_get="", options=Options, load=load
    )


@dataclass(frozen=True)
class Item:
    """Gives the image at an index of a map-style dataset, [H, W, C]; travels to worker processes."""

    items: Any

    def __call__(self, index: int) -> Array:
        return image_array(self.items[index][0])


class Reader:
    """Reads what the user's callable returns; every mistake names the reference and the part."""

    def __init__(self, reference: str, options: Options) -> None:
        self._reference = reference
        self._options = options

    def dataset(self, make: Callable[..., Any]) -> Dataset:
        given = self._parts(make)
        train, test = self._part("train", given["train"]), self._part("test", given["test"])
        if train.image_shape != test.image_shape or train.is_float != test.is_float:
            raise self._mistake(
                f"train images are {described(train)}, test images {described(test)}; expected of one kind and shape"
            )
        classes = self._class_names(given, max(int(part.labels.max()) for part in (train, test)) + 1)
        mean, std = self._statistics(given, train)
        return Dataset(self._reference, classes, mean, std, train, test)

    def _parts(self, make: Callable[..., Any]) -> Mapping[str, Any]:
        args = keywords(self._reference, self._options.args)
        given = call(self._reference, make, **args)
        if self._options.test_args is not None:
            test_args = keywords(self._reference, self._options.test_args)
            return {"train": given, "test": call(self._reference, make, **{**args, **test_args})}
        if isinstance(given, Mapping):
            unknown = set(given) - {"train", "test", "class_names", "mean", "std"}
            if unknown or not {"train", "test"} <= set(given):
                raise self._mistake(
                    f"returned a map with {sorted(given)}; expected train, test and perhaps class_names, mean, std"
                )
            return given
        if isinstance(given, tuple | list) and len(given) == 2 and not is_array(given[0]):
            return {"train": given[0], "test": given[1]}
        raise self._mistake(
            f"returned a {type(given).__name__}; expected (train, test), each (images, labels) or a map-style Dataset; "
            "for a callable that returns one part, `testArgs` says how it is called for the other"
        )

    def _part(self, name: str, given: Any) -> Part | FetchedPart:
        if isinstance(given, tuple | list) and len(given) == 2 and is_array(given[0]):
            images, labels = as_array(given[0]), self._labels(name, as_array(given[1]))
            if len(images) != len(labels):
                raise self._mistake(f"{name}: {len(images)} images and {len(labels)} labels")
            return Part(self._images(name, images), labels)
        if hasattr(given, "__getitem__") and hasattr(given, "__len__"):
            return self._from_items(name, given)
        raise self._mistake(f"{name} is a {type(given).__name__}; expected (images, labels) or a map-style Dataset")

    def _images(self, name: str, images: Array) -> Array:
        """[n, H, W, C], uint8 or float32."""
        if images.dtype == np.uint8 and images.ndim == 3:
            images = images[..., None]
        if images.dtype == np.uint8 and images.ndim == 4 and images.shape[3] in (1, 3):
            return np.ascontiguousarray(images)
        if images.dtype.kind == "f" and images.ndim == 4:
            return np.ascontiguousarray(images.transpose(0, 2, 3, 1), dtype=np.float32)
        raise self._mistake(
            f"{name} images are {images.dtype} {list(images.shape)}; expected uint8 [n, H, W] or [n, H, W, C] with C 1 "
            "or 3, or floating [n, C, H, W]"
        )

    def _labels(self, name: str, labels: Array) -> npt.NDArray[np.uint32]:
        if labels.ndim != 1 or len(labels) == 0 or labels.dtype.kind not in "iu" or int(labels.min()) < 0:
            raise self._mistake(
                f"{name} labels are {labels.dtype} {list(labels.shape)}"
                f"{f' from {labels.min()} on' if labels.size else ''}; expected integers [n] from 0 on, at least one"
            )
        if int(labels.max()) >= MOST_CLASS_NAMES:
            raise self._mistake(f"{name} labels go up to {labels.max()}; expected classes numbered from 0 on")
        return labels.astype(np.uint32)

    def _from_items(self, name: str, items: Any) -> Part | FetchedPart:
        """Every item is read once, in the order of indices."""
        self._refuse_random(name, items)
        count = len(items)
        first = self._item(name, items, 0)[0] if count else None
        if first is None:
            raise self._mistake(f"{name} has no items")
        if self._fetches(first.nbytes * count):
            labels = [label for _, label in self._items(name, items, first)]
            shape = (first.shape[0], first.shape[1], first.shape[2])
            fetch, workers = Item(items), self._options.workers
            return FetchedPart(fetch, self._labels(name, np.array(labels)), shape, first.dtype == np.float32, workers)
        images = np.empty((count, *first.shape), first.dtype)
        labels = []
        for index, (image, label) in enumerate(self._items(name, items, first)):
            images[index] = image
            labels.append(label)
        return Part(images, self._labels(name, np.array(labels)))

    def _fetches(self, image_bytes: int) -> bool:
        if self._options.load == "auto":
            return image_bytes > SHARE_OF_FREE_MEMORY * free_host_bytes()
        return self._options.load == "fetch"

    def _items(self, name: str, items: Any, first: Array) -> Iterator[tuple[Array, int]]:
        for index in range(len(items)):
            image, label = self._item(name, items, index)
            if (image.shape, image.dtype) != (first.shape, first.dtype):
                raise self._mistake(
                    f"{name} item {index} is {image.dtype} {list(image.shape)} (H, W, C), item 0 {first.dtype} "
                    f"{list(first.shape)}; expected images of one kind and size"
                )
            yield image, label

    def _item(self, name: str, items: Any, index: int) -> tuple[Array, int]:
        try:
            item = items[index]
        except Exception as error:
            raise failed(self._reference, f"{name} item {index} could not be read", error) from None
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise self._mistake(f"{name} item {index} is a {type(item).__name__}; expected (image, label)")
        try:
            return image_array(item[0]), int(item[1])
        except (TypeError, ValueError) as error:
            raise self._mistake(f"{name} item {index}: {error}") from None

    def _refuse_random(self, name: str, items: Any) -> None:
        for index in islice(range(len(items)), ITEMS_READ_TWICE):
            (image, label), (again, label_again) = (self._item(name, items, index) for _ in range(2))
            if label != label_again or not np.array_equal(image, again):
                raise self._mistake(
                    f"{name} item {index} differs from one reading to the next, as with a random transform; items are "
                    "read once: take the transform out, and `augmentation` of the config instead"
                )

    def _class_names(self, given: Mapping[str, Any], count: int) -> tuple[str, ...]:
        names = given.get("class_names") or getattr(given["train"], "classes", None) or range(count)
        if len(names) < count:
            raise self._mistake(f"labels go up to {count - 1}, and there are {len(names)} class names")
        return tuple(str(name) for name in names)

    def _statistics(
        self, given: Mapping[str, Any], train: Part | FetchedPart
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of pixels scaled to [0, 1], one a channel: those that came along, or those of the training images."""
        channels = train.image_shape[2]
        if train.is_float:
            return (0.0,) * channels, (1.0,) * channels
        stated = given.get("mean"), given.get("std")
        if stated == (None, None):
            return measured(train)
        mean, std = (
            tuple(float(value) for value in values) if isinstance(values, Sequence) else () for values in stated
        )
        if len(mean) != channels or len(std) != channels or min(std) <= 0:
            raise self._mistake(f"mean {stated[0]} and std {stated[1]}; expected {channels} of each, std above 0")
        return mean, std

    def _mistake(self, what: str) -> BackendError:
        return BackendError("bad_reference", f"{self._reference}: {what}")


def measured(part: Part | FetchedPart) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over all pixels, from exact sums; a deviation of 0 counts as 1."""
    total = np.zeros(part.image_shape[2], np.int64)
    squares = np.zeros_like(total)
    for index in range(part.size):
        pixels = part.raw(index).astype(np.int64)
        total += pixels.sum((0, 1))
        squares += (pixels * pixels).sum((0, 1))
    count = part.size * part.image_shape[0] * part.image_shape[1]
    mean = total / count / 255
    variance = np.maximum(squares / count / 255**2 - mean**2, 0)
    std = np.where(variance > 0, np.sqrt(variance), 1.0)
    return tuple(mean.tolist()), tuple(std.tolist())


def described(part: Part | FetchedPart) -> str:
    return f"{'float32' if part.is_float else 'uint8'} {list(part.image_shape)} (H, W, C)"


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | torch.Tensor)


def as_array(value: Any) -> Array:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def image_array(image: Any) -> Array:
    """uint8 or float32 [H, W, C]. Raises ValueError."""
    array = as_array(image)
    if array.dtype == np.uint8 and array.ndim == 2:
        array = array[..., None]
    if array.dtype.kind == "f" and array.ndim == 3:
        return np.ascontiguousarray(array.transpose(1, 2, 0), dtype=np.float32)
    if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] in (1, 3):
        return np.ascontiguousarray(array)
    raise ValueError(
        f"its image is {array.dtype} {list(array.shape)}; expected uint8 [H, W] or [H, W, C] with C 1 or 3, floating "
        "[C, H, W], or a PIL image"
    )
