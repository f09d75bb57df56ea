"""In which precision products are made, by the words of `open` in docs/PROTOCOL.md, as a user would write it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def products_in(precision: str) -> Iterator[None]:
    """Within it CUDA rounds what it multiplies to TF32 where that was asked for, and nowhere else."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def mixed_precision(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    if precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()
