"""What is answered. What has no answer is null, never NaN."""

from __future__ import annotations

from typing import Literal

from .record import Record


class Interval(Record):
    low: float
    high: float


class Description(Record):
    """Of a sample, in its own unit."""

    name: str
    n: int
    missing: list[int]
    """Seeds without a value."""
    mean: float | None
    sd: float | None
    """Over n - 1; null for n < 2."""
    interval: Interval | None
    """Of the mean, within what is possible; null for n < 3 and where all values are equal."""


class TTest(Record):
    statistic: float
    degrees_of_freedom: int
    p: float
    """Two-sided."""


class SignedRank(Record):
    """Wilcoxon's test of the differences that are not zero; equal sizes share their mean rank."""

    nonzero: int
    statistic: float
    """The smaller one of the sums of ranks of positive and of negative differences."""
    direction: Literal[-1, 0, 1]
    """Sign of the larger one's differences; 0 where both sums are equal."""
    p: float
    """Two-sided; 1 where no difference is left."""
    smallest: float
    """2/2ⁿ, n = nonzero: no p of this test is below it."""
    exact: bool
    """Over all 2ⁿ signs; else (more than 50 differences) by the normal approximation."""


class Claim(Record):
    """The one test that a comparison may claim by."""

    test: Literal["t", "signed rank"]
    p: float
    holm: float | None
    """After Holm's correction over the family; null without one."""


class Divergence(Record):
    """How often runs diverged, of those that ended with a value or diverged. Fisher's exact test, two-sided."""

    arm: int
    arm_runs: int
    baseline: int
    baseline_runs: int
    p: float
    holm: float | None


class Equivalence(Record):
    """Two one-sided t tests."""

    margin: float
    interval: Interval
    """Of 1 - 2 · 0.05: within ±margin exactly where p < 0.05."""
    p: float
    """The larger one of both tests."""
    holm: float | None
    """After Holm's correction over the family's tests of equivalence; null without a family."""


Lack = Literal["no pairs", "one pair", "two pairs", "equal differences", "diverged runs"]


class Difference(Description):
    """Of the paired differences arm - baseline; n counts pairs of values, and `missing` seeds lack an outcome in one or
    both: neither a value nor diverged. Where a run of a pair diverged, mean and sd are of survivors alone."""

    ranked: int
    """Pairs of outcomes, diverged ones too."""
    family: str | None
    lack: Lack | None
    """Why there is no t test."""
    is_cut: bool
    """Whether an end of the interval is the largest difference that there can be."""
    bca: Interval | None
    """Of the mean difference; null without a t test. Too narrow for few seeds: it covers .72, .87, .89 at n = 3, 6, 10
    where it says .95."""
    effect: float | None
    """Cohen's d_z = mean / sd; null without a t test, and where one arm's values are all equal: it would measure the
    other's spread alone."""
    effect_corrected: float | None
    """d_z without its bias in small samples (Hedges 1981, "Distribution theory for Glass's estimator")."""
    t: TTest | None
    wilcoxon: SignedRank | None
    """null without pairs of outcomes."""
    wilcoxon_holm: float | None
    """After Holm's correction, as if this test were to claim throughout; null where there is no p or no family."""
    wilcoxon_smallest_holm: float | None
    """The least that `wilcoxon_holm` can be here: smallest · size of the family, at most 1."""
    claim: Claim | None
    divergence: Divergence | None
    """null where no run diverged."""
    equivalence: Equivalence | None
    """null where none was asked for, and without a t test."""
    smallest_margin: float | None
    """Where no margin was named for a comparison of a family: the least one with which two one-sided t tests would have
    shown equivalence after Holm's correction, with that margin for the whole family; null without a t test."""


class Answer(Record):
    """In the order of the request."""

    confidence: float
    samples: list[Description]
    comparisons: list[Difference]
