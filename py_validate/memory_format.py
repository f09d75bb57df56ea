"""In which memory format a model is computed: channels last, but for one that does not bear it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


def memory_format_of(model: nn.Module, images: Tensor) -> torch.memory_format:
    """Tried on a copy, in evaluation mode. images: [B, C, H, W]."""
    tried = copy.deepcopy(model).eval()
    try:
        with torch.no_grad():
            tried.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            tried(images.to(memory_format=torch.channels_last))
    except RuntimeError:
        return torch.contiguous_format
    return torch.channels_last


def laid_out(images: Tensor, memory_format: torch.memory_format) -> Tensor:
    """A copy, so that an image of one channel, which is of both formats, has the strides of this one."""
    return images.clone(memory_format=memory_format)
