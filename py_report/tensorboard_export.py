"""Writes event files of TensorBoard: python -m py_report.tensorboard_export reads one JSON document on standard input
(`Request`). Each run has a directory, `<out>/<arm>/seed-<n>`, and in it one file, EVENTS, which replaces that of an
export before; nothing else is replaced or removed. Equal requests write equal scalars: every time is the request's.

Exit codes: 0 written, 2 the request is wrong, 4 a package is missing or the disk refuses.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from py_backend.exits import SURROUNDINGS_MISSING, WRONG_USAGE, fail
from py_backend.process_signals import leave_to_controller

PROGRAM = "py_report.tensorboard_export"

if __name__ == "__main__":
    leave_to_controller()  # it ends us

try:
    import msgspec
    from msgspec import Struct
    from torch.utils.tensorboard import SummaryWriter
    from torch.utils.tensorboard.summary import hparams
except (ImportError, OSError) as error:  # OSError: one of its libraries is not there
    if __name__ != "__main__":
        raise
    advice = f"run `{sys.executable} -m pip install tensorboard`, or name another Python with --python"
    sys.exit(fail(PROGRAM, SURROUNDINGS_MISSING, f"{error} (Python at {sys.executable}): {advice}"))

EVENTS = "events.out.tfevents.ibatch"
"""One name for every export, so that a second one leaves no points twice. TensorBoard looks for `tfevents`."""
PARTIAL = ".ibatch.partial"
"""TensorBoard reads no file of this name."""


class Record(Struct, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A map of fixed fields; in JSON their names are in camel case."""


class Point(Record):
    step: int
    wall_time: float
    """Unix time, seconds."""
    value: float | Literal["NaN", "Infinity", "-Infinity"]


class Scalars(Record):
    tag: str
    points: list[Point]


class Run(Record):
    arm: str
    seed: int
    started_at: float
    """Unix time, seconds."""
    hyperparameters: dict[str, str | int]
    scalars: list[Scalars]


class Request(Record):
    out: str
    """An absolute path."""
    metrics: list[str]
    """Tags that TensorBoard shows beside the hyperparameters."""
    runs: list[Run]


def write_run(run: Run, metrics: list[str], out: Path) -> None:
    """Under a name that TensorBoard passes over, then under its own: whole or not at all.

    Raises OSError.
    """
    directory = out / run.arm / f"seed-{run.seed}"
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / PARTIAL
    try:
        partial.write_bytes(events_of(run, metrics))
        partial.replace(directory / EVENTS)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def events_of(run: Run, metrics: list[str]) -> bytes:
    """What `SummaryWriter` writes, which names its file after the clock, the host and the process."""
    with TemporaryDirectory(prefix="ibatch-") as scratch:
        with SummaryWriter(scratch) as writer:
            for summary in hparams(run.hyperparameters, dict.fromkeys(metrics, 0.0)):
                writer.file_writer.add_summary(summary, 0, run.started_at)
            for scalars in run.scalars:
                for point in scalars.points:
                    writer.add_scalar(scalars.tag, float(point.value), point.step, point.wall_time)
        [file] = Path(scratch).iterdir()
        return file.read_bytes()


def main() -> int:
    try:
        request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        expected = "expected a Request as in py_report/tensorboard_export.py"
        return fail(PROGRAM, WRONG_USAGE, f"the request is wrong: {error}; {expected}")
    try:
        for run in request.runs:
            write_run(run, request.metrics, Path(request.out))
    except OSError as error:
        refused = f"{error.filename or request.out} cannot be written: {error.strerror}"
        return fail(PROGRAM, SURROUNDINGS_MISSING, f"{refused}; mend that, or name another --out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
