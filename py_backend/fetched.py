"""Images that are fetched by index while training goes on: the order is the plan's, workers only run ahead of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, default_collate
from torch.utils.data import Dataset as TorchDataset

from .datasets.contract import FetchedPart, FloatImages, Images
from .device import assert_equal, is_out_of_memory
from .errors import BackendError, print_cause
from .generators import generators_kept
from .references.importing import refuse_edited
from .references.whose import in_a_line
from .workers import begin_worker, worker_context

T = TypeVar("T")

Rows: TypeAlias = npt.NDArray[np.uint32]

HASHED_TOGETHER_BYTES = 4 << 20
"""Images that are fetched in one batch when all are."""
OTHER_ROWS = "other rows were asked for than were expected"
NO_ROOM_TEXTS = ("shared memory", "No space left on device", "unable to write to file </torch", "Bus error")
"""In what torch says where /dev/shm is full."""


@dataclass(frozen=True)
class Unread:
    """Why an item could not be had, in a line."""

    reason: str


@dataclass(frozen=True)
class Batch:
    """indices: int64 [B]; images: [B, H, W, C]. Of the host."""

    indices: Tensor
    images: Tensor

    def pin_memory(self) -> Batch:
        """What torch's loader asks for, that a copy to the device be waited for by nobody."""
        return Batch(self.indices.pin_memory(), self.images.pin_memory())


class Items(TorchDataset[tuple[int, Tensor] | Unread]):
    """(index, image [H, W, C]) of a part. An error travels as what it says: an exception would not arrive whole."""

    def __init__(self, part: FetchedPart) -> None:
        self._part = part

    def __getitem__(self, index: int) -> tuple[int, Tensor] | Unread:
        try:
            return index, torch.from_numpy(np.ascontiguousarray(self._part.raw(index)))
        except BackendError as error:
            print_cause(error)
            return Unread(error.message)


def collate(items: list[tuple[int, Tensor] | Unread]) -> Batch | Unread:
    read = []
    for item in items:
        if isinstance(item, Unread):
            return item
        read.append(item)
    return Batch(*default_collate(read))


class Upcoming:
    """The batches that come next, as lists of indices: a batch sampler that is told anew for each message."""

    def __init__(self) -> None:
        self.batches: Sequence[Rows] = ()

    def __iter__(self) -> Iterator[list[int]]:
        return (batch.tolist() for batch in self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class FetchedPixels:
    """The images of a part that stay where they are. Worker processes live as long as this does, or `end_workers`."""

    def __init__(self, dataset: str, part: FetchedPart, device: torch.device) -> None:
        self._dataset = dataset
        self._part = part
        self._device = device
        self._upcoming = Upcoming()
        self._loader: DataLoader[Any] | None = None
        self._running: Iterator[Batch | Unread] = iter(())
        self.size = part.size
        self.image_shape = part.image_shape

    def expect(self, batches: Sequence[Rows]) -> None:
        """These rows will be asked for next, in this sequence: workers start to fetch them. Raises BackendError."""
        self._upcoming.batches = batches
        self._loader = self._loader or self._new_loader()
        loader = self._loader
        self._running = self._naming_workers(lambda: iter(loader))

    def gather(self, rows: Tensor) -> Tensor:
        """[B, H, W, C] on the device: the next of the batches that were expected. What was fetched is held against the
        rows on the device: the host does not wait for them. Raises BackendError."""
        batch = self._next()
        assert_equal(batch.indices.to(self._device, non_blocking=True), rows, OTHER_ROWS)
        return batch.images.to(self._device, non_blocking=True)

    def in_order(self) -> Iterator[Images | FloatImages]:
        """All images, some at a time, [B, H, W, C]. Raises BackendError."""
        pixel_bytes = 4 if self._part.is_float else 1
        size = max(HASHED_TOGETHER_BYTES // (prod(self.image_shape) * pixel_bytes), 1)
        batches = [np.arange(at, min(at + size, self.size), dtype=np.uint32) for at in range(0, self.size, size)]
        self.expect(batches)
        for _ in batches:
            yield self._next().images.numpy()

    def end_workers(self) -> None:
        """At once, until images are expected again: each holds half a gigabyte."""
        self._loader, self._running = None, iter(())

    def _new_loader(self) -> DataLoader[Any]:
        workers = self._part.workers
        if workers > 0:
            refuse_edited(self._dataset)
        return DataLoader(
            Items(self._part),
            batch_sampler=self._upcoming,
            collate_fn=collate,
            num_workers=workers,
            persistent_workers=workers > 0,
            multiprocessing_context=worker_context() if workers > 0 else None,
            worker_init_fn=begin_worker if workers > 0 else None,
            pin_memory=self._device.type == "cuda",
            generator=torch.Generator(),  # its own: the default one belongs to the step
        )

    def _next(self) -> Batch:
        with self._generators_left_alone():
            batch = self._naming_workers(lambda: next(self._running, None))
        if batch is None:
            raise RuntimeError("more rows were asked for than were expected")
        if isinstance(batch, Unread):
            raise BackendError("bad_reference", batch.reason)
        return batch

    def _generators_left_alone(self) -> AbstractContextManager[None]:
        """What is read in this process may draw: how often depends on all that was read before, the step's noise must
        not."""
        return generators_kept(self._device) if self._part.workers == 0 else nullcontext()

    def _naming_workers(self, act: Callable[[], T]) -> T:
        """What it gives. Raises BackendError where workers cannot be started, or are lost."""
        try:
            return act()
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise workers_failed(self._dataset, self._part.workers, error) from error


def workers_failed(dataset: str, workers: int, error: Exception) -> BackendError:
    """What the user is told where no item can be had from worker processes."""
    text = str(error)
    if any(known in text for known in NO_ROOM_TEXTS):
        return BackendError(
            "no_shared_memory",
            f"/dev/shm has no room left for the images that {workers} worker processes fetch: make it larger (a "
            "container: --shm-size), or take fewer `workers` or a smaller batch",
        )
    if "killed by signal" in text or "exited unexpectedly" in text:
        return BackendError(
            "bad_reference",
            f"{dataset}: a worker process that fetches items ended: {text.splitlines()[0]}; `workers: 0` may show why",
        )
    return in_a_line(dataset, "it cannot be sent to worker processes; take `workers: 0`", error)
