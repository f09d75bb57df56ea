"""Dropout in models that we did not write: its calls are recorded, and left out while a model runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from .noise import keyed_dropouts


@dataclass(frozen=True)
class DropoutCall:
    """kind: `dropout`, `dropout2d`, …; p: the probability as a multiple of 1/256, which ours are rounded to."""

    kind: str
    p: float


DROPOUTS: Mapping[Callable[..., Any], tuple[str, float]] = {
    F.dropout: ("dropout", 0.5),
    F.dropout1d: ("dropout1d", 0.5),
    F.dropout2d: ("dropout2d", 0.5),
    F.dropout3d: ("dropout3d", 0.5),
    F.alpha_dropout: ("alpha_dropout", 0.5),
    F.feature_alpha_dropout: ("feature_alpha_dropout", 0.5),
    torch.dropout: ("dropout", 0.5),
    torch.feature_dropout: ("dropout2d", 0.5),
    torch.alpha_dropout: ("alpha_dropout", 0.5),
    torch.feature_alpha_dropout: ("feature_alpha_dropout", 0.5),
}
"""Each takes (input, p, training, …): its kind and its default p."""

ATTENTION_PLACES: Mapping[Callable[..., Any], int] = {
    F.scaled_dot_product_attention: 4,
    F.multi_head_attention_forward: 11,
}
"""Functions with an argument `dropout_p`, and its place."""


class NoDropout(TorchFunctionMode):
    """Within it every dropout call gives its input back; `calls` lists those that would have dropped something."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[DropoutCall] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        named = dict(kwargs or {})
        if func in DROPOUTS:
            return self._skip(func, args, named)
        if func in ATTENTION_PLACES:
            args = self._without(func, args, named)
        return func(*args, **named)

    def _skip(self, func: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        kind, default = DROPOUTS[func]
        given = {**dict(zip(("input", "p", "training"), args, strict=False)), **named}
        if given.get("training", given.get("train", True)):
            self.record(kind, given.get("p", default))
        return given["input"]

    def _without(self, func: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        place = ATTENTION_PLACES[func]
        p = args[place] if len(args) > place else named.pop("dropout_p", 0.0)
        if named.get("training", True):
            self.record("attention dropout", p)
        if len(args) > place:
            return (*args[:place], 0.0, *args[place + 1 :])
        named["dropout_p"] = 0.0
        return args

    def record(self, kind: str, p: float) -> None:
        """A probability that rounds to 0 drops nothing."""
        rounded = round(float(p) * 256) / 256
        if rounded > 0:
            self.calls.append(DropoutCall(kind, rounded))


def silence_keyed(model: nn.Module, mode: NoDropout) -> list[RemovableHandle]:
    """Our own dropout layers of this model, a copy, drop nothing from now on, and record themselves in `mode`."""

    def recording(p: float) -> Callable[..., None]:
        return lambda module, _: mode.record("dropout", p) if module.training else None

    handles = []
    for layer in keyed_dropouts(model):
        handles.append(layer.register_forward_pre_hook(recording(layer.threshold / 256)))
        layer.threshold = 0
    return handles
