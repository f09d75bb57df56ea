"""Holm's correction (Holm 1979, "A simple sequentially rejective multiple test procedure").

It is over all that may claim in a family: the comparisons that were planned, and their tests of divergence where a run
diverged (elsewhere p cannot be but 1, and a test that can show nothing needs no correction: Tarone 1990, "A modified
Bonferroni method for discrete data"). Equivalence is another claim, and its p are corrected by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from .answer import Difference
from .equivalence import smallest_margins


def correct(family: Sequence[Difference]) -> None:
    """Writes Holm's correction into the comparisons of a family. One that has no p counts as p = 1: it was planned."""
    divergences = [one.divergence for one in family if one.divergence]
    rates = [one.p for one in divergences]
    size = len(family) + len(rates)
    claims = holm([*(one.claim.p if one.claim else 1.0 for one in family), *rates])
    wilcoxon = holm([*(one.wilcoxon.p if one.wilcoxon else 1.0 for one in family), *rates])
    equivalence = holm([one.equivalence.p if one.equivalence else 1.0 for one in family])
    margins = smallest_margins(family)
    for at, one in enumerate(family):
        if one.claim:
            one.claim.holm = claims[at]
        if one.wilcoxon:
            one.wilcoxon_holm = wilcoxon[at]
            one.wilcoxon_smallest_holm = min(1.0, one.wilcoxon.smallest * size)
        if one.equivalence:
            one.equivalence.holm = equivalence[at]
        if not one.equivalence:
            one.smallest_margin = margins[at]
    for divergence, corrected in zip(divergences, claims[len(family) :], strict=True):
        divergence.holm = corrected


def holm(ps: Sequence[float]) -> list[float]:
    """The adjusted p, in the order of ps: the k-th smallest of m times m - k + 1, at most 1, never below one before."""
    adjusted = [1.0] * len(ps)
    highest = 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, ps[at] * (len(ps) - rank)))
        adjusted[at] = highest
    return adjusted
