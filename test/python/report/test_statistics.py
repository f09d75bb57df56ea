"""The statistics against published worked examples, scipy called directly, hand calculation and laws."""

from __future__ import annotations

import io
import itertools
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from py_report.statistics import __main__ as program
from py_report.statistics import bootstrap
from py_report.statistics.analysis import analyse
from py_report.statistics.answer import Answer, Description, Difference, Interval
from py_report.statistics.holm import holm
from py_report.statistics.request import Pairing, Request, Sample
from py_report.statistics.signed_rank import p_of_mean_ranks
from py_report.statistics.t_test import hedges_correction

ROOT = Path(__file__).parents[3]
Run = Callable[[str], subprocess.CompletedProcess[str]]
few = settings(max_examples=60, deadline=None)


def by_seed(values: list[float | None]) -> dict[int, float | None]:
    return dict(enumerate(values))


def compare(arm: list[float | None], baseline: list[float | None], **request: Any) -> Difference:
    """Of one comparison, which is a family of its own."""
    pairing = Pairing(name="arm", arm=by_seed(arm), baseline=by_seed(baseline), family="planned")
    return analyse(Request(comparisons=[pairing], **request)).comparisons[0]


def describe(values: list[float | None], **request: Any) -> Description:
    return analyse(Request(samples=[Sample(name="sample", values=by_seed(values))], **request)).samples[0]


def ends(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.low, interval.high


# --- published examples

# Additional hours of sleep under two drugs, by patient (Student 1908, "The probable error of a mean"; R's `sleep`).
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_students_sleep_data() -> None:
    """R: t.test(extra ~ group, data = sleep, paired = TRUE)."""
    seen = compare(SLEEP_1, SLEEP_2)
    assert seen.t is not None
    assert seen.n == 10
    assert seen.mean == pytest.approx(-1.58)
    assert seen.sd == pytest.approx(1.229995, abs=1e-6)
    assert seen.t.statistic == pytest.approx(-4.0621, abs=5e-5)
    assert seen.t.degrees_of_freedom == 9
    assert seen.t.p == pytest.approx(0.002833, abs=5e-7)
    assert ends(seen.interval) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)


# Heights in 1/8 inch, crossed minus self-fertilised maize (Darwin 1876; Fisher 1935, "The Design of Experiments").
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_darwins_maize() -> None:
    """Fisher: t = 2.148 on 14 degrees of freedom. scipy's own page of `wilcoxon`: W = 24, p = 0.041259765625."""
    seen = compare([float(value) for value in DARWIN], [0.0] * len(DARWIN))
    assert seen.t is not None and seen.wilcoxon is not None
    assert seen.t.statistic == pytest.approx(2.148, abs=5e-4)
    assert seen.t.degrees_of_freedom == 14
    assert seen.wilcoxon.statistic == 24
    assert seen.wilcoxon.p == 0.041259765625
    assert seen.wilcoxon.exact


def test_hamilton_depression_scale() -> None:
    """Hollander and Wolfe 1973, p. 29, in R's ?wilcox.test: V = 40 of 45, exact one-sided p = 0.01953."""
    first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    second = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    seen = compare(first, second).wilcoxon
    assert seen is not None
    assert seen.statistic == 45 - 40
    assert seen.p == 2 * 10 / 512  # 0.01953125 on one side


