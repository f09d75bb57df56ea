"""Names in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

NAMES_SHOWN = 5


def listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
