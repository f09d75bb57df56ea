"""Hooks that torch calls for every module and every optimiser of the process, which any code may register."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from torch.nn.modules import module
from torch.optim import optimizer


def tables() -> dict[str, MutableMapping[Any, Any]]:
    """Each by its name in torch: where `register_module_forward_hook` and the like put what they are given."""
    return {
        f"{owner.__name__}.{name}": value
        for owner in (module, optimizer)
        for name, value in vars(owner).items()
        if name.startswith("_global_") and isinstance(value, MutableMapping)
    }


class Hooks:
    """As they are at construction."""

    def __init__(self) -> None:
        self._tables = tables()
        self._expected = {name: dict(table) for name, table in self._tables.items()}

    def set_back(self) -> list[str]:
        """The tables that were changed, which are as they were then."""
        changed = [name for name, table in self._tables.items() if dict(table) != self._expected[name]]
        for name in changed:
            self._tables[name].clear()
            self._tables[name].update(self._expected[name])
        return changed
