"""Images that are fetched by index while training goes on: the order is the plan's, workers only run ahead of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from .datasets.contract import FetchedPart
from .errors import BackendError

Rows: TypeAlias = npt.NDArray[np.uint32]
Batch: TypeAlias = tuple[Tensor, Tensor]

START_METHOD = "spawn" if sys.platform == "win32" else "forkserver"
"""A fork of a process that computes and listens in threads would hang now and then."""


class Items(TorchDataset[tuple[int, Tensor]]):
    """(index, image [H, W, C]) of a part."""

    def __init__(self, part: FetchedPart) -> None:
        self._part = part

    def __getitem__(self, index: int) -> tuple[int, Tensor]:
        return index, torch.from_numpy(np.ascontiguousarray(self._part.raw(index)))


class Upcoming:
    """The batches that come next, as lists of indices: a batch sampler that is told anew for each message."""

    def __init__(self) -> None:
        self.batches: Sequence[Rows] = ()

    def __iter__(self) -> Iterator[list[int]]:
        return (batch.tolist() for batch in self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class FetchedPixels:
    """The images of a part that stay where they are. Worker processes live as long as this does."""

    def __init__(self, part: FetchedPart, device: torch.device) -> None:
        self._device = device
        self._items = Items(part)
        self._upcoming = Upcoming()
        self._loader = DataLoader(
            self._items,
            batch_sampler=self._upcoming,
            num_workers=part.workers,
            persistent_workers=part.workers > 0,
            multiprocessing_context=START_METHOD if part.workers > 0 else None,
            pin_memory=device.type == "cuda",
            generator=torch.Generator(),  # its own: the default one belongs to the step
        )
        self._running: Iterator[Batch] = iter(())
        self.size = part.size
        self.image_shape = part.image_shape

    def expect(self, batches: Sequence[Rows]) -> None:
        """These rows will be asked for next, in this sequence: workers start to fetch them. Raises BackendError."""
        self._upcoming.batches = batches
        try:
            self._running = iter(self._loader)
        except (TypeError, AttributeError, ValueError, OSError) as error:  # what pickling raises
            raise BackendError(
                "bad_reference", f"the dataset cannot be sent to worker processes ({error}): take `workers: 0`"
            ) from None

    def gather(self, rows: Tensor) -> Tensor:
        """[B, H, W, C] on the device: the next of the batches that were expected. Raises BackendError."""
        try:
            indices, images = next(self._running)
        except StopIteration:
            raise RuntimeError(f"{len(rows)} rows were asked for that were not expected") from None
        except Exception as error:  # raised by the user's dataset, here or in a worker
            reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
            raise BackendError("bad_reference", f"the dataset failed to give an item: {reason[0]}") from None
        if not torch.equal(indices, rows.cpu()):
            raise RuntimeError("other rows were asked for than were expected")
        return images.to(self._device, non_blocking=True)
