"""Runs that diverged: results, worse than any value.

Where a pair has one, the means of the others speak of survivors alone, so the signed-rank test carries the claim, with
such pairs at the end of the ranks, all alike (Lachin 1999, "Worst-rank score analysis with informatively missing
observations in clinical trials"). How often runs diverge has a test of its own, Fisher's exact test of the two counts
(Fisher 1935, "The logic of inductive inference"); it takes the runs as independent, which is cautious where equal seeds
make them alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from .answer import Divergence
from .request import Pairing, Values
from .values import Floats, is_usable


def outcomes_of(values: Values, diverged: Sequence[int]) -> set[int]:
    """Seeds whose run came to a value, or diverged."""
    return {*diverged, *(seed for seed, value in values.items() if is_usable(value))}


def worst_ranked(pairing: Pairing, differences: Floats, within: float) -> Floats:
    """The differences, then one for each pair with a diverged run: 0 where both did, else larger than any other."""
    sign = 1 if pairing.higher_is_better else -1
    beyond = sign * (2 * float(np.max(np.abs(differences), initial=0.0)) + 4 * within)
    arm, baseline = set(pairing.arm_diverged), set(pairing.baseline_diverged)
    against_worst = [beyond for seed in baseline - arm if is_usable(pairing.arm.get(seed))]
    worst = [-beyond for seed in arm - baseline if is_usable(pairing.baseline.get(seed))]
    return np.concatenate([differences, against_worst, worst, [0.0] * len(arm & baseline)])


def divergence_of(pairing: Pairing) -> Divergence | None:
    counts = [
        (len(set(diverged)), sum(is_usable(value) for seed, value in values.items() if seed not in diverged))
        for values, diverged in ((pairing.arm, pairing.arm_diverged), (pairing.baseline, pairing.baseline_diverged))
    ]
    (arm, arm_done), (baseline, baseline_done) = counts
    if arm + baseline == 0:
        return None
    p = float(stats.fisher_exact(counts).pvalue)
    return Divergence(
        arm=arm,
        arm_runs=arm + arm_done,
        baseline=baseline,
        baseline_runs=baseline + baseline_done,
        p=min(1.0, p),
        holm=None,
    )
