"""Which values count, which are equal, and their moments."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

SAME = 1e-12
"""Differences closer than this share of the largest value are equal: 0.9 - 0.8 is not 0.8 - 0.7 in binary."""
SMALLEST = 1e-100
"""A distance below is none: its square must not be zero."""
LARGEST = 1e100
"""A value beyond is as good as infinite: its square must be finite."""


def is_usable(value: float | None) -> bool:
    return value is not None and abs(value) <= LARGEST


def tolerance(values: Floats) -> float:
    """The distance up to which sums and differences of them are equal."""
    return max(SAME * float(np.max(np.abs(values), initial=0.0)), SMALLEST)


def are_equal(values: Floats, within: float) -> bool:
    return len(values) == 0 or bool(np.ptp(values) <= within)


def moments(values: Floats, within: float) -> dict[str, Any]:
    """n, mean and sd of a `Description`."""
    n = len(values)
    if n == 0:
        return {"n": 0, "mean": None, "sd": None}
    sd = None if n == 1 else 0.0 if are_equal(values, within) else float(values.std(ddof=1))
    return {"n": n, "mean": float(values.mean()), "sd": sd}