def test_holm_by_hand() -> None:
    """0.01·4, then 0.02·3, 0.03·2 (not below 0.06), 0.04·1 (not below 0.06)."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.4]) == pytest.approx([0.8, 0.8])
    assert holm([0.9, 0.6, 0.7]) == [1, 1, 1]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@pytest.mark.parametrize("degrees, expected", [(2, 0.5642), (3, 0.7236), (9, 0.9139), (19, 0.9599), (50, 0.9849)])
def test_hedges_correction(degrees: int, expected: float) -> None:
    """Γ by the standard library, and the usual approximation."""
    exact = math.gamma(degrees / 2) / (math.sqrt(degrees / 2) * math.gamma((degrees - 1) / 2))
    assert hedges_correction(degrees) == pytest.approx(exact, rel=1e-12)
    assert exact == pytest.approx(expected, abs=1e-4)
    assert exact == pytest.approx(1 - 3 / (4 * degrees - 1), abs=0.01)


# --- against scipy

FIXED = np.random.default_rng(4)
CASES = [(0.9 + 0.01 * FIXED.normal(size=n), 0.89 + 0.01 * FIXED.normal(size=n)) for n in (3, 5, 6, 10, 30)]


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("arm, baseline", CASES)
def test_equals_scipy_called_directly(arm: np.ndarray, baseline: np.ndarray, confidence: float) -> None:
    seen = compare(arm.tolist(), baseline.tolist(), confidence=confidence)
    assert seen.t is not None and seen.wilcoxon is not None
    t = stats.ttest_rel(arm, baseline)
    assert (seen.t.statistic, seen.t.p) == pytest.approx((t.statistic, t.pvalue), rel=1e-12)
    assert ends(seen.interval) == pytest.approx(tuple(t.confidence_interval(confidence)), rel=1e-9)
    wilcoxon = stats.wilcoxon(arm, baseline, method="exact")
    assert (seen.wilcoxon.statistic, seen.wilcoxon.p) == (wilcoxon.statistic, wilcoxon.pvalue)
    assert seen.wilcoxon.smallest == 2 / 2 ** len(arm)
    assert (seen.mean, seen.sd) == pytest.approx((np.mean(arm - baseline), np.std(arm - baseline, ddof=1)))
    assert seen.effect == pytest.approx(t.statistic / math.sqrt(len(arm)))
    assert seen.effect_corrected == pytest.approx(seen.effect * hedges_correction(len(arm) - 1))
    bca = stats.bootstrap(
        (np.sort(arm - baseline),),
        np.mean,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(bootstrap.BOOTSTRAP_SEED),
    )  # 9,999 resamples are scipy's own default
    assert ends(seen.bca) == pytest.approx(tuple(bca.confidence_interval), rel=1e-12)


@pytest.mark.parametrize("arm", [case[0] for case in CASES])
def test_a_samples_interval_is_students(arm: np.ndarray) -> None:
    seen = describe(arm.tolist())
    n = len(arm)
    expected = stats.t.interval(0.95, n - 1, loc=arm.mean(), scale=arm.std(ddof=1) / math.sqrt(n))
    assert ends(seen.interval) == pytest.approx(expected, rel=1e-12)
    assert (seen.n, seen.mean, seen.sd) == (n, pytest.approx(arm.mean()), pytest.approx(arm.std(ddof=1)))


@pytest.mark.parametrize("differences", [[1, 1, 2, -4, 5], [1, -1, 1, 1], [2, 2, 2, 2, 2], [3, -3, 5, 0, 0, 7, -5, 9]])
def test_ties_are_exact_over_all_signs(differences: list[int]) -> None:
    """scipy's own `exact` knows no ties; its permutation test does."""
    seen = compare([float(value) for value in differences], [0.0] * len(differences)).wilcoxon
    nonzero = np.array([value for value in differences if value != 0], float)
    expected = stats.wilcoxon(nonzero, method=stats.PermutationMethod())
    assert seen is not None
    assert (seen.nonzero, seen.statistic) == (len(nonzero), expected.statistic)
    assert seen.p == pytest.approx(expected.pvalue, rel=1e-12)
    assert seen.smallest == 2 / 2 ** len(nonzero)
    assert seen.exact


def test_mean_ranks_against_counting() -> None:
    ranks = [1.5, 1.5, 3.0, 4.5, 4.5, 6.0]
    for statistic in (0.0, 1.5, 4.5, 7.5, 10.5):
        sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product((0, 1), repeat=len(ranks))]
        share = sum(one <= statistic for one in sums) / len(sums)
        assert p_of_mean_ranks(np.array(ranks), statistic) == pytest.approx(min(1, 2 * share))


def test_differences_that_differ_by_rounding_only_are_ties_and_zeros() -> None:
    arm, baseline = [0.9, 0.8, 0.7, 0.3], [0.8, 0.7, 0.6, 0.1 + 0.2]
    assert len({a - b for a, b in zip(arm, baseline, strict=True)}) == 3
    seen = compare(arm, baseline).wilcoxon
    assert seen is not None
    assert (seen.nonzero, seen.statistic, seen.p) == (3, 0, 0.25)


