"""How our Python programs end when they cannot do what they were started for. Imports nothing that may be missing."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn

WRONG_USAGE = 2
SURROUNDINGS_MISSING = 4
DEVICE_BROKEN = 5


def fail(program: str, code: int, message: str) -> int:
    """One line on standard error; returns the exit code."""
    print(f"{program}: {' '.join(message.split())}", file=sys.stderr, flush=True)
    return code


def leave(code: int) -> NoReturn:
    """Ends the process here and now, after what was registered with atexit: not on a broken device, which may hang in
    there. Taking torch down object by object takes seconds on a busy machine, and a thread of a user's that never ends
    would hold it for ever."""
    if code != DEVICE_BROKEN:
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it may have gone
            stream.flush()
    os._exit(code)
