"""Looking at samples without learning from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from .device import Download, upload
from .errors import BackendError
from .resident import ResidentPart
from .signals import SignalBuffer
from .training import Learner, autocast, check_indices, naming_out_of_memory


@torch.inference_mode()
def evaluate(
    learner: Learner,
    data: ResidentPart,
    indices: npt.NDArray[np.uint32],
    batch_size: int,
    signals: list[str],
    stop: Callable[[], bool],
) -> Download:
    """The signals of these samples in evaluation mode: no dropout, no augmentation, running BatchNorm statistics.

    Changes nothing in the model. Raises BackendError (bad_index, cancelled, out_of_memory).
    """
    check_indices(indices, data.size)
    rows = upload(indices.astype(np.int64), learner.device)
    buffer = SignalBuffer(signals, len(rows), learner.device)
    learner.model.eval()
    for start in range(0, len(rows), batch_size):
        if stop():
            raise BackendError("cancelled", f"cancelled after {start} of {len(rows)} samples")
        part = rows[start : start + batch_size]
        labels = data.labels[part]
        with naming_out_of_memory(len(part)):
            with autocast(learner):
                logits = learner.model(data.batch(part))
            losses = F.cross_entropy(logits.float(), labels, reduction="none")
        buffer.write(start, losses, logits, labels)
    return Download({**buffer.first(len(rows)), "indices": rows}, learner.device)
