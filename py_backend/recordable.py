"""Whether the steps of a model can be recorded: tried on copies before anything is trained.

A recording repeats the device's work and none of Python's. So a model whose work depends on what Python computes anew
at each step would train as in the step that was recorded for ever. What is seen of this is refused: draws from
generators of the host, plain attributes of modules that change, work that waits for the device, and whatever else gives
other losses, parameters or buffers than eager steps give. What is not seen, as a count in a global: `fast: false`.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .device import Recorder, what_broke
from .fitting import SAMPLES, Tried, copied, training_pass
from .generators import generators_kept, of_device
from .learner import Learner
from .learner_state import tensors_of
from .listed import listed
from .messages import Precision
from .progress import Progress
from .step import WARM_UP_STEPS, Steps, first_line
from .training import Chunk, train_chunk
from .unsaved import PlainAttributes

STEPS = WARM_UP_STEPS + 5
RATE = 1e-3
TOLERANCES: dict[Precision, float] = {"float32": 1e-4, "tf32": 1e-3, "bfloat16": 1e-2}
"""Of what recorded steps give, as shares of what eager ones give and of 1. Equal bits are usual, and asked for where a
session wants them."""
SHARE_OF_CHANGE = 0.1
"""Of what eager steps change: from so much on, recorded ones do something else, however little a few steps change."""


@dataclass(frozen=True)
class Seen:
    """What some steps gave. losses: float32 [STEPS · SAMPLES]; start, tensors: all that the model and the loss kept
    before them and behind them."""

    losses: npt.NDArray[np.float32]
    start: dict[str, Tensor]
    tensors: dict[str, Tensor]
    attributes: list[str]


def why_not_recordable(tried: Tried, record: Recorder, *, equal_bits: bool) -> str | None:
    """None where recorded steps are seen to do what eager ones do. The generators stay where they are."""
    refused: list[str] = []
    with generators_kept(tried.learner.device):
        try:
            drawn = training_pass(tried, copied(tried, SAMPLES)).drawn_from
            if others := [whose for whose in drawn if whose != of_device(tried.learner.device)]:
                return f"it draws from {listed(others)} generators"
            eager, recorded = trained(tried, None, refused), trained(tried, record, refused)
        except Exception as error:
            if what_broke(error):
                raise
            return f"training a copy failed: {first_line(error)}"
        finally:
            gc.collect()  # copies that refer to themselves, as by a hook, hold the device's memory
    if refused:
        return refused[0]
    if eager.attributes:
        return f"{listed(eager.attributes)} changed while a copy was trained, which only Python sees"
    tolerance = 0.0 if equal_bits else TOLERANCES[tried.learner.precision]
    if not np.allclose(recorded.losses, eager.losses, rtol=tolerance, atol=tolerance, equal_nan=True):
        worst = np.nanmax(np.abs(recorded.losses - eager.losses))
        return f"recorded steps gave other losses than eager ones, by {worst:.1g}"
    unlike = [name for name, tensor in eager.tensors.items() if not alike(tensor, recorded.tensors[name], tolerance)]
    if unlike:
        return f"recorded steps left other values in {listed(unlike)} than eager ones"
    is_other = distance(recorded.tensors, eager.tensors) > SHARE_OF_CHANGE * distance(eager.start, eager.tensors)
    return "recorded steps changed the model otherwise than eager ones" if is_other else None


def trained(tried: Tried, record: Recorder | None, refused: list[str]) -> Seen:
    """A copy, after some steps on the first samples. refused: gets why a step could not be recorded."""
    learner = copied(tried, SAMPLES)
    steps, attributes = Steps(learner, record, refused.append), PlainAttributes(learner)
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
    start = kept_tensors(learner)
    losses = train_chunk(steps, tried.data, chunk, ["loss"], Progress()).signals.arrays()["loss"]
    return Seen(losses, start, kept_tensors(learner), attributes.changed_names())


def kept_tensors(learner: Learner) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors_of(learner).items()}


def distance(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    """Euclidean, over all finite numbers."""
    squares = [(a[name].double() - b[name].double()).square().nan_to_num(0.0, 0.0, 0.0).sum() for name in b]
    return float(torch.stack(squares).sum().sqrt())


def alike(a: Tensor, b: Tensor, tolerance: float) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
