"""Two one-sided tests on paired accuracies, against scipy's t test and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from py_backend.errors import BackendError
from py_validate.equivalence import compare_accuracies

OURS = [0.981, 0.979, 0.984, 0.980, 0.978]
THEIRS = [0.980, 0.981, 0.982, 0.981, 0.979]


@pytest.mark.parametrize("margin", [0.0005, 0.002, 0.01])
def test_p_and_interval_are_those_of_two_one_sided_t_tests(margin: float) -> None:
    differences = np.subtract(OURS, THEIRS)
    above = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, margin, alternative="less").pvalue
    interval = stats.ttest_1samp(differences, 0.0).confidence_interval(0.9)
    seen = compare_accuracies(OURS, THEIRS, margin)
    assert seen.p == pytest.approx(max(above, below), rel=1e-9)
    assert (seen.low, seen.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert seen.mean == pytest.approx(differences.mean())
    assert seen.equivalent == (max(above, below) < 0.05) == (-margin < seen.low and seen.high < margin)


def test_by_hand() -> None:
    # differences 0.01 and 0.03: mean 0.02, standard error 0.01, one degree of freedom: t = (0.02 - 0.05) / 0.01 = -3
    seen = compare_accuracies([0.91, 0.93], [0.90, 0.90], 0.05)
    assert seen.mean == pytest.approx(0.02)
    assert seen.p == pytest.approx(0.5 - np.arctan(3) / np.pi)  # the Cauchy distribution
    assert not seen.equivalent


def test_differences_without_variance_are_judged_by_what_they_are() -> None:
    same = compare_accuracies([0.5, 0.6], [0.5, 0.6], 0.001)
    assert (same.mean, same.p, same.equivalent) == (0.0, 0.0, True)
    assert not compare_accuracies([0.5, 0.6], [0.4, 0.5], 0.05).equivalent


@pytest.mark.parametrize(
    ("ours", "theirs", "margin"), [([0.9], [0.9], 0.1), ([0.9, 0.8], [0.9], 0.1), (OURS, THEIRS, 0.0)]
)
def test_what_is_no_test(ours: list[float], theirs: list[float], margin: float) -> None:
    with pytest.raises(BackendError):
        compare_accuracies(ours, theirs, margin)
