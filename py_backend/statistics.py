"""Statistics of an experiment: python -m py_backend.statistics reads one JSON document on standard input (`Request`)
and writes one on standard output (`Answer`). It knows nothing of networks and never imports torch.

Values belong to seeds, and every test is over the differences arm - baseline of seeds that have both. The paired t test
(Student 1908, "The probable error of a mean") carries the claim, with Holm's correction (Holm 1979, "A simple
sequentially rejective multiple test procedure") over the comparisons that were planned; the exact signed-rank test
(Wilcoxon 1945, "Individual comparisons by ranking methods") stands beside it with the smallest p that it can give.

What has no answer is null, never NaN: everything of an empty sample, the spread of one value, the t interval and test
where all values are equal (their spread says nothing about the next seed's). `Comparison.lack` says which it was.

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
LEAST_FOR_BCA = 3
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


class Pairing(Record):
    """An arm to compare with the baseline."""

    name: str
    arm: Values
    baseline: Values
    family: str | None
    """Comparisons planned together: Holm's correction is over those of one name. null: exploratory, not corrected."""


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
    """Student's t, of the mean; null for n < 2 and where all values are equal."""


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
    p: float
    """Two-sided; 1 where no difference is left."""
    smallest: float
    """2/2ⁿ, n = nonzero: no p of this test is below it."""
    exact: bool
    """Over all 2ⁿ signs; else (more than 50 differences) by the normal approximation."""


class Difference(Description):
    """Of the paired differences arm - baseline; n counts pairs, and `missing` seeds lack one or both values."""

    family: str | None
    lack: Literal["no pairs", "one pair", "equal differences"] | None
    """Why there is no t test."""
    bca: Interval | None
    """Of the mean difference; null for n < 3 and where all differences are equal. Too narrow for few seeds: it covers
    .72, .87, .89 at n = 3, 6, 10 where it says .95."""
    effect: float | None
    """Cohen's d_z = mean / sd; null where sd is null or 0."""
    effect_corrected: float | None
    """d_z without its bias in small samples (Hedges 1981, "Distribution theory for Glass's estimator"); null for n < 3,
    where it has no expectation."""
    t: TTest | None
    wilcoxon: SignedRank | None
    """null for n = 0."""
    t_holm: float | None
    """The t test's p after Holm's correction over the family; null where there is no p or no family."""
    wilcoxon_holm: float | None
    wilcoxon_smallest_holm: float | None
    """The least that `wilcoxon_holm` can be here: smallest · size of the family, at most 1."""


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
    return Description(name=sample.name, missing=missing, **moments(values, tolerance(values), confidence))


def compare(pairing: Pairing, confidence: float) -> Difference:
    """Everything but Holm's correction."""
    arm, baseline = pairing.arm, pairing.baseline
    seeds = sorted(arm.keys() | baseline.keys())
    paired = [seed for seed in seeds if is_usable(arm.get(seed)) and is_usable(baseline.get(seed))]
    first, second = (np.array([values[seed] for seed in paired], np.float64) for values in (arm, baseline))
    within = tolerance(np.concatenate([first, second]))
    differences = first - second
    n, spread = len(paired), not are_equal(differences, within)
    test = t_test(differences) if n > 1 and spread else None
    described = moments(differences, within, confidence)
    effect = described["mean"] / described["sd"] if test else None
    return Difference(
        name=pairing.name,
        missing=sorted(set(seeds) - set(paired)),
        **described,
        family=pairing.family,
        lack=None if test else "no pairs" if n == 0 else "one pair" if n == 1 else "equal differences",
        bca=bca_interval(differences, confidence) if n >= LEAST_FOR_BCA and spread else None,
        effect=effect,
        effect_corrected=None if effect is None or n < 3 else effect * hedges_correction(n - 1),
        t=test,
        wilcoxon=signed_rank(differences, within) if n > 0 else None,
        t_holm=None,
        wilcoxon_holm=None,
        wilcoxon_smallest_holm=None,
    )


def correct(family: Sequence[Difference]) -> None:
    """Writes Holm's correction into the comparisons of a family. One that has no p counts as p = 1: it was planned."""
    t = holm([one.t.p if one.t else 1.0 for one in family])
    wilcoxon = holm([one.wilcoxon.p if one.wilcoxon else 1.0 for one in family])
    for one, t_holm, wilcoxon_holm in zip(family, t, wilcoxon, strict=True):
        one.t_holm = t_holm if one.t else None
        if one.wilcoxon:
            one.wilcoxon_holm = wilcoxon_holm
            one.wilcoxon_smallest_holm = min(1.0, one.wilcoxon.smallest * len(family))


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


def moments(values: Floats, within: float, confidence: float) -> dict[str, Any]:
    """n, mean, sd and interval of a `Description`."""
    n = len(values)
    if n == 0:
        return {"n": 0, "mean": None, "sd": None, "interval": None}
    mean = float(values.mean())
    if n == 1 or are_equal(values, within):
        return {"n": n, "mean": mean, "sd": None if n == 1 else 0.0, "interval": None}
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
    return {"n": n, "mean": mean, "sd": float(values.std(ddof=1)), "interval": to_interval(interval)}


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
    return to_interval(result.confidence_interval)


def to_interval(interval: Any) -> Interval | None:
    low, high = float(interval.low), float(interval.high)
    return Interval(low=low, high=high) if np.isfinite(low) and np.isfinite(high) else None


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
        return SignedRank(nonzero=0, statistic=0.0, p=1.0, smallest=1.0, exact=True)
    order = np.argsort(np.abs(left), kind="stable")
    groups = np.empty(n)
    groups[order] = np.cumsum(np.diff(np.abs(left[order]), prepend=0.0) > within)
    signed = np.copysign(groups, left)  # ranks as the differences do, and equal sizes are equal
    exact, tied = n <= EXACT_UP_TO, len(np.unique(groups)) < n
    result = stats.wilcoxon(signed, method="exact" if exact and not tied else "approx")
    statistic = float(result.statistic)
    p = p_of_mean_ranks(stats.rankdata(groups), statistic) if exact and tied else float(result.pvalue)
    return SignedRank(nonzero=n, statistic=statistic, p=p, smallest=min(1.0, 2.0 ** (1 - n)), exact=exact)


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
