"""The exact signed-rank test (Wilcoxon 1945, "Individual comparisons by ranking methods")."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import stats

from .answer import SignedRank
from .values import Floats

EXACT_UP_TO = 50
"""From more differences on, the signed-rank p is of the normal approximation."""


def signed_rank(differences: Floats, within: float) -> SignedRank:
    """Zeros go (Wilcoxon's own rule). p is exact for what is left: by scipy where all sizes differ, else over all signs
    of the mean ranks."""
    left = differences[np.abs(differences) > within]
    n = len(left)
    if n == 0:
        return SignedRank(nonzero=0, statistic=0.0, direction=0, p=1.0, smallest=1.0, exact=True)
    order = np.argsort(np.abs(left), kind="stable")
    groups = np.empty(n)
    groups[order] = np.cumsum(np.diff(np.abs(left[order]), prepend=0.0) > within)
    signed = np.copysign(groups, left)  # ranks as the differences do, and equal sizes are equal
    exact, tied = n <= EXACT_UP_TO, len(np.unique(groups)) < n
    result = stats.wilcoxon(signed, method="exact" if exact and not tied else "approx")
    statistic = float(result.statistic)
    p = p_of_mean_ranks(stats.rankdata(groups), statistic) if exact and tied else float(result.pvalue)
    total = float(np.sum(np.sign(signed) * stats.rankdata(groups)))
    direction: Literal[-1, 0, 1] = 0 if total == 0 else 1 if total > 0 else -1
    return SignedRank(
        nonzero=n, statistic=statistic, direction=direction, p=p, smallest=min(1.0, 2.0 ** (1 - n)), exact=exact
    )


def p_of_mean_ranks(ranks: Floats, statistic: float) -> float:
    """Two-sided p of a smaller rank sum, given ranks with halves: the share of all 2ⁿ signs whose positive ranks add up
    to it or less, twice (Streitberg and Röhmel 1986, "Exact distributions for permutations and rank tests")."""
    doubled = [round(2 * rank) for rank in ranks.tolist()]
    shares = np.zeros(sum(doubled) + 1)
    shares[0] = 1.0
    for rank in doubled:
        shares[rank:] = (shares[rank:] + shares[:-rank]) / 2
        shares[:rank] /= 2
    return min(1.0, 2 * float(shares[: round(2 * statistic) + 1].sum()))
