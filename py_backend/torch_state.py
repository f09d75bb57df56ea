"""Torch's state that is the process's, not a run's: code of the user's may change it for every run that comes after."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .errors import BackendError
from .listed import listed
from .torch_hooks import Hooks
from .torch_methods import Methods
from .torch_switches import SWITCHES, read_switches


@dataclass(frozen=True)
class Changes:
    """What was changed, and is set back: switches with what they were and became, methods that were replaced, tables of
    hooks."""

    switches: list[str]
    methods: list[str]
    hooks: list[str]

    def __bool__(self) -> bool:
        return bool(self.switches or self.methods or self.hooks)

    def __str__(self) -> str:
        changed = [f"changed {listed(self.switches)}"] if self.switches else []
        replaced = [f"replaced {listed(self.methods)}"] if self.methods else []
        hooked = [f"put hooks on all there is ({listed(self.hooks)})"] if self.hooks else []
        return " and ".join(changed + replaced + hooked)

    @property
    def advice(self) -> str:
        switches = ["set back what is set, before your code returns"] if self.switches else []
        methods = ["derive a class of your own"] if self.methods else []
        hooks = ["register hooks on your own modules"] if self.hooks else []
        return ", and ".join(switches + methods + hooks)


class TorchState:
    """What is expected of the process's torch: as it was found at construction, until a run says otherwise."""

    def __init__(self) -> None:
        self._switches = read_switches()
        self._methods = Methods()
        self._hooks = Hooks()

    def expect_current(self) -> None:
        """The switches as they are set now."""
        self._switches = read_switches()

    def restore(self, whose: str) -> list[str]:
        """Sets back the switches that were changed, and says so: a line for a person, or none.

        Raises BackendError (bad_reference) where methods of torch's own were replaced, or hooks put on all modules:
        these are back then, too.
        """
        changes = self._set_back()
        if changes.methods or changes.hooks:
            raise refusal(whose, changes)
        return told(whose, changes)

    def restore_after(self, whose: str) -> list[str]:
        """As `restore`, where those who changed something are gone: it is said, and nobody refused."""
        return told(whose, self._set_back())

    def refuse_changes(self, whose: str) -> None:
        """Raises BackendError (bad_reference) where anything was changed, which is set back then."""
        changes = self._set_back()
        if changes:
            raise refusal(whose, changes)

    def _set_back(self) -> Changes:
        methods = self._methods.set_back()  # first: what is read and set may be among them
        hooks = self._hooks.set_back()
        changed = self._changed_switches()
        self._write(changed)
        self._write(self._changed_switches())  # one that has a newer form sets parts of that, too
        return Changes(
            [f"{name} ({self._switches[name]}, then {now})" for name, now in changed.items()], methods, hooks
        )

    def _changed_switches(self) -> dict[str, Any]:
        """Those that are not as expected, and what they are now."""
        return {name: now for name, now in read_switches().items() if now != self._switches[name]}

    def _write(self, changed: Iterable[str]) -> None:
        for name in changed:
            SWITCHES[name].write(self._switches[name])


def told(whose: str, changes: Changes) -> list[str]:
    """A line for a person, on standard error too, or none."""
    if not changes:
        return []
    line = f"{whose} {changes}: set back, for it is every run's; runs are made with what it was"
    print(f"py_backend: {line}", file=sys.stderr, flush=True)
    return [line]


def refusal(whose: str, changes: Changes) -> BackendError:
    return BackendError("bad_reference", f"{whose} {changes}, which every run of this backend uses: {changes.advice}")
