"""Names of classes as the user gives them, and classes that no sample has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..datasets.contract import Labels
from ..listed import listed
from .arrays import as_array, is_array


def class_names(stated: Any, train: Any, count: int) -> tuple[str, ...]:
    """Those that came along, else the `classes` of the training part, else numbers. Raises ValueError."""
    if stated is not None:
        names = sequence_of(stated)
        if names is None:
            raise ValueError(
                f"class_names is a {type(stated).__name__}; expected a list of names, that of class 0 first"
            )
    else:
        names = sequence_of(getattr(train, "classes", None)) or range(count)
    if len(names) < count:
        raise ValueError(f"labels go up to {count - 1}, and there are {len(names)} class names")
    return tuple(as_text(name) for name in names)


def sequence_of(value: Any) -> Sequence[Any] | None:
    if is_array(value) and as_array(value).ndim == 1:
        names: list[Any] = as_array(value).tolist()
        return names
    return value if isinstance(value, Sequence) and not isinstance(value, bytes) else None


def as_text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def without_samples(labels: Labels, class_count: int) -> list[int]:
    return [int(number) for number in np.flatnonzero(np.bincount(labels, minlength=class_count) == 0)]


def notices(train: Labels, names: Sequence[str]) -> Iterator[str]:
    """A line where a class has no training sample."""
    empty = without_samples(train, len(names))
    if not empty:
        return
    classes = [str(number) if names[number] == str(number) else f"{number} ({names[number]})" for number in empty]
    line = f"no training sample has class {listed(classes)}: training labels go from {train.min()} to {train.max()}"
    yield f"{line}, and classes are numbered from 0 on" if empty[0] == 0 else line
