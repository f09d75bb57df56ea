"""The loss curve of our model and of a reference over the same recorded batches, in float64 and without dropout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .check import Check, skipped
from .dropout_calls import NoDropout, silence_keyed
from .optimizers import build_optimizer
from .pairing import carry_over, pair_buffers, pair_parameters
from .parity import evaluated, in_float64, relative
from .recorded_order import RecordedOrder

NAME = "loss curve"
TOLERANCE = 1e-6

Batch = Callable[[Sequence[int]], tuple[Tensor, Tensor]]


def curve_check(
    ours: nn.Module,
    theirs: nn.Module,
    batch: Batch,
    orders: Sequence[RecordedOrder],
    optimizer: tuple[str, Mapping[str, Any]],
    device: torch.device,
) -> Check:
    """Each sample's loss at each step of these orders. The models stay as they are."""
    ours, theirs = in_float64(ours), in_float64(theirs)
    images = batch(next(iter(orders[0])))[0].double().to(device)
    traces = evaluated(ours, images), evaluated(theirs, images)
    parameters, buffers = pair_parameters(ours, theirs, *traces), pair_buffers(ours, theirs, *traces)
    if parameters.names is None or buffers.names is None:
        return skipped(NAME, "parameters or buffers cannot be carried over")
    carry_over(ours, theirs, [*parameters.names, *buffers.names])
    both = zip(*(losses_of(model, batch, orders, optimizer, device) for model in (ours, theirs)), strict=True)
    largest, steps = 0.0, 0
    for step, (mine, other) in enumerate(both):
        difference = relative(mine, other)
        largest, steps = max(largest, difference), step + 1
        if not difference <= TOLERANCE:
            means = f"means {mine.mean():.6f}, {other.mean():.6f}"
            detail = f"first at step {step}: by {difference:.1e} of the largest loss ({means})"
            return Check(NAME, "fail", f"{difference:.1e} at step {step}", f"{TOLERANCE:.0e} of the largest", detail)
    measured = f"{steps} steps, {largest:.1e} at most"
    return Check(NAME, "pass", measured, f"{TOLERANCE:.0e} of the largest")


def losses_of(
    model: nn.Module,
    batch: Batch,
    orders: Sequence[RecordedOrder],
    optimizer: tuple[str, Mapping[str, Any]],
    device: torch.device,
) -> Iterator[Tensor]:
    """Trains the model; gives each step's losses [B]."""
    model.train()
    mode = NoDropout()
    silence_keyed(model, mode)
    stepping = build_optimizer(*optimizer, model.parameters())
    for order in orders:
        for rows, rate in zip(order, order.learning_rates, strict=True):
            images, labels = batch(rows)
            for group in stepping.param_groups:
                group["lr"] = rate
            stepping.zero_grad()
            with mode:
                logits = model(images.double().to(device))
            losses = F.cross_entropy(logits, labels.to(device), reduction="none")
            losses.mean().backward()
            stepping.step()
            yield losses.detach()
