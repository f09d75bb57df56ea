"""A training loop of the user's own, driven a step at a time.

    def train(model, dataset, batch_sampler, learning_rates, optimizer, loss) -> Iterator[Tensor]

It yields, after each step, that step's losses [B]. dataset: a map-style Dataset of (image float32 [C, H, W], label
int), to be read in this process; batch_sampler: a Sampler of lists of indices; learning_rates: one a batch; optimizer:
{"name", "options"}; loss(logits, labels) → [B].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from py_backend.errors import BackendError

from .data import Pictures
from .models import Loss
from .steps import Steps
from .textbook import Step


def drive(
    train: Callable[..., Any],
    model: nn.Module,
    dataset: Pictures,
    steps: Steps,
    optimizer: Mapping[str, Any],
    loss: Loss,
) -> Iterator[Step]:
    """Each step with the rate that was handed over. Raises BackendError (bad_reference) where it yields no losses."""
    rates = list(steps.learning_rates)
    losses = train(model, dataset, steps, list(rates), dict(optimizer), loss)
    if not isinstance(losses, Iterator):
        raise no_losses(f"it returned {type(losses).__name__}, not an iterator: `yield` each step's losses")
    for number, rate in enumerate(rates):
        try:
            given = next(losses)
        except StopIteration:
            raise no_losses(f"it ended after {number} of {len(rates)} steps") from None
        yield Step(checked(given, number), rate, None)


def checked(losses: Any, step: int) -> Tensor:
    """float32 [B] on the CPU or where it was."""
    if not isinstance(losses, Tensor) or losses.dim() != 1 or not losses.is_floating_point():
        seen = f"a tensor {losses.dtype} {list(losses.shape)}" if isinstance(losses, Tensor) else type(losses).__name__
        raise no_losses(f"after step {step} it yielded {seen}; a tensor of one loss a sample, [B], was expected")
    return losses.detach().to(torch.float32).clone()


def no_losses(what: str) -> BackendError:
    return BackendError("bad_reference", f"the training loop: {what}")
