"""Of means, within what is possible.

Of a mean share: Student's t interval of its logit by the delta method, brought back (as for shares in surveys: Korn and
Graubard 1998, "Confidence intervals for proportions with small expected number of positive counts estimated from survey
data"); of a mean of positive values: the same of its logarithm. Of a mean difference: Student's t interval, which
belongs to the t test, cut off at the largest difference that there can be; the true difference lies within that, so its
coverage stays.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import special, stats

from .answer import Interval
from .values import Floats, are_equal

LEAST_FOR_INTERVAL = 3
"""Values from which on a spread bounds a mean: of two, t is 12.7 standard errors wide."""


def is_too_few(values: Floats, within: float) -> bool:
    """Whether they bound no mean."""
    return len(values) < LEAST_FOR_INTERVAL or are_equal(values, within)


def mean_interval(values: Floats, scale: Literal["share", "positive", "any"], confidence: float) -> Interval | None:
    """Student's t interval of the mean m, on a scale on which every number is possible: with the standard error
    s / (m (1 - m)) of logit m, s / m of log m."""
    mean, half = float(values.mean()), half_width(values, confidence)
    if scale == "share" and 0 < mean < 1:
        ends = special.expit(special.logit(mean) + np.array([-1, 1]) * half / (mean * (1 - mean)))
    elif scale == "positive" and float(values.min()) > 0:
        with np.errstate(over="ignore"):
            ends = mean * np.exp(np.array([-1, 1]) * half / mean)
    else:
        ends = mean + np.array([-1, 1]) * half
    return finite_interval(*ends)


def difference_interval(differences: Floats, largest: float | None, confidence: float) -> tuple[Interval | None, bool]:
    """Student's, cut off at ±largest; and whether it was."""
    mean, half = float(differences.mean()), half_width(differences, confidence)
    low, high = mean - half, mean + half
    if largest is None or (low >= -largest and high <= largest):
        return finite_interval(low, high), False
    return finite_interval(max(low, -largest), min(high, largest)), True


def half_width(values: Floats, confidence: float) -> float:
    n = len(values)
    error: float = float(values.std(ddof=1)) / n**0.5
    return float(stats.t.ppf((1 + confidence) / 2, n - 1)) * error


def finite_interval(low: float, high: float) -> Interval | None:
    return Interval(low=float(low), high=float(high)) if np.isfinite(low) and np.isfinite(high) else None
