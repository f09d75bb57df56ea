"""Looking at samples without learning from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from .batch_norm import Calibration, batch_statistics
from .device import Download, upload
from .errors import BackendError
from .generators import generators_kept
from .learner import Learner, forward
from .messages import Norm, WhichWeights
from .noise import Looked, evaluation_seed
from .progress import Progress
from .resident import DataPart
from .signals import SignalBuffer
from .training import NamingOutOfMemory, check_indices, parts

LEAST_FOR_STATISTICS = 2
"""Samples that a batch must have for statistics over it: on a 1 × 1 map a single one has no variance."""


@dataclass(frozen=True)
class Samples:
    """indices: uint32 [m], of samples of this part."""

    data: DataPart
    indices: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Place:
    """Where a pass stands: what a model draws in it follows from this and the run's seed. step: of the session."""

    step: int
    looked: Looked


@torch.no_grad()  # inference mode would leave tensors that a model caches unfit for training
def evaluate(
    learner: Learner,
    data: DataPart,
    indices: npt.NDArray[np.uint32],
    batch_size: int,
    signals: list[str],
    progress: Progress,
    place: Place,
    norm: Norm = "running",
    calibration: Samples | None = None,
    weights: WhichWeights = "last",
) -> Download:
    """The signals of these samples in evaluation mode: no dropout, no augmentation; BatchNorm normalises as `norm` says
    (see batch_norm.py), for `reestimated` by these calibration samples. weights: see averaging.py.

    Changes nothing in the model, and no generator. One without BatchNorm is looked at as with running statistics,
    whatever is asked for. Tells `progress` of each batch, and stops between two where it says so. Raises BackendError
    (bad_array, bad_field, bad_index, cancelled, out_of_memory).
    """
    check_indices(indices, data.size)
    check_calibration(norm, calibration)
    if not learner.batch_norms:
        norm = "running"
    check_batches(norm, batch_size, len(indices))
    least = 1 if norm == "running" else LEAST_FOR_STATISTICS
    with (
        NamingOutOfMemory("a batch_size", "suggested_batch_size", least) as memory,
        learner.averaged.in_place() if weights == "averaged" else nullcontext(),
        evaluation_mode(learner.model),
        generators_kept(learner.device),
        statistics(learner, norm, calibration, batch_size, progress, memory, place.step),
    ):
        learner.seed_generators(evaluation_seed(learner.seed, place.step, place.looked))
        rows = upload(indices, learner.device, np.int64)
        buffer = SignalBuffer(signals, len(rows), learner.device)
        cuts = cut_for_statistics(len(rows), batch_size) if norm == "batch" else parts(0, len(rows), batch_size)
        data.pixels.expect([indices[start:end] for start, end in cuts])
        for start, part in batches(rows, cuts, "samples", progress, memory):
            labels = data.labels[part]
            logits, losses = forward(learner, data.batch(part), labels)
            buffer.write(start, losses, logits, labels)
        return Download({**buffer.first(len(rows)), "indices": rows}, learner.device)


def check_calibration(norm: Norm, calibration: Samples | None) -> None:
    """Raises BackendError (bad_array, bad_index)."""
    if norm != "reestimated":
        if calibration is not None:
            raise BackendError(
                "bad_array", f"`calibration` came with norm {norm}; it belongs to norm reestimated alone: leave it out"
            )
        return
    count = 0 if calibration is None else len(calibration.indices)
    if calibration is None or count < LEAST_FOR_STATISTICS:
        raise BackendError(
            "bad_array",
            f"norm reestimated came with {count} indices in `calibration`; at least {LEAST_FOR_STATISTICS} of the "
            "training part are needed, better some hundreds of all classes",
        )
    check_indices(calibration.indices, calibration.data.size)


def check_batches(norm: Norm, batch_size: int, count: int) -> None:
    """Refuses statistics over a single sample. Raises BackendError (bad_field, bad_array)."""
    if norm != "running" and batch_size < LEAST_FOR_STATISTICS:
        raise BackendError(
            "bad_field",
            f"batch_size {batch_size} with norm {norm}: BatchNorm takes statistics over a batch, which needs at least "
            f"{LEAST_FOR_STATISTICS} samples; send a larger batch_size",
        )
    if norm == "batch" and 0 < count < LEAST_FOR_STATISTICS:
        raise BackendError(
            "bad_array",
            f"{count} sample came with norm batch: BatchNorm takes statistics over a batch, which needs at least "
            f"{LEAST_FOR_STATISTICS} samples; send more of them, or take norm running",
        )


def statistics(
    learner: Learner,
    norm: Norm,
    calibration: Samples | None,
    batch_size: int,
    progress: Progress,
    memory: NamingOutOfMemory,
    step: int,
) -> AbstractContextManager[None]:
    """Within it the layers normalise as `norm` says. Calibrates first where asked to, in evaluation mode."""
    if norm == "batch":
        return batch_statistics(learner.batch_norms)
    if norm == "running" or calibration is None:
        return nullcontext()
    rows = upload(calibration.indices, learner.device, np.int64)
    seen = Calibration(learner.batch_norms)
    learner.seed_generators(evaluation_seed(learner.seed, step, "calibration"))
    with seen.observing():
        cuts = cut_for_statistics(len(rows), batch_size)
        calibration.data.pixels.expect([calibration.indices[start:end] for start, end in cuts])
        for _, part in batches(rows, cuts, "calibration samples", progress, memory):
            forward(learner, calibration.data.batch(part), calibration.data.labels[part])
    return seen.using_statistics()


def cut_for_statistics(count: int, batch_size: int) -> list[tuple[int, int]]:
    """Batches of `batch_size`, start and end; a single sample that is left over belongs to the batch before it."""
    cuts = parts(0, count, batch_size)
    if len(cuts) > 1 and count - cuts[-1][0] < LEAST_FOR_STATISTICS:
        cuts[-2:] = [(cuts[-2][0], count)]
    return cuts


def batches(
    rows: Tensor, cuts: list[tuple[int, int]], what: str, progress: Progress, memory: NamingOutOfMemory
) -> Iterator[tuple[int, Tensor]]:
    """Start and rows, int64 [B], of one batch after another. Tells `progress` of each, and `memory` of its size. Raises
    BackendError (cancelled)."""
    for start, end in cuts:
        if progress.should_stop():
            raise BackendError("cancelled", f"cancelled after {start} of {len(rows)} {what}")
        memory.under_way(end - start)
        yield start, rows[start:end]
        progress.moved()


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, and afterwards, come what may, in the mode that it was in."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