def test_beyond_50_differences_p_is_approximate_and_says_so() -> None:
    differences = np.random.default_rng(1).normal(0.2, 1, 51)
    seen = compare(differences.tolist(), [0.0] * 51).wilcoxon
    assert seen is not None and not seen.exact
    assert seen.p == pytest.approx(stats.wilcoxon(differences, method="approx").pvalue)
    exact = compare(differences[:50].tolist(), [0.0] * 50).wilcoxon
    assert exact is not None and exact.exact
    assert exact.p == pytest.approx(stats.wilcoxon(differences[:50], method="exact").pvalue)


# --- families


def p_holm(difference: Difference) -> float | None:
    assert difference.claim is not None
    return difference.claim.holm


def pairing(name: str, differences: list[float], family: str | None) -> Pairing:
    return Pairing(name=name, arm=by_seed(list(differences)), baseline=by_seed([0.0] * len(differences)), family=family)


def test_holm_is_over_the_comparisons_of_a_family_and_no_others() -> None:
    first, second, third = [1.0, 2, 3, 4], [1.0, 1, 2, -1], [4.0, 5, 6, 9]
    answer = analyse(
        Request(
            comparisons=[
                pairing("a", first, "accuracy"),
                pairing("b", second, "accuracy"),
                pairing("c", third, None),
                pairing("d", first, "loss"),
            ]
        )
    )
    a, b, c, d = answer.comparisons
    assert a.t and b.t and c.t and d.t and a.wilcoxon
    assert (p_holm(a), p_holm(b)) == tuple(holm([a.t.p, b.t.p]))
    assert p_holm(a) == 2 * a.t.p
    assert p_holm(d) == d.t.p
    assert (p_holm(c), c.wilcoxon_holm, c.wilcoxon_smallest_holm) == (None, None, None)
    assert (a.wilcoxon.smallest, a.wilcoxon_smallest_holm) == (2 / 16, 4 / 16)


def test_a_planned_comparison_without_an_answer_still_counts() -> None:
    answer = analyse(Request(comparisons=[pairing("a", [1.0, 2, 4], "all"), pairing("not run", [], "all")]))
    first, second = answer.comparisons
    assert first.t is not None and first.wilcoxon is not None
    assert p_holm(first) == 2 * first.t.p
    assert first.wilcoxon_holm == 2 * first.wilcoxon.p
    assert (second.claim, second.wilcoxon_holm) == (None, None)


@pytest.mark.parametrize("seeds, comparisons", [(6, 1), (7, 3), (8, 6), (9, 12)])
def test_how_many_comparisons_so_many_seeds_can_show(seeds: int, comparisons: int) -> None:
    """By running it: all differences of one sign, in every comparison."""

    def smallest(count: int) -> float:
        pairings = [pairing(str(at), [float(seed + 1) for seed in range(seeds)], "all") for at in range(count)]
        adjusted = analyse(Request(comparisons=pairings)).comparisons[0]
        assert adjusted.wilcoxon_holm == adjusted.wilcoxon_smallest_holm
        assert adjusted.wilcoxon_holm is not None
        return adjusted.wilcoxon_holm

    assert smallest(comparisons) < 0.05 < smallest(comparisons + 1)


# --- runs that diverged


def diverging(arm: list[float | None], baseline: list[float | None], **more: Any) -> Difference:
    """None: this seed's run diverged."""
    pairing = Pairing(
        name="arm",
        arm=by_seed(arm),
        baseline=by_seed(baseline),
        family="planned",
        arm_diverged=[seed for seed, value in enumerate(arm) if value is None],
        baseline_diverged=[seed for seed, value in enumerate(baseline) if value is None],
        **more,
    )
    return analyse(Request(comparisons=[pairing])).comparisons[0]


