"""What a config names: by a name of the catalogue, or by a reference to the user's own Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """origin: `catalogue` or `import`; name: of the catalogue, or `package.module:callable`."""

    name: str
    origin: str = "catalogue"
    options: Mapping[str, Any] = field(default_factory=dict)


def read_choice(given: Mapping[str, Any]) -> Choice:
    return Choice(given["name"], given.get("origin", "catalogue"), dict(given.get("options") or {}))
