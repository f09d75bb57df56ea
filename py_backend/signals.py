"""What is told of each sample: one line of the table a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

# (losses float32 [B], logits [B, classes], labels int64 [B]) → one value a sample, and its dtype on the device
SIGNALS: dict[str, tuple[torch.dtype, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "loss": (torch.float32, lambda losses, logits, labels: losses),
    "correct": (torch.uint8, lambda losses, logits, labels: logits.argmax(1) == labels),
    "prediction": (torch.int32, lambda losses, logits, labels: logits.argmax(1)),
}


class SignalBuffer:
    """Room for the signals of `count` samples on the device, filled part by part without waiting."""

    def __init__(self, names: Iterable[str], count: int, device: torch.device) -> None:
        self._buffers = {name: torch.empty(count, dtype=SIGNALS[name][0], device=device) for name in names}

    def write(self, start: int, losses: Tensor, logits: Tensor, labels: Tensor) -> None:
        """The signals of samples start … start + B - 1 of the message."""
        for name, buffer in self._buffers.items():
            buffer[start : start + len(labels)] = SIGNALS[name][1](losses, logits, labels)

    def first(self, count: int) -> dict[str, Tensor]:
        """The signals of the first `count` samples."""
        return {name: buffer[:count] for name, buffer in self._buffers.items()}