def sign_flip_p(ranks_signed: list[float]) -> float:
    """By counting: the share of all signs whose sum of ranks is as far from 0 or farther."""
    seen = abs(sum(ranks_signed))
    sums = [
        abs(sum(s * abs(r) for s, r in zip(signs, ranks_signed, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(ranks_signed))
    ]
    return sum(one >= seen - 1e-12 for one in sums) / len(sums)


def test_no_verdict_rests_on_survivors() -> None:
    """Two of six diverged and the other four a point better: it was once told as "better, p = 0.0021"."""
    baseline: list[float | None] = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95]
    seen = diverging([0.91, 0.9205, 0.9295, 0.9402, None, None], baseline)
    assert (seen.lack, seen.t, seen.interval, seen.bca, seen.effect, seen.equivalence) == ("diverged runs", *[None] * 5)
    assert (seen.n, seen.ranked, seen.missing) == (4, 6, [])
    assert seen.claim is not None and seen.divergence is not None
    assert seen.claim.test == "signed rank"
    # sizes 0.95, 1, 1.02, 1.05 points: ranks 1 … 4, all better; both diverged 5.5, worse
    assert seen.claim.p == pytest.approx(sign_flip_p([1, 2, 3, 4, -5.5, -5.5]))
    assert seen.claim.p > 0.9
    assert seen.wilcoxon is not None and seen.wilcoxon.direction == -1  # 10 against 11
    assert seen.divergence.p == pytest.approx(0.4545, abs=1e-4)  # 2 of 6 and 0 of 6: 2 · C(6,2) / C(12,2)
    assert seen.claim.holm is not None and seen.claim.holm > 0.9


@pytest.mark.parametrize("better, sign", [(True, -1), (False, 1)])
def test_a_diverged_run_is_worse_than_any_value(better: bool, sign: int) -> None:
    """Whichever way is better, and however large the other differences are."""
    arm, baseline = [None, 5.0, 1e6, 3.0], [1.0, 1.0, 1.0, None]
    seen = diverging(arm, baseline, higher_is_better=better)  # ranks: 3.5 worse, 1 and 2 larger, 3.5 better
    assert seen.wilcoxon is not None
    assert seen.wilcoxon.p == pytest.approx(sign_flip_p([sign * 3.5, 1, 2, -sign * 3.5]))
    assert seen.wilcoxon.statistic == 3.5


def test_an_arm_that_always_diverges_has_a_test() -> None:
    """6 of 6 against 0 of 6: it was once told as "no test"."""
    seen = diverging([None] * 6, [0.9, 0.91, 0.92, 0.93, 0.94, 0.95])
    assert seen.claim is not None and seen.divergence is not None
    assert (seen.n, seen.mean, seen.ranked) == (0, None, 6)
    assert seen.claim.p == 2 / 64
    assert seen.divergence.p == pytest.approx(2 / math.comb(12, 6))
    assert (seen.divergence.arm, seen.divergence.arm_runs) == (6, 6)
    assert (seen.divergence.baseline, seen.divergence.baseline_runs) == (0, 6)
    assert seen.divergence.holm == pytest.approx(4 / math.comb(12, 6))  # over two tests: the other one is 2/64


def test_both_diverged_tells_nothing_and_a_run_that_is_missing_is_named() -> None:
    pairing = Pairing(
        name="arm",
        arm={0: 0.9, 1: None, 2: None, 3: 0.8},
        baseline={0: 0.8, 1: None, 2: 0.7, 4: 0.9},
        family=None,
        arm_diverged=[1],
        baseline_diverged=[1],
    )
    seen = analyse(Request(comparisons=[pairing])).comparisons[0]
    assert (seen.n, seen.ranked, seen.missing) == (1, 2, [2, 3, 4])
    assert seen.wilcoxon is not None and seen.wilcoxon.nonzero == 1
    assert seen.divergence is not None
    assert (seen.divergence.arm_runs, seen.divergence.baseline_runs, seen.divergence.p) == (3, 4, 1)


def test_divergence_is_corrected_in_the_one_family_and_only_where_a_run_diverged() -> None:
    steady = pairing("steady", [1.0, 2, 3, 4], "accuracy")
    torn = Pairing(
        name="torn",
        arm=dict.fromkeys(range(4)),
        baseline=by_seed([1.0, 2, 3, 4]),
        family="accuracy",
        arm_diverged=[0, 1, 2, 3],
    )
    first, second = analyse(Request(comparisons=[steady, torn])).comparisons
    assert first.t is not None and second.wilcoxon is not None and second.divergence is not None
    assert first.divergence is None
    expected = holm([first.t.p, second.wilcoxon.p, second.divergence.p])
    assert (p_holm(first), p_holm(second), second.divergence.holm) == tuple(expected)
    assert second.wilcoxon_smallest_holm == 3 * 2 / 16


def test_where_nothing_differs_few_comparisons_claim_something_though_runs_diverge() -> None:
    """The family's rate of a false claim over made-up experiments, divergence and accuracy alike in both arms."""
    random = np.random.default_rng(7)
    experiments, claims = 400, 0
    for _ in range(experiments):
        values = random.normal(0.9, 0.01, (2, 8))
        arm, baseline = ([None if random.random() < 0.3 else float(v) for v in row] for row in values)
        seen = diverging(arm, baseline)
        ps = [p.holm for p in (seen.claim, seen.divergence) if p is not None]
        claims += any(p is not None and p < 0.05 for p in ps)
    assert claims / experiments < 0.05 + 2 * math.sqrt(0.05 * 0.95 / experiments)


# --- equivalence


def test_equivalence_is_two_one_sided_t_tests() -> None:
    """Against scipy's one-sided tests; its interval of 90 % lies within the margin exactly where p < 0.05."""
    random = np.random.default_rng(3)
    for spread in (0.001, 0.003, 0.01):
        arm, baseline = random.normal(0.9, spread, 8).tolist(), random.normal(0.9, spread, 8).tolist()
        paired = Pairing(name="arm", arm=by_seed(arm), baseline=by_seed(baseline), family="planned", margin=0.003)
        seen = analyse(Request(comparisons=[paired])).comparisons[0].equivalence
        differences = np.array(arm) - np.array(baseline)
        low = stats.ttest_1samp(differences, -0.003, alternative="greater").pvalue
        high = stats.ttest_1samp(differences, 0.003, alternative="less").pvalue
        assert seen is not None
        assert seen.p == pytest.approx(max(low, high))
        assert (seen.interval.low > -0.003 and seen.interval.high < 0.003) == (seen.p < 0.05)


def test_equivalence_needs_a_margin_and_is_corrected_by_itself() -> None:
    def asked(name: str, differences: list[float], margin: float | None) -> Pairing:
        return msgspec.structs.replace(pairing(name, differences, "accuracy"), margin=margin)

    near, far = [0.001, -0.001, 0.0005, -0.0002], [0.1, 0.11, 0.12, 0.1]
    first, second = analyse(Request(comparisons=[asked("a", near, 0.01), asked("b", far, 0.01)])).comparisons
    assert first.equivalence is not None and second.equivalence is not None
    assert (first.equivalence.holm, second.equivalence.holm) == tuple(holm([first.equivalence.p, second.equivalence.p]))
    assert second.equivalence.p > 0.99
    assert analyse(Request(comparisons=[asked("a", near, None)])).comparisons[0].equivalence is None


def test_the_smallest_margin_is_where_the_claim_of_equivalence_begins() -> None:
    """Against the tests themselves, with that margin for the family: a little more claims, a little less does not."""
    random = np.random.default_rng(11)
    for seeds in ((8, 8, 8, 8), (4, 9, 6, 1), (5, 5, 2, 7)):
        sizes = random.choice([0.0003, 0.001, 0.004], len(seeds))
        family = [
            pairing(str(at), random.normal(size / 2, size, n).tolist(), "planned")
            for at, (n, size) in enumerate(zip(seeds, sizes, strict=True))
        ]
        for at, one in enumerate(analyse(Request(comparisons=family)).comparisons):
            margin = one.smallest_margin
            assert (margin is None) == (one.t is None)
            if margin is None:
                continue
            for factor, is_claimed in ((1 + 1e-9, True), (1 - 1e-9, False)):
                asked = [msgspec.structs.replace(pair, margin=margin * factor) for pair in family]
                equivalence = analyse(Request(comparisons=asked)).comparisons[at].equivalence
                assert equivalence is not None and equivalence.holm is not None
                assert (equivalence.holm < 0.05) == is_claimed


# --- intervals stay within what is possible


def interval_of(values: list[float], scale: str) -> tuple[float, float]:
    sample = msgspec.convert({"name": "a", "values": by_seed(list(values)), "scale": scale}, Sample)
    return ends(analyse(Request(samples=[sample])).samples[0].interval)


def test_the_interval_of_a_mean_accuracy_ends_below_100() -> None:
    """Student's own would be 92.74 to 100.04 %. By hand: logit 0.9639 = 3.2845; error s / √3 / (0.9639 · 0.0361)."""
    values = [0.9639 - 0.0147, 0.9639, 0.9639 + 0.0147]
    low, high = interval_of(values, "share")
    half = 4.30265272991 * 0.0147 / math.sqrt(3) / (0.9639 * 0.0361)
    assert low == pytest.approx(1 / (1 + math.exp(-(math.log(0.9639 / 0.0361) - half))))
    assert high == pytest.approx(1 / (1 + math.exp(-(math.log(0.9639 / 0.0361) + half))))
    assert 0.9639 < high < 1
    assert 0.9639 + 4.30265272991 * 0.0147 / math.sqrt(3) > 1


@few
@given(st.lists(st.floats(0, 1), min_size=3, max_size=8))
def test_intervals_of_shares_are_shares_and_hold_the_mean(values: list[float]) -> None:
    assume(np.ptp(values) > 1e-6)
    low, high = interval_of(values, "share")
    assert 0 <= low <= np.mean(values) <= high <= 1


@few
@given(st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=8))
def test_intervals_of_positive_values_are_positive(values: list[float]) -> None:
    assume(np.ptp(values) > 1e-6)
    mean, sd, n = np.mean(values), np.std(values, ddof=1), len(values)
    half = stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n) / mean
    assume(half < 100)
    assert interval_of(values, "positive") == pytest.approx((mean * math.exp(-half), mean * math.exp(half)))


