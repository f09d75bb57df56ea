"""The items of a map-style dataset of the user's, read one by one: each is the same whenever it is read again.

What an item was is kept as 8 bytes. So what is trained on is what `data_sha256` says, though items that are fetched are
read anew at every visit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets.contract import Labels
from ..errors import BackendError
from .arrays import Array, image_of, label_of
from .whose import Telling

Fingerprints = npt.NDArray[np.uint64]

READ_TWICE_AT_ONCE = 8
"""So many first items are read again before all the others are: most random datasets show there."""


@dataclass(frozen=True)
class Items:
    """items: a map-style Dataset of (image, label), the part `name` of what the reference gave. Can be sent to worker
    processes where the dataset can."""

    reference: str
    name: str
    items: Any

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[tuple[Array, int]]:
        """All of them, of one kind and shape. Raises BackendError (bad_reference)."""
        kind: tuple[Any, Any] | None = None
        for index in range(len(self)):
            image, label = self.read(index)
            kind = kind or (image.dtype, image.shape)
            if (image.dtype, image.shape) != kind:
                raise self.mistake(
                    f"item {index} is {image.dtype} {list(image.shape)} (H, W, C), item 0 {kind[0]} {list(kind[1])}; "
                    "expected images of one kind and size"
                )
            yield image, label

    def read(self, index: int) -> tuple[Array, int]:
        """Image [H, W, C] and class. Raises BackendError (bad_reference) naming the item."""
        with Telling(self.reference, f"{self.name} item {index} could not be read"):
            item = self.items[index]
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise self.mistake(f"item {index} is a {type(item).__name__}; expected (image, label)")
        with Telling(self.reference, f"{self.name} item {index} could not be read"):  # PIL reads the file only now
            try:
                return image_of(item[0]), label_of(item[1])
            except ValueError as error:
                raise self.mistake(f"item {index}: {error}") from None

    def refuse_random(self) -> None:
        """Raises BackendError (bad_reference) where one of the first items is another when it is read again."""
        for index in islice(range(len(self)), READ_TWICE_AT_ONCE):
            (image, label), (again, label_again) = self.read(index), self.read(index)
            if label != label_again or not np.array_equal(image, again):
                raise self.changed(index)

    def changed(self, index: int) -> BackendError:
        return self.mistake(
            f"item {index} differs from one reading to the next, as with a random transform or a file that changes: "
            "what is trained on must be what is recorded. Take the transform out, and `augmentation` of the config "
            "instead"
        )

    def mistake(self, what: str) -> BackendError:
        return BackendError("bad_reference", f"{self.reference}: {self.name} {what}")


@dataclass(frozen=True)
class Refetched:
    """Gives the image at an index, [H, W, C], as it was when all items were read first; refuses what changed since."""

    items: Items
    labels: Labels
    fingerprints: Fingerprints

    def __call__(self, index: int) -> Array:
        """Raises BackendError (bad_reference) naming the item."""
        image, label = self.items.read(index)
        if label != self.labels[index] or fingerprint(image) != self.fingerprints[index]:
            raise self.items.changed(index)
        return image


def fingerprint(image: Array) -> int:
    """8 bytes of a hash over kind, shape and values."""
    digest = hashlib.blake2b(f"{image.dtype}{image.shape}".encode(), digest_size=8)
    digest.update(np.ascontiguousarray(image).data)
    return int.from_bytes(digest.digest(), "little")
