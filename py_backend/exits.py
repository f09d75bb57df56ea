"""How our Python programs end when they cannot do what they were started for. Imports nothing that may be missing."""

from __future__ import annotations

import sys

WRONG_USAGE = 2
SURROUNDINGS_MISSING = 4


def fail(program: str, code: int, message: str) -> int:
    """One line on standard error; returns the exit code."""
    print(f"{program}: {' '.join(message.split())}", file=sys.stderr, flush=True)
    return code