def test_a_value_below_0_is_no_positive_scale() -> None:
    values = [-1.0, 2.0, 4.0]
    assert interval_of(values, "positive") == interval_of(values, "any")


def test_the_logit_interval_covers_as_often_as_it_says() -> None:
    """Shares near 1, six seeds each."""
    random = np.random.default_rng(11)
    samples = random.beta(97, 3, (2000, 6))
    covered = [low <= 0.97 <= high for low, high in (interval_of(row.tolist(), "share") for row in samples)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_the_interval_of_a_difference_is_cut_at_the_largest_that_there_can_be() -> None:
    paired = Pairing(
        name="arm", arm=by_seed([0.1, 0.1, 0.7]), baseline=by_seed([0.97, 0.98, 0.96]), family=None, largest=1
    )
    seen = analyse(Request(comparisons=[paired])).comparisons[0]
    whole = analyse(Request(comparisons=[msgspec.structs.replace(paired, largest=None)])).comparisons[0]
    low, high = ends(whole.interval)
    assert low < -1 < high
    assert (ends(seen.interval), seen.is_cut, whole.is_cut) == ((-1, high), True, False)
    assert seen.t == whole.t


@pytest.mark.parametrize("baseline", [[0.97, 0.98, 0.96], [1.0, 1.0, 1.0]])
def test_an_arm_of_equal_values_has_no_effect_size(baseline: list[float | None]) -> None:
    """d_z of a collapsed arm was once −194: the other arm's spread alone."""
    seen, back = compare([0.1135] * 3, list(baseline)), compare(list(baseline), [0.1135] * 3)
    assert (seen.effect, seen.effect_corrected, back.effect) == (None, None, None)


# --- degenerate cases


def test_nothing() -> None:
    assert analyse(Request()) == Answer(confidence=0.95, samples=[], comparisons=[])
    seen = describe([])
    assert (seen.n, seen.mean, seen.sd, seen.interval, seen.missing) == (0, None, None, None, [])
    empty = compare([], [])
    assert (empty.n, empty.mean, empty.lack) == (0, None, "no pairs")
    assert (empty.t, empty.wilcoxon, empty.bca, empty.claim, empty.wilcoxon_holm) == (None,) * 5


def test_one_value_has_a_mean_only() -> None:
    seen = describe([0.5])
    assert (seen.n, seen.mean, seen.sd, seen.interval) == (1, 0.5, None, None)
    one = compare([0.75], [0.5])
    assert (one.n, one.mean, one.sd, one.lack, one.t, one.bca, one.effect) == (1, 0.25, None, "one pair", *[None] * 3)
    assert one.wilcoxon is not None
    assert (one.wilcoxon.p, one.wilcoxon.smallest) == (1, 1)


def test_two_values_bound_nothing() -> None:
    """t would be 12.7 standard errors wide: 6.44 to 154.68 % was once an interval of an accuracy."""
    seen = compare([1.0, 2.0], [0.0, 0.0])
    assert seen.wilcoxon is not None
    assert (seen.mean, seen.lack, seen.wilcoxon.p) == (1.5, "two pairs", 0.5)
    assert (seen.interval, seen.t, seen.claim, seen.bca, seen.effect) == (None,) * 5
    assert describe([0.7, 0.8]).interval is None


def test_equal_values_have_no_interval() -> None:
    seen = describe([0.9312, 0.9312, 0.9312])
    assert (seen.mean, seen.sd, seen.interval) == (pytest.approx(0.9312), 0, None)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_equal_differences_claim_nothing_by_t(n: int) -> None:
    """Their computed spread is rounding alone: scipy would make t = 10¹⁵ of it."""
    baseline = [0.91, 0.90, 0.48, 0.77, 0.6, 0.33][:n]
    seen = compare([value + 0.02 for value in baseline], list(baseline))
    assert seen.wilcoxon is not None
    assert (seen.mean, seen.sd, seen.lack) == (pytest.approx(0.02), 0, "equal differences")
    assert (seen.interval, seen.bca, seen.t, seen.claim, seen.effect) == (None, None, None, None, None)
    assert seen.wilcoxon.p == 2 / 2**n


def test_an_arm_that_is_the_baseline() -> None:
    seen = compare([0.9, 0.8, 0.7], [0.9, 0.8, 0.7])
    assert seen.wilcoxon is not None
    assert (seen.mean, seen.sd, seen.lack, seen.t) == (0, 0, "equal differences", None)
    assert (seen.wilcoxon.nonzero, seen.wilcoxon.p, seen.wilcoxon.smallest) == (0, 1, 1)


def test_seeds_without_both_values_are_left_out_and_named() -> None:
    arm = {0: 1.0, 2: 3.0, 5: None, 7: 8.0, 9: 1e300}
    baseline = {7: 1.0, 0: 0.5, 3: 4.0, 5: 5.0, 9: 1.0, 2: 1.0}
    seen = analyse(Request(comparisons=[Pairing(name="arm", arm=arm, baseline=baseline, family=None)])).comparisons[0]
    whole = compare([1.0, 3.0, 8.0], [0.5, 1.0, 1.0])
    assert (seen.n, seen.missing) == (3, [3, 5, 9])
    assert (seen.t, seen.wilcoxon, seen.bca, seen.interval) == (whole.t, whole.wilcoxon, whole.bca, whole.interval)
    assert describe([1.0, None, 2.0]).missing == [1]


# --- laws

numbers = st.floats(-1000, 1000).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(numbers, numbers), min_size=0, max_size=9)


