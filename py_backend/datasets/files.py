"""What every dataset reader says about its files: not there, not readable, damaged."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import BackendError
from .contract import Labels


def missing(
    dataset: str, wanted: Sequence[str], places: Sequence[Path], where_to_get: str, data_dir: Path
) -> BackendError:
    """The error for files that are in none of the places looked in, which are below data_dir."""
    looked = [str(place.absolute()) for place in places]
    command = f"`ibatch data {dataset} --data {shlex.quote(str(data_dir.absolute()))}`"
    get = "" if data_dir.is_file() else f"get the set from {command}, or {where_to_get}, or "
    message = f"{dataset}: {_lacking(wanted, looked, data_dir)}; {get}point --data at the folder that holds it"
    return BackendError(
        "data_missing", message, dataset=dataset, files=list(wanted), places=looked, where_to_get=where_to_get
    )


def _lacking(wanted: Sequence[str], looked: Sequence[str], data_dir: Path) -> str:
    if not data_dir.exists():
        return f"there is no directory {data_dir.absolute()}"
    if not data_dir.is_dir():
        return f"{data_dir.absolute()} is a file, and a directory is expected"
    return f"no {', '.join(wanted)} in {' or '.join(looked)}"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Around what reads path: what the system refuses becomes our error, with the file that it names, or else path."""
    try:
        yield
    except OSError as error:
        name = str(error.filename or path)
        reason = error.strerror or str(error)
        message = f"{name} cannot be read: {reason}; check that it is there and its permissions"
        raise BackendError("data_missing", message, path=name, reason=reason) from error


def damaged(path: Path, seen: str, expected: str) -> BackendError:
    """The error for a file that does not hold what it must."""
    return BackendError(
        "data_damaged",
        f"{path} is damaged: {seen}, expected {expected}; remove it and fetch it again",
        path=str(path),
        seen=seen,
        expected=expected,
    )


def checked_labels(path: Path, values: npt.NDArray[np.integer], classes: int, what: str = "label") -> Labels:
    """The labels as uint32 [n], every one of them in 0..classes-1. values: any integers [n]."""
    wrong = np.flatnonzero((values < 0) | (values >= classes))
    if wrong.size:
        first = int(wrong[0])
        raise damaged(path, f"{what} {values[first]} at record {first}", f"0..{classes - 1}")
    return values.astype(np.uint32)
