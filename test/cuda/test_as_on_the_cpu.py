"""Tests of test/python that are about the backend wherever it computes, once more: `device` is the GPU here."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

PYTHON = Path(__file__).parents[1] / "python"
ONCE_MORE = {
    "test_no_waiting": [
        "test_a_chunk_is_trained_without_waiting",
        "test_what_is_fetched_is_trained_on_without_waiting",
        "test_samples_are_looked_at_without_waiting",
        "test_a_state_is_taken_without_waiting",
    ],
}
"""Where they are; what they need must come with `npm run pack` (scripts/pack/contents.mjs)."""


def found_in(module: str, names: list[str]) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(f"cuda_{module}", PYTHON / f"{module}.py")
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return {name: getattr(loaded, name) for name in names}


for place, wanted in ONCE_MORE.items():
    globals().update(found_in(place, wanted))
