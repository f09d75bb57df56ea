"""What models, datasets and optimisers have in common: a table to find them in by name, and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from .errors import BackendError

Definition = TypeVar("Definition")


class NoOptions(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """No options are taken."""


def find_in(table: Mapping[str, Definition], what: str, name: str) -> Definition:
    """The definition of this name; `what` says what it defines. Raises BackendError (unknown_name)."""
    if name not in table:
        known = list(table)
        raise BackendError("unknown_name", f"no {what} `{name}`; there are: {', '.join(known)}", name=name, known=known)
    return table[name]
