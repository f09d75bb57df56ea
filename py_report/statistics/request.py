"""What is asked: values by seed, to describe and to compare."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from .record import Record

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
    arm_diverged: list[int] = field(default_factory=list)
    """Seeds whose run diverged, which is worse than any value."""
    baseline_diverged: list[int] = field(default_factory=list)
    higher_is_better: bool = True
    """So a diverged run is below any value, or above."""
    largest: float | None = None
    """No difference can be larger, or smaller than its negative; null: any can be."""
    margin: Annotated[float, Meta(gt=0)] | None = None
    """Mean differences within ±margin count as none: asks for the test of equivalence."""


class Request(Record):
    confidence: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    samples: list[Sample] = field(default_factory=list)
    comparisons: list[Pairing] = field(default_factory=list)
