"""Puts a loop together: model, data, recorded batches, noise, and the textbook loop or the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from py_backend.errors import BackendError

from .data import Augmentation, Pictures
from .loop import Loop
from .models import Loss
from .noise import StepNoise, feed
from .optimizers import build_optimizer
from .recorded_order import RecordedOrder
from .steps import Steps
from .textbook import train
from .user_loop import drive


@dataclass(frozen=True)
class Settings:
    """How a run trains: the words of `open` and `train` in docs/PROTOCOL.md."""

    optimizer: str
    optimizer_options: Mapping[str, Any]
    loss: Loss
    augmentation: Augmentation
    precision: str
    seed: int
    micro_batch: int | None
    memory_format: torch.memory_format


def open_loop(
    model: nn.Module,
    data: Any,
    run: Path,
    epochs: Sequence[int],
    settings: Settings,
    device: torch.device,
    own: Callable[..., Any] | None = None,
) -> tuple[Loop, int]:
    """The loop, which trains `model` itself, and its number of steps. own: a loop of the user's.

    Raises BackendError (bad_option), FileNotFoundError and ValueError of RecordedOrder.
    """
    model.to(memory_format=settings.memory_format)  # type: ignore[call-overload]
    noise = StepNoise(settings.seed)
    feed(model, noise, device)
    dataset = Pictures(data, "train", settings.augmentation, noise)
    steps = Steps([(epoch, RecordedOrder(run, epoch, labels=None)) for epoch in epochs], dataset, noise)
    if own is not None:
        refuse_what_a_loop_is_not_told(steps, settings)
        optimizer_named = {"name": settings.optimizer, "options": dict(settings.optimizer_options)}
        training = drive(own, model, dataset, steps, optimizer_named, settings.loss)
        return Loop(steps, dataset, training), len(steps)
    training = train(
        model,
        dataset,
        steps,
        steps.learning_rates,
        steps.weights,
        build_optimizer(settings.optimizer, settings.optimizer_options, model.parameters()),
        settings.loss,
        noise,
        device,
        settings.micro_batch,
        settings.precision,
        settings.memory_format,
    )
    return Loop(steps, dataset, training), len(steps)


def refuse_what_a_loop_is_not_told(steps: Steps, settings: Settings) -> None:
    """Raises BackendError (bad_option)."""
    if steps.weights is not None:
        raise BackendError("bad_option", "a training loop of your own gets no weights: validate an order without any")
    if settings.precision != "float32":
        raise BackendError(
            "bad_option", f"a training loop of your own is compared in float32, not in {settings.precision}"
        )
