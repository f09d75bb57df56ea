"""What a user's model or loss keeps in plain attributes, which no state dict holds: whether it changes is seen here."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .learner import Learner
from .learner_state import parts
from .listed import listed

MOST_ITEMS = 100
"""Of a list, tuple or map that is looked into; of a larger one only its length is."""
MOST_ARRAY_BYTES = 1 << 16
"""Of an array of numpy's whose values are looked at."""
DEPTH = 2
"""So far lists within lists are looked into."""
OWN_ATTRIBUTES = frozenset(vars(nn.Module()))
"""torch's own: mode, parameters, buffers, hooks."""
LIBRARIES = ("torch", "py_backend")


class PlainAttributes:
    """Of the modules that are the user's, as they are at construction. Seen are numbers, texts, tensors, generators,
    and lists, tuples and maps of these; not globals, nor what objects of other classes hold."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._kept = [entry for owner in owners(learner) for entry in vars(owner[1]).values() if is_identified(entry)]
        """Or another object could get the place in memory by which one is told."""
        self._before = seen_now(learner)

    def changed_names(self) -> list[str]:
        now = seen_now(self._learner)
        return [name for name in now if now[name] != self._before.get(name)]

    def changed(self) -> list[str]:
        """A line for a person, or none."""
        names = self.changed_names()
        if not names:
            return []
        title = self._learner.model_reference or self._learner.loss_reference
        return [
            f"{title}: {listed(names)} changed since the session was opened and {'is' if len(names) == 1 else 'are'} "
            "not in the checkpoint: where training depends on it, a resumed run will differ; keep it in a buffer"
        ]


def seen_now(learner: Learner) -> dict[str, Any]:
    return {
        f"{prefix}{name}": told(value)
        for prefix, owner in owners(learner)
        for name, value in vars(owner).items()
        if name not in OWN_ATTRIBUTES
    }


def owners(learner: Learner) -> Iterator[tuple[str, Any]]:
    """Objects with attributes that the user's code made, and what their names begin with."""
    if learner.model_reference is None and learner.loss_reference is None:
        return
    for part in parts(learner):
        for name, module in part.module.named_modules():
            if type(module).__module__.partition(".")[0] not in LIBRARIES:
                yield ".".join([part.name, *filter(None, [name]), ""]), module
    if (
        learner.loss_reference is not None
        and not isinstance(learner.loss, nn.Module)
        and hasattr(learner.loss, "__dict__")
    ):
        yield "loss.", learner.loss


def is_identified(value: object) -> bool:
    return isinstance(value, Tensor | np.ndarray)


def told(value: object, depth: int = DEPTH) -> Any:
    """Equal where nothing changed, as far as is seen."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, Tensor):
        return id(value), None if value.is_inference() else value._version
    if isinstance(value, np.ndarray):
        return id(value), value.tobytes() if value.nbytes <= MOST_ARRAY_BYTES else None
    if isinstance(value, torch.Generator):
        return value.get_state().numpy().tobytes()
    if type(value) is random.Random:
        return value.getstate()
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return repr(value.get_state())
    if isinstance(value, list | tuple | dict):
        if len(value) > MOST_ITEMS or depth == 0:
            return len(value)
        return [told(item, depth - 1) for item in (value.items() if isinstance(value, dict) else value)]
    return type(value)
