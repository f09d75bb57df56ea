"""What crosses to TypeScript and back."""

from __future__ import annotations

from msgspec import Struct


class Record(Struct, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A map of fixed fields; in JSON their names are in camel case."""
