"""The bias-corrected and accelerated bootstrap (Efron 1987, "Better bootstrap confidence intervals")."""

from __future__ import annotations

import numpy as np
from scipy import stats

from .answer import Interval
from .intervals import finite_interval
from .values import Floats

RESAMPLES = 9_999
"""Of the bootstrap (BCa: Efron 1987, "Better bootstrap confidence intervals")."""
BOOTSTRAP_SEED = 20_260_101
RESAMPLES_AT_ONCE = 999
"""Bounds memory; changes no resample."""


def bca_interval(differences: Floats, confidence: float) -> Interval | None:
    """Bias-corrected and accelerated; of the sorted differences, so that it does not matter which seed is which."""
    result = stats.bootstrap(
        (np.sort(differences),),
        np.mean,
        n_resamples=RESAMPLES,
        batch=RESAMPLES_AT_ONCE,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(BOOTSTRAP_SEED),
    )
    return finite_interval(result.confidence_interval.low, result.confidence_interval.high)
