"""Training on one chunk of a plan: the loop that all else is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from torch import Tensor

from .device import Download, Stopwatch, is_out_of_memory, upload
from .errors import BackendError
from .learner import Learner
from .messages import Average
from .noise import step_keys
from .progress import Progress
from .resident import DataPart
from .signals import SignalBuffer
from .step import Batch, Steps, rates_for

MAX_FLOAT32 = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Chunk:
    """Some batches of a plan, as they came: see `train` in docs/PROTOCOL.md."""

    first_step: int
    indices: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.uint32]
    learning_rates: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float32] | None
    micro_batch: int | None
    average: Average | None

    @property
    def batches(self) -> int:
        return len(self.learning_rates)


@dataclass(frozen=True)
class Trained:
    """What a chunk left behind, perhaps still under way on the device."""

    batches_done: int
    signals: Download
    stopwatch: Stopwatch


def check_chunk(chunk: Chunk, n: int) -> None:
    """Refuses what cannot be trained on, before anything is. Raises BackendError (bad_index)."""

    def refuse(what: str) -> BackendError:
        return BackendError("bad_index", f"chunk at step {chunk.first_step}: {what}", step=chunk.first_step)

    offsets = chunk.offsets.astype(np.int64)
    if chunk.batches == 0 or len(offsets) != chunk.batches + 1:
        raise refuse(
            f"{len(offsets)} offsets for {chunk.batches} learning rates; one more offset is expected, from 2 on"
        )
    if offsets[0] != 0 or offsets[-1] != len(chunk.indices) or np.any(np.diff(offsets) < 1):
        raise refuse(f"offsets must rise from 0 to the {len(chunk.indices)} indices, no batch empty")
    check_indices(chunk.indices, n)
    wrong = np.flatnonzero(~((chunk.learning_rates >= 0) & (chunk.learning_rates <= MAX_FLOAT32)))
    if len(wrong):
        raise refuse(
            f"the learning rate of batch {wrong[0]} is {chunk.learning_rates[wrong[0]]:g}; "
            f"0 … {MAX_FLOAT32:.2g} is expected, the most that float32 holds"
        )
    if chunk.weights is not None:
        if len(chunk.weights) != len(chunk.indices):
            raise refuse(f"{len(chunk.weights)} weights for {len(chunk.indices)} indices")
        if not np.all(np.isfinite(chunk.weights)) or np.any(chunk.weights < 0):
            raise refuse("a weight is negative or not finite")


def check_indices(indices: npt.NDArray[np.uint32], n: int) -> None:
    """Raises BackendError (bad_index) where an index is not 0 … n-1."""
    if len(indices) and int(indices.max()) >= n:
        raise BackendError("bad_index", f"index {int(indices.max())} is outside of 0 … {n - 1}", n=n)


def train_chunk(steps: Steps, data: DataPart, chunk: Chunk, signals: list[str], progress: Progress) -> Trained:
    """Trains on the chunk's batches, in order, up to the first batch boundary at which `progress` says to stop.

    The gradient of a batch is that of Σ w·l / B, B its whole size, in parts of `micro_batch` samples where asked for
    (another order of summation, and with BatchNorm another gradient). Nothing in here waits for the device. Returns
    the signals of each sample as the forward pass of its own step saw it, and the `indices` that were trained on.
    Raises BackendError (out_of_memory).
    """
    with NamingOutOfMemory("batches or a microBatch", "suggested_micro_batch") as memory:
        return train_batches(steps, data, chunk, signals, progress, memory)


def train_batches(
    steps: Steps,
    data: DataPart,
    chunk: Chunk,
    signals: list[str],
    progress: Progress,
    memory: NamingOutOfMemory,
) -> Trained:
    """The loop of `train_chunk`; tells `memory` how many samples are under way."""
    learner = steps.learner
    device = learner.device
    stopwatch = Stopwatch(device)
    rows = upload(chunk.indices, device, np.int64)
    noise = step_keys(learner.seed, chunk.first_step, chunk.batches, 1 + learner.noisy_layers)
    batches = [*batches_of(chunk, rows, upload(noise.layers, device), learner)]
    buffer = SignalBuffer(signals, len(chunk.indices), device)
    data.pixels.expect([chunk.indices[b.start + start : b.start + end] for b in batches for start, end in b.cuts])
    batches_done = done = 0

    learner.model.train()
    for batch, generator_seed in zip(batches, noise.modules, strict=True):
        if progress.should_stop():
            break
        learner.seed_generators(generator_seed)
        steps.take(data, batch, buffer, memory.under_way)
        if chunk.average is not None and chunk.first_step + batches_done >= chunk.average.from_step:
            learner.averaged.count_in(chunk.average.decay)
        batches_done, done = batches_done + 1, batch.start + batch.size
        progress.moved(chunk.first_step + batches_done)

    stopwatch.stop()
    return Trained(batches_done, Download({**buffer.first(done), "indices": rows[:done]}, device), stopwatch)


def batches_of(chunk: Chunk, rows: Tensor, keys: Tensor, learner: Learner) -> Iterator[Batch]:
    """rows: int64 [n] of the whole chunk; keys: int64 [batches, layers]."""
    weights = None if chunk.weights is None else upload(chunk.weights, learner.device)
    rates = rates_for(learner.optimizer, chunk.learning_rates, learner.device)
    for number, (start, end) in enumerate(pairwise(chunk.offsets.tolist())):
        yield Batch(
            start=start,
            rows=rows[start:end],
            weights=None if weights is None else weights[start:end],
            keys=keys[number],
            rate=rates[number],
            cuts=parts(0, end - start, chunk.micro_batch),
        )


def parts(start: int, end: int, micro_batch: int | None) -> list[tuple[int, int]]:
    """The batch start … end in parts of at most `micro_batch` samples."""
    size = micro_batch or end - start
    return [(at, min(at + size, end)) for at in range(start, end, size)]


class NamingOutOfMemory:
    """Where memory runs out within, it is said with how many samples: `batch_size` is to hold those under way, 0 before
    the first. Raises BackendError (out_of_memory) with `what` could be smaller, and how small in the detail `name`:
    at least `least`, the fewest that can be computed together."""

    def __init__(self, what: str, name: str, least: int = 1) -> None:
        self.batch_size = 0
        self._least = least
        self._what = what
        self._name = name

    def __enter__(self) -> NamingOutOfMemory:
        return self

    def under_way(self, batch_size: int) -> None:
        self.batch_size = batch_size

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, RuntimeError | MemoryError) and is_out_of_memory(error):
            raise self.out_of_memory() from None

    def out_of_memory(self) -> BackendError:
        size = self.batch_size
        if size == 0:
            return BackendError("out_of_memory", "memory ran out before the first batch; send fewer samples a message")
        if size <= self._least:
            fewest = "one sample at a time fits" if size == 1 else f"{size} samples at a time fit"
            return BackendError(
                "out_of_memory",
                f"not even {fewest} into the device's memory: the model itself does not fit; "
                "take a smaller model or another device",
                batch_size=size,
            )
        smaller = max(size // 2, self._least)
        return BackendError(
            "out_of_memory",
            f"{size} samples at a time do not fit into the device's memory; try {self._what} of {smaller}",
            **{"batch_size": size, self._name: smaller},
        )
