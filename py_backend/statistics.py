"""Statistics of an experiment: python -m py_backend.statistics reads one JSON document on standard input (`Request`)
and writes one on standard output (`Answer`). It knows nothing of networks and never imports torch.

Values belong to seeds, and every test is over the differences arm - baseline of seeds that have both. The paired t test
(Student 1908, "The probable error of a mean") carries the claim; the exact signed-rank test (Wilcoxon 1945, "Individual
comparisons by ranking methods") stands beside it with the smallest p that it can give.

A run that diverged has no value, and is a result: it is worse than any value. Where a pair has one, the means of the
others speak of survivors alone, so there is no t test, no interval and no effect, and the signed-rank test carries the
claim, with such pairs at the end of the ranks, all alike (Lachin 1999, "Worst-rank score analysis with informatively
missing observations in clinical trials"). How often runs diverge has a test of its own, Fisher's exact test of the two
counts (Fisher 1935, "The logic of inductive inference"); it takes the runs as independent, which is cautious where
equal seeds make them alike.

Holm's correction (Holm 1979, "A simple sequentially rejective multiple test procedure") is over all that may claim in a
family: the comparisons that were planned, and their tests of divergence where a run diverged (elsewhere p cannot be but
1, and a test that can show nothing needs no correction: Tarone 1990, "A modified Bonferroni method for discrete data").
Equivalence is another claim, and its p are corrected by themselves.

Intervals are within what is possible. Of a mean share: Student's t interval of its logit by the delta method, brought
back (as for shares in surveys: Korn and Graubard 1998, "Confidence intervals for proportions with small expected number
of positive counts estimated from survey data"); of a mean of positive values: the same of its logarithm. Of a mean
difference: Student's t interval, which belongs to the t test, cut off at the largest difference that there can be; the
true difference lies within that, so its coverage stays.

What has no answer is null, never NaN: everything of an empty sample, the spread of one value, intervals and tests of
fewer than three values (one degree of freedom bounds nothing) and where all values are equal (their spread says nothing
about the next seed's). `Difference.lack` says which it was.

Exit codes: 0 answered, 2 the request is wrong, 4 a package is missing.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from .exits import SURROUNDINGS_MISSING, WRONG_USAGE, fail

PROGRAM = "py_backend.statistics"

try:
    import msgspec
    import numpy as np
    from msgspec import Meta, Struct
    from scipy import special, stats
except (ImportError, OSError) as error:  # OSError: one of its libraries is not there
    if __name__ != "__main__":
        raise
    advice = f"run `{sys.executable} -m pip install -r requirements.txt`"
    sys.exit(fail(PROGRAM, SURROUNDINGS_MISSING, f"{error} (Python at {sys.executable}): {advice}"))

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RESAMPLES = 9_999
"""Of the bootstrap (BCa: Efron 1987, "Better bootstrap confidence intervals")."""
BOOTSTRAP_SEED = 20_260_101
RESAMPLES_AT_ONCE = 999
"""Bounds memory; changes no resample."""
LEAST_FOR_INTERVAL = 3
"""Values from which on a spread bounds a mean: of two, t is 12.7 standard errors wide."""
EQUIVALENCE_ALPHA = 0.05
EXACT_UP_TO = 50
"""From more differences on, the signed-rank p is of the normal approximation."""
SAME = 1e-12
"""Differences closer than this share of the largest value are equal: 0.9 - 0.8 is not 0.8 - 0.7 in binary."""
SMALLEST = 1e-100
"""A distance below is none: its square must not be zero."""
LARGEST = 1e100
"""A value beyond is as good as infinite: its square must be finite."""


class Record(Struct, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A map of fixed fields; in JSON their names are in camel case."""


Values = dict[int, float | None]
"""By seed, in the measure's own unit; null where the run has none (not done, not finite)."""


class Sample(Record):
    """Values to describe."""

    name: str
    values: Values
    scale: Literal["share", "positive", "any"] = "any"
    """What its mean can be: 0 … 1, above 0, anything."""


class Pairing(Record):
    """An arm to compare with the baseline."""

    name: str
    arm: Values
    baseline: Values
    family: str | None
    """Comparisons planned together: Holm's correction is over those of one name. null: exploratory, not corrected."""
    arm_diverged: list[int] = []
    """Seeds whose run diverged, which is worse than any value."""
    baseline_diverged: list[int] = []
    higher_is_better: bool = True
    """So a diverged run is below any value, or above."""
    largest: float | None = None
    """No difference can be larger, or smaller than its negative; null: any can be."""
    margin: Annotated[float, Meta(gt=0)] | None = None
    """Mean differences within ±margin count as none: asks for the test of equivalence."""


class Request(Record):
    confidence: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    samples: list[Sample] = []
    comparisons: list[Pairing] = []


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
    """Two one-sided t tests (Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach
    for assessing the equivalence of average bioavailability")."""

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


class Answer(Record):
    """In the order of the request."""

    confidence: float
    samples: list[Description]
    comparisons: list[Difference]


