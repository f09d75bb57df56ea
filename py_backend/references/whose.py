"""Whose failure it is: what the user's code raises is told as theirs, what is ours as a bug of ours."""

from __future__ import annotations

import signal

from ..device import is_out_of_memory
from ..errors import BackendError
from .own_code import own_code

INTERRUPTS = () if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN else (KeyboardInterrupt,)
"""Where Ctrl-C is ignored, as a child of ours does, a KeyboardInterrupt can only come from the user's code."""
RAISED: tuple[type[BaseException], ...] = (Exception, SystemExit, *INTERRUPTS)
"""What code of the user's may raise: a `sys.exit` in there ends what it was called for, not the backend."""
ERROR_CHARACTERS = 500
"""Of what the user's code raised, in our line: torch lists all its kernels in some."""


class Telling:
    """Code of the reference is called within: what it raises is told as raised by it, and is the cause of that
    BackendError (bad_reference). Without a reference, and where memory ran out, it stays what it is."""

    __slots__ = ("_reference", "_what")

    def __init__(self, reference: str | None, what: str) -> None:
        self._reference = reference
        self._what = what

    def __enter__(self) -> None:
        own_code.entering(self._reference)

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        own_code.leaving()
        if self._reference is None or not isinstance(error, RAISED) or isinstance(error, BackendError):
            return
        if not is_out_of_memory(error):
            raise in_a_line(self._reference, self._what, error) from error


def in_a_line(reference: str, what: str, error: BaseException) -> BackendError:
    if isinstance(error, SystemExit):
        return BackendError("bad_reference", f"{reference}: {what}: sys.exit({error.code!r})")
    text = " ".join(str(error).split())
    text = text if len(text) <= ERROR_CHARACTERS else f"{text[:ERROR_CHARACTERS]} …"
    return BackendError("bad_reference", f"{reference}: {what}: {type(error).__name__}: {text}")
