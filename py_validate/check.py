"""One line of what `ibatch validate` reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """detail: the first layer, step or tensor that differs and by how much; empty where there is nothing to be said."""

    name: str
    verdict: Literal["pass", "fail", "skipped"]
    measured: str = ""
    tolerance: str = ""
    detail: str = ""


def skipped(name: str, why: str) -> Check:
    return Check(name, "skipped", detail=why)