def analyse(request: Request) -> Answer:
    """A pure function: equal requests have equal answers, bit by bit on one machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about cancellation and degenerate data: those cases are told here
        samples = [describe(sample, request.confidence) for sample in request.samples]
        comparisons = [compare(pairing, request.confidence) for pairing in request.comparisons]
    for family in {one.family for one in comparisons if one.family is not None}:
        correct([one for one in comparisons if one.family == family])
    return Answer(confidence=request.confidence, samples=samples, comparisons=comparisons)


def describe(sample: Sample, confidence: float) -> Description:
    there = {seed: value for seed, value in sorted(sample.values.items()) if is_usable(value)}
    values = np.array(list(there.values()), np.float64)
    missing = sorted(sample.values.keys() - there.keys())
    within = tolerance(values)
    interval = None if is_too_few(values, within) else mean_interval(values, sample.scale, confidence)
    return Description(name=sample.name, missing=missing, interval=interval, **moments(values, within))


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
    )


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


def equivalence_of(differences: Floats, margin: float) -> Equivalence:
    n = len(differences)
    mean, error = float(differences.mean()), float(differences.std(ddof=1)) / n**0.5
    t = stats.t(n - 1)
    half = float(t.ppf(1 - EQUIVALENCE_ALPHA)) * error
    p = max(float(t.sf((mean + margin) / error)), float(t.cdf((mean - margin) / error)))
    return Equivalence(margin=margin, interval=Interval(low=mean - half, high=mean + half), p=p, holm=None)


def correct(family: Sequence[Difference]) -> None:
    """Writes Holm's correction into the comparisons of a family. One that has no p counts as p = 1: it was planned."""
    divergences = [one.divergence for one in family if one.divergence]
    rates = [one.p for one in divergences]
    size = len(family) + len(rates)
    claims = holm([*(one.claim.p if one.claim else 1.0 for one in family), *rates])
    wilcoxon = holm([*(one.wilcoxon.p if one.wilcoxon else 1.0 for one in family), *rates])
    equivalence = holm([one.equivalence.p if one.equivalence else 1.0 for one in family])
    for at, one in enumerate(family):
        if one.claim:
            one.claim.holm = claims[at]
        if one.wilcoxon:
            one.wilcoxon_holm = wilcoxon[at]
            one.wilcoxon_smallest_holm = min(1.0, one.wilcoxon.smallest * size)
        if one.equivalence:
            one.equivalence.holm = equivalence[at]
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


def is_usable(value: float | None) -> bool:
    return value is not None and abs(value) <= LARGEST


def tolerance(values: Floats) -> float:
    """The distance up to which sums and differences of them are equal."""
    return max(SAME * float(np.max(np.abs(values), initial=0.0)), SMALLEST)


def are_equal(values: Floats, within: float) -> bool:
    return len(values) == 0 or bool(np.ptp(values) <= within)


def is_too_few(values: Floats, within: float) -> bool:
    """Whether they bound no mean."""
    return len(values) < LEAST_FOR_INTERVAL or are_equal(values, within)


def moments(values: Floats, within: float) -> dict[str, Any]:
    """n, mean and sd of a `Description`."""
    n = len(values)
    if n == 0:
        return {"n": 0, "mean": None, "sd": None}
    sd = None if n == 1 else 0.0 if are_equal(values, within) else float(values.std(ddof=1))
    return {"n": n, "mean": float(values.mean()), "sd": sd}


def mean_interval(values: Floats, scale: Literal["share", "positive", "any"], confidence: float) -> Interval | None:
    """Student's t interval of the mean m, on a scale on which every number is possible: with the standard error
    s / (m (1 - m)) of logit m, s / m of log m."""
    mean, half = float(values.mean()), half_width(values, confidence)
    if scale == "share" and 0 < mean < 1:
        ends = special.expit(special.logit(mean) + np.array([-1, 1]) * half / (mean * (1 - mean)))
    elif scale == "positive" and float(values.min()) > 0:
        with np.errstate(over="ignore"):
            ends = mean * np.exp(np.array([-1, 1]) * half / mean)
    else:
        ends = mean + np.array([-1, 1]) * half
    return finite_interval(*ends)


def difference_interval(differences: Floats, largest: float | None, confidence: float) -> tuple[Interval | None, bool]:
    """Student's, cut off at ±largest; and whether it was."""
    mean, half = float(differences.mean()), half_width(differences, confidence)
    low, high = mean - half, mean + half
    if largest is None or (low >= -largest and high <= largest):
        return finite_interval(low, high), False
    return finite_interval(max(low, -largest), min(high, largest)), True


def half_width(values: Floats, confidence: float) -> float:
    n = len(values)
    error: float = float(values.std(ddof=1)) / n**0.5
    return float(stats.t.ppf((1 + confidence) / 2, n - 1)) * error


def t_test(differences: Floats) -> TTest:
    result = stats.ttest_1samp(differences, 0.0)
    return TTest(statistic=float(result.statistic), degrees_of_freedom=int(result.df), p=float(result.pvalue))


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


def finite_interval(low: float, high: float) -> Interval | None:
    return Interval(low=float(low), high=float(high)) if np.isfinite(low) and np.isfinite(high) else None


def hedges_correction(degrees_of_freedom: int) -> float:
    """Γ(f/2) / (√(f/2) Γ((f-1)/2)), which is about 1 - 3/(4f - 1); for f > 1."""
    half = degrees_of_freedom / 2
    return float(np.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / np.sqrt(half))


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


def main() -> int:
    try:
        request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return fail(
            PROGRAM, WRONG_USAGE, f"the request is wrong: {error}; expected a Request as in py_backend/statistics.py"
        )
    sys.stdout.buffer.write(msgspec.json.encode(analyse(request)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
