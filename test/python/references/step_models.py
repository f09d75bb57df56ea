"""Models of a user's that can be recorded, or not."""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Draws(nn.Module):
    """Of torch's generator alone."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(144, 3)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(F.dropout(x.flatten(1), 0.3, self.training))
        return logits


class CountsSteps(Draws):
    """A step more makes it a little warmer: no trial of a few steps sees it by the losses."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def forward(self, x: Tensor) -> Tensor:
        self.steps += self.training
        return super().forward(x) * (1 + self.steps / 1e6)


class DrawsInPython(Draws):
    """Leaves out its layer now and then."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * float(random.random() > 0.02)


class KeepsAMean(Draws):
    """As a BatchNorm of one's own: a buffer that is made anew, and used in evaluation alone."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean()
            return super().forward(x)
        return super().forward(x - self.mean)


class LooksAtAValue(Draws):
    """Which on a GPU waits for it."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (2 if x.sum().item() > 0 else 1)


class Gate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.early, self.late = nn.Linear(144, 3), nn.Linear(144, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        logits: Tensor = self.early(x)
        return logits + self.late(x) if random.random() > 0.7 else logits


class Words(nn.Module):
    """Sparse gradients, of which no optimiser of ours is fused."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(8, 3, sparse=True)

    def forward(self, x: Tensor) -> Tensor:
        level = x.flatten(1).mean(1).sigmoid().mul(7.99).long()
        logits: Tensor = self.words(level)
        return logits


class Counting(nn.Module):
    """A loss that keeps how many samples it saw."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.seen += len(labels)
        return F.cross_entropy(logits, labels, reduction="none")


class Phases(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 144, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.flatten(1).to(torch.complex64), self.weight).abs()
