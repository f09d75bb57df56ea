"""Mean and standard deviation of each channel over all pixels of a part, from exact sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array


class ChannelSums:
    """Of uint8 images, added one by one."""

    def __init__(self, channels: int) -> None:
        self._total = np.zeros(channels, np.int64)
        self._squares = np.zeros(channels, np.int64)
        self._count = 0

    def add(self, image: Array) -> None:
        """image: uint8 [H, W, C]."""
        pixels = image.astype(np.int64)
        self._total += pixels.sum((0, 1))
        self._squares += (pixels * pixels).sum((0, 1))
        self._count += image.shape[0] * image.shape[1]

    @property
    def mean_and_std(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of pixels scaled to [0, 1]; a deviation of 0 counts as 1."""
        mean = self._total / self._count / 255
        variance = np.maximum(self._squares / self._count / 255**2 - mean**2, 0)
        std = np.where(variance > 0, np.sqrt(variance), 1.0)
        return tuple(mean.tolist()), tuple(std.tolist())


def stated(values: Any) -> tuple[float, ...]:
    """A mean or a deviation as the user gave it: a number, or one a channel; () where it is none of these."""
    try:
        numbers = np.atleast_1d(np.asarray(values, np.float64))
    except (TypeError, ValueError):
        return ()
    return tuple(numbers.tolist()) if numbers.ndim == 1 and np.isfinite(numbers).all() else ()
