"""An arm against the baseline, over the seeds that have both."""

from __future__ import annotations

import numpy as np

from .answer import Claim, Difference, Lack, SignedRank, TTest
from .bootstrap import bca_interval
from .divergence import divergence_of, outcomes_of, worst_ranked
from .equivalence import equivalence_of
from .intervals import LEAST_FOR_INTERVAL, difference_interval
from .request import Pairing
from .signed_rank import signed_rank
from .t_test import hedges_correction, t_test
from .values import Floats, are_equal, is_usable, moments, tolerance


def compare(pairing: Pairing, confidence: float) -> Difference:
    """Everything but Holm's correction."""
    arm, baseline = pairing.arm, pairing.baseline
    seeds = sorted(arm.keys() | baseline.keys() | {*pairing.arm_diverged, *pairing.baseline_diverged})
    paired = [seed for seed in seeds if is_usable(arm.get(seed)) and is_usable(baseline.get(seed))]
    first, second = (np.array([values[seed] for seed in paired], np.float64) for values in (arm, baseline))
    within = tolerance(np.concatenate([first, second]))
    differences = first - second
    with_outcomes = outcomes_of(arm, pairing.arm_diverged) & outcomes_of(baseline, pairing.baseline_diverged)
    outcomes = worst_ranked(pairing, differences, within)
    lack = lack_of_t(differences, within, ranked=len(outcomes))
    test = None if lack else t_test(differences)
    interval, is_cut = (None, False) if lack else difference_interval(differences, pairing.largest, confidence)
    has_effect = test and not are_equal(first, within) and not are_equal(second, within)
    described = moments(differences, within)
    effect = described["mean"] / described["sd"] if has_effect else None
    wilcoxon = signed_rank(outcomes, within) if len(outcomes) else None
    return Difference(
        name=pairing.name,
        missing=sorted(seed for seed in seeds if seed not in with_outcomes),
        **described,
        interval=interval,
        is_cut=is_cut,
        ranked=len(outcomes),
        family=pairing.family,
        lack=lack,
        bca=None if lack else bca_interval(differences, confidence),
        effect=effect,
        effect_corrected=None if effect is None else effect * hedges_correction(len(paired) - 1),
        t=test,
        wilcoxon=wilcoxon,
        wilcoxon_holm=None,
        wilcoxon_smallest_holm=None,
        claim=claim_of(test, wilcoxon, lack),
        divergence=divergence_of(pairing),
        equivalence=None if lack or pairing.margin is None else equivalence_of(differences, pairing.margin),
        smallest_margin=None,
    )


def lack_of_t(differences: Floats, within: float, ranked: int) -> Lack | None:
    n = len(differences)
    if ranked > n:
        return "diverged runs"
    few: dict[int, Lack] = {0: "no pairs", 1: "one pair"}
    if n in few:
        return few[n]
    if are_equal(differences, within):
        return "equal differences"
    return "two pairs" if n < LEAST_FOR_INTERVAL else None


def claim_of(t: TTest | None, wilcoxon: SignedRank | None, lack: Lack | None) -> Claim | None:
    """By the t test, or where runs diverged by the ranks: which of them it is depends on no p."""
    if lack == "diverged runs" and wilcoxon:
        return Claim(test="signed rank", p=wilcoxon.p, holm=None)
    return Claim(test="t", p=t.p, holm=None) if t else None
