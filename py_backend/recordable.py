"""Whether the steps of a model can be recorded: tried on copies before anything is trained.

A recording repeats the device's work and none of Python's. So a model whose work depends on what Python computes anew
at each step (a counter, a draw of `random`, a look at a value) would train as in the step that was recorded. Some of
these fail when they are recorded; the others give other losses than eager steps do.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .device import Recorder
from .errors import BackendError
from .fitting import SAMPLES, Tried, copied
from .generators import generators_kept
from .messages import Precision
from .progress import Progress
from .step import WARM_UP_STEPS, Steps
from .training import Chunk, train_chunk

STEPS = WARM_UP_STEPS + 5
RATE = 1e-3
TOLERANCES: dict[Precision, float] = {"float32": 1e-4, "tf32": 1e-3, "bfloat16": 1e-2}
"""Of the losses of recorded steps, as shares of those of eager ones and of 1. Equal bits are usual."""


def why_not_recordable(tried: Tried, record: Recorder) -> str | None:
    """None where recorded steps give the losses of eager ones. The generators stay where they are."""
    refused: list[str] = []
    with generators_kept(tried.learner.device):
        try:
            eager = losses(Steps(copied(tried, SAMPLES)), tried)
            recorded = losses(Steps(copied(tried, SAMPLES), record, refused.append), tried)
        except BackendError as error:
            return f"training a copy failed: {error.message}"
    if refused:
        return refused[0]
    tolerance = TOLERANCES[tried.learner.precision]
    if np.allclose(recorded, eager, rtol=tolerance, atol=tolerance, equal_nan=True):
        return None
    worst = np.nanmax(np.abs(recorded - eager))
    return f"recorded steps gave other losses than eager ones, by {worst:.1g}: does it count steps, or draw in Python?"


def losses(steps: Steps, tried: Tried) -> npt.NDArray[np.float32]:
    """Of some steps on the first samples, [STEPS · SAMPLES]."""
    count = STEPS * SAMPLES
    chunk = Chunk(
        first_step=0,
        indices=np.arange(count, dtype=np.uint32) % np.uint32(tried.data.size),
        offsets=np.arange(0, count + 1, SAMPLES, dtype=np.uint32),
        learning_rates=np.full(STEPS, RATE),
        weights=None,
        micro_batch=None,
        average=None,
    )
    return train_chunk(steps, tried.data, chunk, ["loss"], Progress()).signals.arrays()["loss"]
