"""The paired t test (Student 1908, "The probable error of a mean"), and the size of what it is about."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from .answer import TTest
from .values import Floats


def t_test(differences: Floats) -> TTest:
    result = stats.ttest_1samp(differences, 0.0)
    return TTest(statistic=float(result.statistic), degrees_of_freedom=int(result.df), p=float(result.pvalue))


def hedges_correction(degrees_of_freedom: int) -> float:
    """Γ(f/2) / (√(f/2) Γ((f-1)/2)), which is about 1 - 3/(4f - 1); for f > 1."""
    half = degrees_of_freedom / 2
    return float(np.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / np.sqrt(half))
