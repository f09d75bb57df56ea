"""How the weights of a model and its images lie in memory."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

MemoryFormat: TypeAlias = Literal["channels_last", "contiguous"]
"""channels_last: N, H, W, C in memory, which is faster; contiguous: N, C, H, W, torch's usual one, which a model needs
that makes views of what a convolution returns."""


def lay_out(model: nn.Module, memory_format: MemoryFormat) -> None:
    """Moves the weights within the parameters that the model has."""
    if memory_format == "channels_last":
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def in_format(images: Tensor, memory_format: MemoryFormat) -> Tensor:
    """images: [B, C, H, W], channels last."""
    if memory_format == "channels_last":
        return images
    return images.clone(memory_format=torch.contiguous_format)  # contiguous() leaves the strides of a single channel