@few
@given(pairs)
def test_swapping_the_samples_flips_the_sign(drawn: list[tuple[float, float]]) -> None:
    arm, baseline = [a for a, _ in drawn], [b for _, b in drawn]
    there, back = compare(list(arm), list(baseline)), compare(list(baseline), list(arm))
    assert (there.n, there.sd, there.lack) == (back.n, back.sd, back.lack)
    if there.wilcoxon is not None and back.wilcoxon is not None:
        assert there.wilcoxon.direction == -back.wilcoxon.direction
        assert (there.wilcoxon.p, there.wilcoxon.statistic) == (back.wilcoxon.p, back.wilcoxon.statistic)
    assert there.mean == (None if back.mean is None else -back.mean)
    if there.t is not None and back.t is not None:
        assert (there.t.statistic, there.t.p) == (-back.t.statistic, back.t.p)
        low, high = ends(back.interval)
        assert ends(there.interval) == pytest.approx((-high, -low), rel=1e-9, abs=1e-9)


@few
@given(pairs, st.integers(-1000, 1000))
def test_shifting_both_samples_changes_no_difference(drawn: list[tuple[float, float]], shift: int) -> None:
    here = compare([a for a, _ in drawn], [b for _, b in drawn])
    there = compare([a + shift for a, _ in drawn], [b + shift for _, b in drawn])
    assert (there.n, there.lack, there.wilcoxon) == (here.n, here.lack, here.wilcoxon)
    assert there.mean == pytest.approx(here.mean, abs=1e-9)
    if here.t is not None and there.t is not None:
        assert there.t.p == pytest.approx(here.t.p, rel=1e-5, abs=1e-9)


