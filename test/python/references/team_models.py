"""Models as a team has them, good ones and ones with a fault. 12 × 12 grey images, 3 classes, as in conftest."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, num_classes: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(4, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.dropout(F.relu(self.norm(self.conv(images)))).mean((2, 3)))


class FlatNormNet(nn.Module):
    """BatchNorm on vectors: a training pass needs two samples."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(144, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class TwoHeads(Net):
    """Returns what a detector would."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        return {"logits": super().forward(images)}


class UnusedHead(Net):
    def __init__(self) -> None:
        super().__init__()
        self.auxiliary = nn.Linear(4, 3)


class FrozenStem(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv.requires_grad_(False)


class Detached(Net):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).detach()


class AllFrozen(Net):
    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False)
        self.register_parameter("unused", nn.Parameter(torch.zeros(1)))


class Counting(nn.Module):
    """Adds how often it was called, all over the process: never the same bits again."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        Counting.calls += 1
        return x + Counting.calls * 1e-3


class NotDeterministic(Net):
    def __init__(self) -> None:
        super().__init__()
        self.counting = Counting()

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(self.counting(images))


class Raises(Net):
    def forward(self, images: Tensor) -> Tensor:
        raise ValueError("kernels of\ntwo lines")


def not_a_model() -> str:
    return "weights.pt"


NUMBER = 3
