"""All that is asked of an experiment."""

from __future__ import annotations

import warnings

import numpy as np

from .answer import Answer, Description
from .comparison import compare
from .holm import correct
from .intervals import is_too_few, mean_interval
from .request import Request, Sample
from .values import is_usable, moments, tolerance


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
