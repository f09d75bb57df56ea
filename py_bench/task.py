"""What every loop is given: which network, on which images, in which batches, on what."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from .nets import NETS
from .pictures import Pictures

CROP = 4
MEMORY_FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass(frozen=True)
class Task:
    """memory_format: that our backend chose; augments: random crops of images padded by CROP pixels, and flips;
    workers: processes of a DataLoader."""

    model: str
    pictures: Pictures
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    precision: str
    memory_format: torch.memory_format
    augments: bool
    workers: int
    device: torch.device

    def net(self) -> nn.Module:
        return NETS[self.model]().to(self.device)

    def optimizer(self, net: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            net.parameters(), lr=self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay
        )

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")


Epoch = Callable[[], float]
"""Trains on every sample once, in a new random sequence; returns the mean loss, which waits for the device."""
