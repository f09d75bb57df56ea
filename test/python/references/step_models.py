"""Models of a user's that can be recorded, or not."""

from __future__ import annotations

import random

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
    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def forward(self, x: Tensor) -> Tensor:
        self.steps += self.training
        return super().forward(x) * (1 + self.steps / 10)


class DrawsInPython(Draws):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (1 + random.random())
