"""Methods of torch's own classes and modules, which any code of the process may replace."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from types import ModuleType
from typing import Any

import torch


class Methods:
    """As they are at construction."""

    def __init__(self) -> None:
        self._expected = {owner: methods_of(owner) for owner in owners()}
        self._values = [vars(owner).values() for owner in self._expected]
        self._seen = [*chain.from_iterable(self._values)]

    def set_back(self) -> list[str]:
        """Those that were replaced, which are back then. Where nothing was, that is seen at once."""
        if [*chain.from_iterable(self._values)] == self._seen:
            return []
        replaced = [*self._restored()]
        self._seen = [*chain.from_iterable(self._values)]
        return replaced

    def _restored(self) -> Iterator[str]:
        for owner, expected in self._expected.items():
            for name, now in methods_of(owner).items():
                if name not in expected and isinstance(owner, type) and hasattr(super(owner, owner), name):
                    delattr(owner, name)  # it hid what the class inherits
                    yield f"{title(owner)}.{name}"
                elif name in expected and now is not expected[name] and not is_torchs_own(now):
                    setattr(owner, name, expected[name])
                    yield f"{title(owner)}.{name}"


def is_torchs_own(replacement: Any) -> bool:
    """Whether torch.compile put it there: it counts the modules that are made."""
    return str(getattr(replacement, "__module__", "")).startswith("torch._dynamo.")


def owners() -> list[type | ModuleType]:
    """Of what may be replaced: torch's modules of layers, functions and initialisers, and tensors."""
    layers = {
        value: None
        for module_name, module in [*sys.modules.items()]
        if module_name == "torch.nn" or module_name.startswith("torch.nn.")
        for value in [*vars(module).values()]
        if isinstance(value, type) and value.__module__.startswith("torch.nn.")
    }
    return [torch.nn.functional, torch.nn.init, torch.Tensor, *layers]


def methods_of(owner: type | ModuleType) -> Mapping[str, Any]:
    return {
        name: value
        for name, value in [*vars(owner).items()]
        if callable(value) or isinstance(value, classmethod | staticmethod | property)
    }


def title(owner: type | ModuleType) -> str:
    return owner.__name__ if isinstance(owner, ModuleType) else f"{owner.__module__}.{owner.__qualname__}"
