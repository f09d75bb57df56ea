"""In which memory format a model is computed: that of the backend, which tried what the model bears."""

from __future__ import annotations

import torch
from torch import Tensor

MEMORY_FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
"""By the words of `settings` in docs/PROTOCOL.md."""


def laid_out(images: Tensor, memory_format: torch.memory_format) -> Tensor:
    """A copy, so that an image of one channel, which is of both formats, has the strides of this one."""
    return images.clone(memory_format=memory_format)