@few
@given(pairs.filter(lambda drawn: len(drawn) > 1), st.randoms(use_true_random=False))
def test_which_seed_is_which_does_not_matter(drawn: list[tuple[float, float]], random: Any) -> None:
    here = compare([a for a, _ in drawn], [b for _, b in drawn])
    random.shuffle(drawn)
    there = compare([a for a, _ in drawn], [b for _, b in drawn])
    assert (there.bca, there.wilcoxon, there.lack) == (here.bca, here.wilcoxon, here.lack)
    assert there.mean == pytest.approx(here.mean, abs=1e-9)


any_value = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@few
@given(st.dictionaries(st.integers(0, 5), any_value), st.dictionaries(st.integers(0, 5), any_value))
def test_whatever_comes_in_every_number_that_goes_out_is_finite(arm: Any, baseline: Any) -> None:
    request = Request(
        samples=[Sample(name="arm", values=arm)],
        comparisons=[Pairing(name="arm", arm=arm, baseline=baseline, family="all")],
    )
    answer = analyse(request)
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer  # it writes NaN as null
    (seen,) = answer.comparisons
    assert (seen.lack is None) == (seen.t is not None) == (seen.interval is not None)
    assert (seen.n == 0) == (seen.mean is None) == (seen.wilcoxon is None)


