"""Two one-sided t tests (Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach for
assessing the equivalence of average bioavailability")."""

from __future__ import annotations

from scipy import stats

from .answer import Equivalence, Interval
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
