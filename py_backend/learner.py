"""What is trained, and its pass over a batch: all of a session that changes with a step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .averaging import AveragedWeights
from .device import seed_default_generators
from .generators import seed_all
from .memory_format import MemoryFormat, in_format
from .messages import Precision
from .noise import StepNoise
from .references.whose import Telling
from .resident import Augmentation

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(logits float32 [B, classes], labels int64 [B]) → one value a sample, [B]."""


@dataclass(frozen=True)
class Learner:
    """What is trained, on what, and how: all of a session that changes with a step. batch_norms: see batch_norm.py;
    references: of what is the user's; memory_format: of the model's weights and its images."""

    model: nn.Module
    model_reference: str | None
    memory_format: MemoryFormat
    batch_norms: tuple[_BatchNorm, ...]
    optimizer: torch.optim.Optimizer
    averaged: AveragedWeights
    loss: Loss
    loss_reference: str | None
    noise: StepNoise
    noisy_layers: int
    augmentation: Augmentation
    device: torch.device
    precision: Precision
    seed: int

    @property
    def is_own(self) -> bool:
        """Whether the model or the loss is the user's."""
        return self.model_reference is not None or self.loss_reference is not None

    def seed_generators(self, seed: int) -> None:
        """Those that what is trained may draw from: of what is ours torch's alone."""
        (seed_all if self.is_own else seed_default_generators)(self.device, seed)


def forward(learner: Learner, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits float32 [B, classes] and losses float32 [B], in the mode that the model is in. images: channels last;
    labels: int64 [B]. Raises BackendError (bad_reference) with what the user's model or loss raises."""
    with Telling(learner.model_reference, f"it failed on images {list(images.shape)}"):
        with autocast(learner):
            logits = learner.model(in_format(images, learner.memory_format))
        logits = logits.float()
    with Telling(learner.loss_reference or learner.model_reference, f"it failed on {len(labels)} logits and labels"):
        return logits, learner.loss(logits, labels)


def autocast(learner: Learner) -> contextlib.AbstractContextManager[object]:
    """Mixed precision where the session was opened with bfloat16."""
    if learner.precision == "bfloat16":
        return torch.autocast(learner.device.type, torch.bfloat16)
    return contextlib.nullcontext()
