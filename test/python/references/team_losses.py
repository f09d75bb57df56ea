"""Losses as a team has them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def focal(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Lin et al. 2017, arXiv 1708.02002, equation 4."""
    log_probability = F.log_softmax(logits, 1).gather(1, labels[:, None]).squeeze(1)
    return -((1 - log_probability.exp()) ** gamma) * log_probability


def mean(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels)


def without_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.detach(), labels, reduction="none")


class Learned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return self.scale * F.cross_entropy(logits, labels, reduction="none")


def fails_later(logits: Tensor, labels: Tensor) -> Tensor:
    if len(labels) == 6:
        raise RuntimeError("six at a time")
    return F.cross_entropy(logits, labels, reduction="none")
