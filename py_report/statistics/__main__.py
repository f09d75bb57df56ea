"""One JSON document in, one out."""

from __future__ import annotations

import sys

from py_backend.exits import SURROUNDINGS_MISSING, WRONG_USAGE, fail
from py_backend.process_signals import leave_to_controller

PROGRAM = "py_report.statistics"

if __name__ == "__main__":
    leave_to_controller()  # it ends us

try:
    import msgspec

    from .analysis import analyse
    from .request import Request
except (ImportError, OSError) as error:  # OSError: one of its libraries is not there
    advice = f"run `{sys.executable} -m pip install -r requirements.txt`"
    sys.exit(fail(PROGRAM, SURROUNDINGS_MISSING, f"{error} (Python at {sys.executable}): {advice}"))


def main() -> int:
    try:
        request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        expected = "expected a Request as in py_report/statistics/request.py"
        return fail(PROGRAM, WRONG_USAGE, f"the request is wrong: {error}; {expected}")
    sys.stdout.buffer.write(msgspec.json.encode(analyse(request)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
