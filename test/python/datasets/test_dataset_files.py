"""What the readers say about files that the system refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from py_backend.datasets.files import reading
from py_backend.errors import BackendError


def test_reading_names_the_very_file_that_the_system_refused(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    with pytest.raises(BackendError) as caught, reading(tmp_path):
        absent.read_bytes()
    assert caught.value.code == "data_missing"
    assert caught.value.details == {"path": str(absent), "reason": "No such file or directory"}


def test_reading_names_its_own_path_where_the_system_names_none(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught, reading(tmp_path):
        raise OSError("the disk is gone")
    assert caught.value.details == {"path": str(tmp_path), "reason": "the disk is gone"}


def test_reading_lets_other_errors_through(tmp_path: Path) -> None:
    with pytest.raises(KeyError), reading(tmp_path):
        raise KeyError("a bug")
