"""The one file that unpickles: the checksum comes first, and only the names of the official files pass."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from py_backend.datasets import unpickle
from py_backend.datasets.unpickle import load_cifar_pickle
from py_backend.errors import BackendError


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def refused(path: Path, checksum: str) -> str:
    """The message with which the file is refused as damaged."""
    with pytest.raises(BackendError) as caught:
        load_cifar_pickle(path, checksum)
    assert caught.value.code == "data_damaged"
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.message


class TouchesFile:
    """Pickles as a call of os.system that makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.marker}'",)


def test_a_wrong_md5_is_refused_before_anything_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "batch"
    path.write_bytes(pickle.dumps({b"data": 1}, 2))
    used = []
    monkeypatch.setattr(unpickle, "RestrictedUnpickler", lambda *args, **kwargs: used.append(args))
    wrong = "0" * 32
    assert f"MD5 {md5(path.read_bytes())}, expected {wrong}" in refused(path, wrong)
    assert used == []
    # The other way round: with the right one it is used, so that the list above could have filled.
    refused(path, md5(path.read_bytes()))
    assert len(used) == 1


def test_a_malicious_pickle_with_the_right_md5_is_refused_and_not_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    content = pickle.dumps({b"data": TouchesFile(marker)}, 2)
    path = tmp_path / "batch"
    path.write_bytes(content)
    assert "it asks for posix.system" in refused(path, md5(content))
    assert not marker.exists()
    # The other way round: an ordinary unpickler does execute it.
    pickle.loads(content)
    assert marker.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("__builtin__", "getattr"),
        ("numpy", "load"),
        ("numpy", "ndarray.tofile"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy.core.multiarray", "scalar"),
        ("_codecs", "decode"),
        ("codecs", "encode"),
        ("copy_reg", "_reconstructor"),
    ],
)
def test_every_name_off_the_list_is_refused(tmp_path: Path, module: str, name: str) -> None:
    content = b"\x80\x02}U\x04datac" + f"{module}\n{name}\n".encode() + b"s."
    path = tmp_path / "batch"
    path.write_bytes(content)
    assert f"{name})" in refused(path, md5(content))


@pytest.mark.parametrize("length", [0, 1, 2, 10, -1])
def test_a_pickle_that_ends_early_is_refused(tmp_path: Path, length: int) -> None:
    content = pickle.dumps({b"data": list(range(300))}, 2)[:length]
    path = tmp_path / "batch"
    path.write_bytes(content)
    assert "unpickling stops" in refused(path, md5(content))


def test_a_pickle_of_something_else_than_a_dict_is_refused(tmp_path: Path) -> None:
    content = pickle.dumps([1, 2], 2)
    path = tmp_path / "batch"
    path.write_bytes(content)
    assert "a list, expected a dict" in refused(path, md5(content))


def test_a_file_above_the_limit_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = pickle.dumps({b"data": 1}, 2)
    path = tmp_path / "batch"
    path.write_bytes(content)
    monkeypatch.setattr(unpickle, "MAX_BYTES", len(content))
    assert load_cifar_pickle(path, md5(content)) == {b"data": 1}
    monkeypatch.setattr(unpickle, "MAX_BYTES", len(content) - 1)
    assert f"{len(content)} bytes, expected at most {len(content) - 1}" in refused(path, md5(content))


def test_python_2_strings_come_back_as_bytes(tmp_path: Path) -> None:
    content = b"\x80\x02}(U\x06labels](K\x03K\xffeU\x04dataU\x02\x00\xffu."
    path = tmp_path / "batch"
    path.write_bytes(content)
    assert load_cifar_pickle(path, md5(content)) == {b"labels": [3, 255], b"data": b"\x00\xff"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        load_cifar_pickle(tmp_path / "batch", "0" * 32)
    assert caught.value.code == "data_missing"
    assert caught.value.message.startswith(f"{tmp_path / 'batch'} cannot be read: No such file or directory")
