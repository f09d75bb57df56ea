"""Whose failure it is: what the user's code raises is told as theirs, what is ours as a bug of ours."""

from __future__ import annotations

from ..device import is_out_of_memory
from ..errors import BackendError
from .importing import RAISED, failed


class Telling:
    """What is raised within is told as raised by the reference: BackendError (bad_reference). Without a reference, and
    where memory ran out, it stays what it is."""

    __slots__ = ("_reference", "_what")

    def __init__(self, reference: str | None, what: str) -> None:
        self._reference = reference
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if self._reference is None or not isinstance(error, RAISED) or isinstance(error, BackendError):
            return
        if not is_out_of_memory(error):
            raise failed(self._reference, self._what, error) from None
