"""One training step: forward, backward and update, eagerly or as one recording of the device's work.

On a GPU a small network's step is bound by the launch of its hundred kernels, not by their work. A recording (a CUDA
graph) launches them at once. It reads its inputs from memory that stays where it is, so each step first copies the
batch there. It holds one batch size; other sizes, and batches in parts, go the eager way.

What is recorded is what the eager step does: the same operations, in the same sequence. The first steps of a size are
eager ones (torch wants a warm-up before it records), and the recording itself computes nothing.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .device import Recorder, upload
from .errors import BackendError
from .learner import Learner, forward
from .noise import AUGMENTATION_LAYER
from .optimizers import fused_device, start_momentum
from .references.whose import Telling
from .resident import DataPart, crop_and_flip
from .signals import SignalBuffer

WARM_UP_STEPS = 3
"""Eager steps of a size before it is recorded, as torch's manual asks for."""
RECORDED_SIZES = 2
"""Batch sizes that are kept recorded: each has memory of its own."""
RECENT_STEPS = 64
"""Of so many steps a size has a third, or it is not worth a recording."""

UnderWay: TypeAlias = Callable[[int], None]
"""Told the number of samples that are computed together next."""
Rate: TypeAlias = float | Tensor
"""A learning rate as the optimiser takes it: a number, or float32 [] on the device, which is never waited for."""


@dataclass(frozen=True)
class Batch:
    """What a step is made of, on the device. start: of the batch in its message; rows: int64 [B]; weights: float32 [B]
    or None; keys: int64 [layers]; cuts: start and end, in the batch, of parts that are computed together."""

    start: int
    rows: Tensor
    weights: Tensor | None
    keys: Tensor
    rate: Rate
    cuts: list[tuple[int, int]]

    @property
    def size(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Part:
    """Samples that go through the model together. pixels: [B, H, W, C] as the dataset has them; labels: int64 [B];
    weights: float32 [B] or None; places: int64 [B], in the whole batch."""

    pixels: Tensor
    labels: Tensor
    weights: Tensor | None
    places: Tensor


@dataclass(frozen=True)
class Outputs:
    """logits: float32 [B, classes]; losses: float32 [B]."""

    logits: Tensor
    losses: Tensor


def part_of(data: DataPart, batch: Batch, start: int, end: int) -> Part:
    rows = batch.rows[start:end]
    return Part(
        pixels=data.pixels.gather(rows),
        labels=data.labels[rows],
        weights=None if batch.weights is None else batch.weights[start:end],
        places=torch.arange(start, end, device=rows.device),
    )


def add_gradient(learner: Learner, data: DataPart, part: Part, keys: Tensor, batch_size: int) -> Outputs:
    """Adds the gradient of Σ w·l / batch_size, over the samples of the part."""
    learner.noise.set(keys, part.places)
    pixels = part.pixels
    if learner.augmentation:
        pixels = crop_and_flip(pixels, learner.augmentation, learner.noise.words(AUGMENTATION_LAYER, 3))
    logits, losses = forward(learner, data.normalised(pixels), part.labels)
    weighted = losses if part.weights is None else losses * part.weights
    with Telling(learner.model_reference or learner.loss_reference, "the backward pass failed"):
        (weighted.sum() / batch_size).backward()
    return Outputs(logits.detach(), losses.detach())


def whole_step(learner: Learner, data: DataPart, part: Part, keys: Tensor) -> Outputs:
    """The step of a batch that is computed at once."""
    learner.optimizer.zero_grad(set_to_none=True)
    outputs = add_gradient(learner, data, part, keys, len(part.labels))
    learner.optimizer.step()
    return outputs


def step_in_parts(learner: Learner, data: DataPart, batch: Batch, signals: SignalBuffer, under_way: UnderWay) -> None:
    """The step of a batch in micro-batches: another order of summation, and with BatchNorm another gradient."""
    learner.optimizer.zero_grad(set_to_none=True)
    for start, end in batch.cuts:
        under_way(end - start)
        part = part_of(data, batch, start, end)
        outputs = add_gradient(learner, data, part, batch.keys, batch.size)
        signals.write(batch.start + start, outputs.losses, outputs.logits, part.labels)
    learner.optimizer.step()


def rates_for(optimizer: torch.optim.Optimizer, rates: npt.NDArray[np.float64], device: torch.device) -> list[Rate]:
    """As `set_learning_rate` takes them: tensors where the optimiser's rate is one, copied to the device once."""
    if fused_device(optimizer) is not None:
        return [*upload(rates, device, np.float32)]
    return [*rates.tolist()]


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: Rate) -> None:
    for group in optimizer.param_groups:
        if isinstance(rate, Tensor):
            group["lr"].copy_(rate)
        else:
            group["lr"] = rate


