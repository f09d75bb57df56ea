"""Two one-sided t tests (Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach for
assessing the equivalence of average bioavailability")."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from .answer import Difference, Equivalence, Interval
from .values import Floats

EQUIVALENCE_ALPHA = 0.05


def equivalence_of(differences: Floats, margin: float) -> Equivalence:
    interval, p = two_one_sided(differences, margin)
    return Equivalence(margin=margin, interval=interval, p=p, holm=None)


def two_one_sided(differences: Floats, margin: float) -> tuple[Interval, float]:
    """The interval of 1 - 2 · EQUIVALENCE_ALPHA of the mean, and the larger one of both p: of two differences or more
    that are not all equal."""
    n = len(differences)
    mean, error = float(differences.mean()), float(differences.std(ddof=1)) / n**0.5
    t = stats.t(n - 1)
    half = float(t.ppf(1 - EQUIVALENCE_ALPHA)) * error
    p = max(float(t.sf((mean + margin) / error)), float(t.cdf((mean - margin) / error)))
    return Interval(low=mean - half, high=mean + half), p


def smallest_margins(family: Sequence[Difference]) -> list[float | None]:
    """Of each, the least margin at which Holm's step-down over the family rejects, if all are tested with that margin.

    A test's p falls as the margin grows, and reaches a at |mean| + t(1 - a) standard errors. Step by step, with k tests
    left and the level EQUIVALENCE_ALPHA / k, the one that reaches it at the least margin is rejected next, and at no
    smaller margin than those before it."""
    left = [at for at, one in enumerate(family) if one.t]
    margins: list[float | None] = [None] * len(family)
    untestable = len(family) - len(left)
    highest = 0.0
    while left:
        level = EQUIVALENCE_ALPHA / (len(left) + untestable)
        reached, at = min((margin_at(family[at], level), at) for at in left)
        highest = max(highest, reached)
        margins[at] = highest
        left.remove(at)
    return margins


def margin_at(difference: Difference, level: float) -> float:
    n, mean, sd = difference.n, difference.mean, difference.sd
    if mean is None or sd is None:
        raise ValueError(f"{difference.name} has no t test")
    return float(abs(mean) + stats.t.ppf(1 - level, n - 1) * sd / np.sqrt(n))
