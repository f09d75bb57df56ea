"""Looking at samples without learning from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from .device import Download, upload
from .errors import BackendError
from .progress import Progress
from .resident import ResidentPart
from .signals import SignalBuffer
from .training import Learner, NamingOutOfMemory, autocast, check_indices


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

    Changes nothing in the model. Raises BackendError (bad_index, cancelled, out_of_memory).
    """
    check_indices(indices, data.size)
    with NamingOutOfMemory("a batch_size", "suggested_batch_size") as memory:
        return evaluate_batches(learner, data, indices, batch_size, signals, progress, memory)


def evaluate_batches(
    learner: Learner,
    data: ResidentPart,
    indices: npt.NDArray[np.uint32],
    batch_size: int,
    signals: list[str],
    progress: Progress,
    memory: NamingOutOfMemory,
) -> Download:
    """The loop of `evaluate`; tells `memory` how many samples are under way."""
    rows = upload(indices, learner.device, np.int64)
    buffer = SignalBuffer(signals, len(rows), learner.device)
    learner.model.eval()
    for start in range(0, len(rows), batch_size):
        if progress.should_stop():
            raise BackendError("cancelled", f"cancelled after {start} of {len(rows)} samples")
        part = rows[start : start + batch_size]
        labels = data.labels[part]
        memory.batch_size = len(part)
        with autocast(learner):
            logits = learner.model(data.batch(part))
        losses = F.cross_entropy(logits.float(), labels, reduction="none")
        buffer.write(start, losses, logits, labels)
        progress.moved()
    return Download({**buffer.first(len(rows)), "indices": rows}, learner.device)
