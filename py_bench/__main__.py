"""A question a line on standard input, its answer a line on standard output: JSON. Ends with its input."""

from __future__ import annotations

import os
import sys

from py_backend.exits import SURROUNDINGS_MISSING, fail, leave
from py_backend.process_signals import leave_to_controller

PROGRAM = "py_bench"

if __name__ == "__main__":
    leave_to_controller()  # it ends us

try:
    import msgspec

    from py_backend.errors import BackendError

    from .peer import Peer, Question
except (ImportError, OSError) as error:  # OSError: one of its libraries is not there
    advice = f"run `{sys.executable} -m pip install -r requirements-backend.txt`"
    sys.exit(fail(PROGRAM, SURROUNDINGS_MISSING, f"{error} (Python at {sys.executable}): {advice}"))


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print is no answer
    peer = Peer()
    for line in sys.stdin.buffer:
        try:
            answer = {"ok": peer.answer(msgspec.json.decode(line, type=Question))}
        except BackendError as error:
            answer = {"refused": {"code": error.code, "message": error.message}}
        answers.write(msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    main()
    leave(0)
