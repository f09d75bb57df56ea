"""Whether two sets of accuracies are equal up to a margin: two one-sided tests (Schuirmann 1987) on paired values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from py_backend.errors import BackendError
from py_report.statistics.equivalence import EQUIVALENCE_ALPHA, two_one_sided


@dataclass(frozen=True)
class Equivalence:
    """Of ours minus theirs: mean, the ends of the 90 % interval, and p, the larger of both one-sided tests'.
    equivalent: p is below 0.05, which is where the interval lies within ±margin."""

    mean: float
    low: float
    high: float
    p: float
    equivalent: bool


def compare_accuracies(ours: Sequence[float], theirs: Sequence[float], margin: float) -> Equivalence:
    """Accuracies, a pair for each seed. Where all differences are equal there is no variance to judge by: then the
    interval is that one difference, and p 0 or 1 as it lies within the margin or not. Raises BackendError."""
    if len(ours) != len(theirs) or len(ours) < 2:
        raise BackendError(
            "bad_field",
            f"{len(ours)} accuracies of ours and {len(theirs)} of the reference: an equivalence test needs pairs, of "
            "two seeds at least; give the config more `seeds`",
        )
    if not margin > 0:
        raise BackendError("bad_field", f"a margin of {margin}; expected a positive number")
    differences = np.array(ours, np.float64) - np.array(theirs, np.float64)
    if not np.all(np.isfinite(differences)):
        raise BackendError("bad_field", "an accuracy is not finite")
    mean = float(differences.mean())
    error = float(differences.std(ddof=1)) / len(differences) ** 0.5
    if error <= 1e-12 * max(1.0, abs(mean)):
        inside = abs(mean) < margin
        return Equivalence(mean, mean, mean, 0.0 if inside else 1.0, inside)
    interval, p = two_one_sided(differences, margin)
    return Equivalence(mean, interval.low, interval.high, p, p < EQUIVALENCE_ALPHA)
