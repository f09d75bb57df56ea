"""Which modules code asks for, also where they were loaded before: Python's finders see only those that were not."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import _bootstrap, util
from typing import Any

PYTHONS: Any = _bootstrap
"""What `importlib.import_module` calls, whoever took that name from there."""


@contextmanager
def watching_imports(ask: Callable[[str], None]) -> Iterator[None]:
    """Calls back with the full name of each module that is asked for meanwhile, before it is loaded: by an import
    statement, by `__import__` as unpickling does, by `importlib.import_module`. Relative import statements are left
    out: they say in the source what they import."""
    by_statement, by_name = builtins.__import__, PYTHONS._gcd_import

    def watched_statement(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if level == 0:
            ask(name)
            for part in fromlist or ():
                ask(f"{name}.{part}")
        return by_statement(name, globals, locals, fromlist or (), level)

    def watched_name(name: str, package: str | None = None, level: int = 0) -> Any:
        with suppress(ImportError, TypeError):  # it fails below
            ask(util.resolve_name("." * level + name, package))
        return by_name(name, package, level)

    builtins.__import__, PYTHONS._gcd_import = watched_statement, watched_name
    try:
        yield
    finally:
        if builtins.__import__ is watched_statement:  # else somebody has put theirs around it
            builtins.__import__ = by_statement
        if PYTHONS._gcd_import is watched_name:
            PYTHONS._gcd_import = by_name
