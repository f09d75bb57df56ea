"""A dataset of the user's: a callable that gives arrays, or map-style `torch.utils.data.Dataset`s.

What it may return, shapes and dtypes: docs/CONFIG.md, "Your own".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from ..datasets.contract import Dataset, DatasetDefinition, FetchedPart, Part
from ..errors import BackendError
from ..machine import free_host_bytes
from .arrays import Array, as_array, images_of, is_array, labels_of
from .channels import ChannelSums, stated
from .class_names import class_names
from .class_names import notices as empty_class_notices
from .importing import call, import_callable, keywords
from .items import Fingerprints, Items, Refetched, fingerprint
from .whose import Telling

SHARE_OF_FREE_MEMORY = 0.5
"""`load: auto` keeps in memory what takes no more of it than this."""


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
        with Telling(reference, "what it gave could not be read"):
            return Reader(reference, options).dataset(make)

    return DatasetDefinition(
        name=reference, summary="a dataset of your own", when_to_choose="", where_to_get="", options=Options, load=load
    )


@dataclass(frozen=True)
class ReadPart:
    """A part, what each of its images was, and the sums of its pixels where they are uint8."""

    part: Part | FetchedPart
    fingerprints: Fingerprints
    sums: ChannelSums | None


class Reader:
    """Reads what the user's callable returns; every mistake names the reference and the part."""

    def __init__(self, reference: str, options: Options) -> None:
        self._reference = reference
        self._options = options

    def dataset(self, make: Callable[..., Any]) -> Dataset:
        """Raises BackendError (bad_reference), or what the user's code raises."""
        given = self._parts(make)
        train, test = self._part("train", given["train"]), self._part("test", given["test"])
        parts = train.part, test.part
        if train.part.image_shape != test.part.image_shape or train.part.is_float != test.part.is_float:
            raise self._mistake(
                f"train images are {described(train.part)}, test images {described(test.part)}; expected of one kind "
                "and shape"
            )
        count = max(int(part.labels.max()) for part in parts) + 1
        try:
            names = class_names(given.get("class_names"), given["train"], count)
        except ValueError as error:
            raise self._mistake(str(error)) from None
        mean, std = self._statistics(given, train)
        notices = (*empty_class_notices(train.part.labels, names), *shared_image_notices(train, test))
        return Dataset(self._reference, names, mean, std, *parts, notices)

    def _parts(self, make: Callable[..., Any]) -> Mapping[str, Any]:
        args = keywords(self._reference, self._options.args)
        given = call(self._reference, make, **args)
        if self._options.test_args is not None:
            test_args = keywords(self._reference, self._options.test_args)
            return {"train": given, "test": call(self._reference, make, **{**args, **test_args})}
        if isinstance(given, Mapping):
            if unknown_or_missing(given):
                raise self._mistake(
                    f"returned a map with {[*given]}; expected train, test and perhaps class_names, mean, std"
                )
            return given
        if isinstance(given, tuple | list) and len(given) == 2 and not is_array(given[0]):
            return {"train": given[0], "test": given[1]}
        raise self._mistake(
            f"returned a {type(given).__name__}; expected (train, test), each (images, labels) or a map-style Dataset; "
            "for a callable that returns one part, `testArgs` says how it is called for the other"
        )

    def _part(self, name: str, given: Any) -> ReadPart:
        if isinstance(given, tuple | list) and len(given) == 2 and is_array(given[0]):
            return self._from_arrays(name, as_array(given[0]), as_array(given[1]))
        if hasattr(given, "__getitem__") and hasattr(given, "__len__"):
            return self._from_items(Items(self._reference, name, given))
        raise self._mistake(f"{name} is a {type(given).__name__}; expected (images, labels) or a map-style Dataset")

    def _from_arrays(self, name: str, given_images: Array, given_labels: Array) -> ReadPart:
        try:
            images, labels = images_of(given_images, name), labels_of(given_labels, name)
        except ValueError as error:
            raise self._mistake(str(error)) from None
        if len(images) != len(labels):
            raise self._mistake(f"{name}: {len(images)} images and {len(labels)} labels")
        prints, sums = np.empty(len(images), np.uint64), sums_for(images[0])
        for index, image in enumerate(images):
            prints[index] = fingerprint(image)
            if sums:
                sums.add(image)
        return ReadPart(Part(images, labels), prints, sums)

    def _from_items(self, items: Items) -> ReadPart:
        """Every item is read in the order of indices, and again: here, or when those that are fetched are hashed."""
        if not len(items):
            raise items.mistake("has no items")
        items.refuse_random()
        first, _ = items.read(0)
        fetches = self._fetches(first.nbytes * len(items))
        images = np.empty((0 if fetches else len(items), *first.shape), first.dtype)
        labels, prints = np.empty(len(items), np.uint32), np.empty(len(items), np.uint64)
        sums = sums_for(first)
        for index, (image, label) in enumerate(items):
            labels[index], prints[index] = label, fingerprint(image)
            if sums:
                sums.add(image)
            if not fetches:
                images[index] = image
        again = Refetched(items, labels, prints)
        if fetches:
            height, width, channels = first.shape
            shape, is_float = (height, width, channels), first.dtype == np.float32
            return ReadPart(FetchedPart(again, labels, shape, is_float, self._options.workers), prints, sums)
        for index in range(len(items)):
            again(index)
        return ReadPart(Part(images, labels), prints, sums)

    def _fetches(self, image_bytes: int) -> bool:
        if self._options.load == "auto":
            return image_bytes > SHARE_OF_FREE_MEMORY * free_host_bytes()
        return self._options.load == "fetch"

    def _statistics(self, given: Mapping[str, Any], train: ReadPart) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of pixels scaled to [0, 1], one a channel: those that came along, or those of the training images."""
        channels = train.part.image_shape[2]
        if train.sums is None:
            return (0.0,) * channels, (1.0,) * channels
        if given.get("mean") is None and given.get("std") is None:
            return train.sums.mean_and_std
        mean, std = stated(given.get("mean")), stated(given.get("std"))
        if len(mean) != channels or len(std) != channels or min(std) <= 0:
            raise self._mistake(
                f"mean {given.get('mean')} and std {given.get('std')}; expected {channels} of each, finite, std above 0"
            )
        return mean, std

    def _mistake(self, what: str) -> BackendError:
        return BackendError("bad_reference", f"{self._reference}: {what}")


def unknown_or_missing(given: Mapping[str, Any]) -> bool:
    return not {"train", "test"} <= set(given) <= {"train", "test", "class_names", "mean", "std"}


def sums_for(image: Array) -> ChannelSums | None:
    """For images like this one [H, W, C]."""
    return ChannelSums(image.shape[2]) if image.dtype == np.uint8 else None


def shared_image_notices(train: ReadPart, test: ReadPart) -> Iterator[str]:
    """A line where images of the test part are training images."""
    shared, count = int(np.isin(test.fingerprints, train.fingerprints).sum()), test.part.size
    if shared == count:
        yield "every test image is a training image, too: test accuracy says nothing of images that were not trained on"
    elif shared:
        yield f"{shared} of {count} test images are training images, too"


def described(part: Part | FetchedPart) -> str:
    return f"{'float32' if part.is_float else 'uint8'} {list(part.image_shape)} (H, W, C)"