@few
@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_between_the_raw_p_and_bonferroni_and_keeps_their_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= one <= min(1, p * len(ps)) + 1e-15 for p, one in zip(ps, adjusted, strict=True))
    ordered = [adjusted[at] for at in sorted(range(len(ps)), key=ps.__getitem__)]
    assert ordered == sorted(ordered)


@few
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=8))
def test_the_signed_rank_p_is_the_share_of_signs_as_extreme(differences: list[int]) -> None:
    """By counting all signs, with and without ties and zeros."""
    nonzero = [value for value in differences if value != 0]
    assume(nonzero)
    ranks = stats.rankdata(np.abs(nonzero))
    total = float(ranks.sum())
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product((0, 1), repeat=len(nonzero))]
    positive = float(ranks[np.array(nonzero) > 0].sum())
    smaller = min(positive, total - positive)
    share = sum(one <= smaller for one in sums) / len(sums)
    seen = compare([float(value) for value in differences], [0.0] * len(differences)).wilcoxon
    assert seen is not None
    assert (seen.statistic, seen.p) == (smaller, pytest.approx(min(1, 2 * share)))
    assert seen.p >= seen.smallest


# --- the program


def start(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "py_report.statistics"],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=300,
        check=False,
    )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """As `start`, in this process."""

    def ended(text: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        code = program.main()
        return subprocess.CompletedProcess([], code, *capsys.readouterr())

    return ended


def test_reads_and_writes_one_document() -> None:
    request = Request(
        samples=[Sample(name="sleep", values=by_seed(list(SLEEP_1)))],
        comparisons=[
            Pairing(name="sleep", arm=by_seed(list(SLEEP_1)), baseline=by_seed(list(SLEEP_2)), family="planned")
        ],
    )
    ended = start(msgspec.json.encode(request).decode())
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("\n") == 1
    assert json.loads(ended.stdout)["comparisons"][0]["t"]["degreesOfFreedom"] == 9
    assert msgspec.json.decode(ended.stdout, type=Answer) == analyse(request)
    assert start("{").returncode == 2


def test_imports_no_torch() -> None:
    look = "import sys, py_report.statistics.analysis; print('scipy' in sys.modules, 'torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert (ended.returncode, ended.stdout) == (0, "True False\n")


@pytest.mark.parametrize(
    "text, place",
    [
        ("", "truncated"),
        ("{", "truncated"),
        ('{"confidence": 1}', "`float` < 1.0 - at `$.confidence`"),
        ('{"comparison": []}', "unknown field `comparison`"),
        ('{"samples": [{"name": "a", "values": {"0": "NaN"}}]}', "$.samples[0].values[...]"),
        ('{"samples": [{"name": "a", "values": {"0": NaN}}]}', "malformed"),
    ],
)
def test_a_wrong_request_is_told_with_its_place(run: Run, text: str, place: str) -> None:
    ended = run(text)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("py_report.statistics: the request is wrong: ")
    assert place in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_without_scipy_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "scipy.py").write_text("raise ImportError('No module named scipy')\n")
    ended = start("{}", PYTHONPATH=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == (
        f"py_report.statistics: No module named scipy (Python at {sys.executable}): "
        f"run `{sys.executable} -m pip install -r requirements.txt`\n"
    )
