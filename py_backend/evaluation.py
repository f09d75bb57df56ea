"""Looking at samples without learning from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from .device import Download, upload
from .errors import BackendError
from .progress import Progress
from .resident import ResidentPart
from .signals import SignalBuffer
from .training import Learner, NamingOutOfMemory, check_indices, forward


@torch.inference_mode()
def evaluate(
    learner: Learner,
    data: ResidentPart,
    indices: npt.NDArray[np.uint32],
    batch_size: int,
    signals: list[str],
    progress: Progress,
) -> Download:
    """The signals of these samples in evaluation mode: no dropout, no augmentation, running BatchNorm statistics.

    Changes nothing in the model. Tells `progress` of each batch, and stops between two where it says so. Raises
    BackendError (bad_index, cancelled, out_of_memory).
    """
    check_indices(indices, data.size)
    with NamingOutOfMemory("a batch_size", "suggested_batch_size") as memory, evaluation_mode(learner.model):
        rows = upload(indices, learner.device, np.int64)
        buffer = SignalBuffer(signals, len(rows), learner.device)
        for start in range(0, len(rows), batch_size):
            if progress.should_stop():
                raise BackendError("cancelled", f"cancelled after {start} of {len(rows)} samples")
            part = rows[start : start + batch_size]
            labels = data.labels[part]
            memory.batch_size = len(part)
            logits, losses = forward(learner, data.batch(part), labels)
            buffer.write(start, losses, logits, labels)
            progress.moved()
        return Download({**buffer.first(len(rows)), "indices": rows}, learner.device)


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, and afterwards, come what may, in the mode that it was in."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
