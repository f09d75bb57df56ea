"""The losses that a config can name: what a session's own loss is where it is none of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import torch.nn.functional as F
from msgspec import Meta, Struct

from .choice import find_in
from .learner import Loss


class CrossEntropyOptions(Struct, forbid_unknown_fields=True, kw_only=True):
    label_smoothing: Annotated[
        float, Meta(ge=0, lt=1, description="share of the target that goes to all classes alike")
    ] = 0.0


@dataclass(frozen=True)
class LossDefinition:
    """One loss: `build(options)` gives (logits [B, classes], labels [B]) → one value a sample, [B]."""

    name: str
    summary: str
    when_to_choose: str
    options: type[Struct]
    build: Callable[[Any], Loss]


def build_cross_entropy(options: CrossEntropyOptions) -> Loss:
    """With ε smoothing: (1 − ε) · −ln p_y + ε · mean over k of −ln p_k (Szegedy et al. 2016, arXiv 1512.00567)."""
    return partial(F.cross_entropy, reduction="none", label_smoothing=options.label_smoothing)


LOSSES: dict[str, LossDefinition] = {
    "cross-entropy": LossDefinition(
        "cross-entropy",
        "−ln of the probability of a sample's class, or, smoothed, of all classes to some share",
        "always; smoothed where few epochs are to generalise",
        CrossEntropyOptions,
        build_cross_entropy,
    )
}


USUAL = "cross-entropy"
"""Where none is named."""


def find(name: str) -> LossDefinition:
    """The loss of this name. Raises BackendError (unknown_name)."""
    return find_in(LOSSES, "loss", name)