class RecordedStep:
    """`whole_step` of one batch size, recorded: its inputs and outputs stay where they are."""

    def __init__(self, learner: Learner, data: DataPart, part: Part, keys: Tensor, record: Recorder) -> None:
        """part, keys: of that size; nothing is computed from them. Raises RuntimeError where torch cannot record it,
        BackendError where that happened in code of the user's."""
        self._part = Part(
            part.pixels.clone(),
            part.labels.clone(),
            None if part.weights is None else part.weights.clone(),
            part.places.clone(),
        )
        self._keys = keys.clone()
        self._outputs: Outputs | None = None

        def work() -> None:
            self._outputs = whole_step(learner, data, self._part, self._keys)

        self._do_work = record(work)

    def take(self, part: Part, keys: Tensor) -> Outputs:
        """What it gives is written over by the next step."""
        self._part.pixels.copy_(part.pixels)
        self._part.labels.copy_(part.labels)
        if self._part.weights is not None and part.weights is not None:
            self._part.weights.copy_(part.weights)
        self._keys.copy_(keys)
        self._do_work()
        assert self._outputs is not None
        return self._outputs


def first_line(error: BaseException) -> str:
    """Of what was raised first: torch ends a recording that failed with an error of its own, which says less."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error).partition("\n")[0]


def print_line(reason: str) -> None:
    line = f"py_backend: {reason}; steps are launched one operation at a time from now on"
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Kind:
    """What a recording is made for."""

    size: int
    is_weighted: bool


class Steps:
    """The steps of a session, one after another. record: None where all are eager; tell: told why, where they are from
    some step on."""

    def __init__(
        self, learner: Learner, record: Recorder | None = None, tell: Callable[[str], None] = print_line
    ) -> None:
        self.learner = learner
        self._record = record
        self._tell = tell
        self._recent: deque[Kind] = deque(maxlen=RECENT_STEPS)
        self._recorded: dict[Kind, RecordedStep] = {}
        start_momentum(learner.optimizer)

    @property
    def records(self) -> bool:
        return self._record is not None

    @property
    def recorded(self) -> list[int]:
        """The batch sizes that are recorded now."""
        return [kind.size for kind in self._recorded]

    def take(self, data: DataPart, batch: Batch, signals: SignalBuffer, under_way: UnderWay) -> None:
        """Trains on the batch, and writes its signals. Nothing in here waits for the device."""
        set_learning_rate(self.learner.optimizer, batch.rate)
        if len(batch.cuts) > 1:
            step_in_parts(self.learner, data, batch, signals, under_way)
            return
        under_way(batch.size)
        part = part_of(data, batch, 0, batch.size)
        outputs = self._whole(data, part, batch.keys)
        signals.write(batch.start, outputs.losses, outputs.logits, part.labels)

    def _whole(self, data: DataPart, part: Part, keys: Tensor) -> Outputs:
        recorded = self._recorded_step(data, part, keys)
        return whole_step(self.learner, data, part, keys) if recorded is None else recorded.take(part, keys)

    def _recorded_step(self, data: DataPart, part: Part, keys: Tensor) -> RecordedStep | None:
        """That of the part's kind; recorded now where that is worth it."""
        if self._record is None:
            return None
        kind = Kind(len(part.labels), part.weights is not None)
        self._recent.append(kind)
        if kind not in self._recorded and self._is_frequent(kind):
            self._make_room()
            try:
                self._recorded[kind] = RecordedStep(self.learner, data, part, keys, self._record)
            except (RuntimeError, BackendError) as error:
                self._give_up(kind, error)
        return self._recorded.get(kind)

    def _is_frequent(self, kind: Kind) -> bool:
        """Whether it came often enough to be warm, and is a third of what came lately."""
        came = self._recent.count(kind)
        return came > WARM_UP_STEPS and came * 3 >= len(self._recent)

    def _make_room(self) -> None:
        """Forgets the recording that came least of late, where there are as many as are kept."""
        if len(self._recorded) == RECORDED_SIZES:
            del self._recorded[min(self._recorded, key=self._recent.count)]

    def _give_up(self, kind: Kind, error: Exception) -> None:
        """All steps are eager from now on."""
        self._record = None
        self._recorded.clear()
        self._tell(f"a step of {kind.size} samples cannot be recorded: {first_line(error)}")
