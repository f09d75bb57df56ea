"""The CIFAR readers: binary records checked by hand, python files as Python 2 wrote them."""

from __future__ import annotations

import hashlib
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from py_backend.datasets import cifar
from py_backend.datasets.contract import Part
from py_backend.errors import BackendError

RED = bytes(row for row in range(32) for _ in range(32))
GREEN = bytes(column for _ in range(32) for column in range(32))
BLUE = bytes([200]) * 1024
IMAGE = RED + GREEN + BLUE
BLACK = bytes(3072)

CIFAR10 = (10,)
CIFAR100 = (20, 100)


def refused(read: Callable[[], object], path: Path) -> str:
    """The message with which the file is refused as damaged."""
    with pytest.raises(BackendError) as caught:
        read()
    assert caught.value.code == "data_damaged"
    assert caught.value.message.startswith(f"{path} is damaged: ")
    return caught.value.message


def check_pixels(images: np.ndarray) -> None:
    """First a black image, then IMAGE: at (row, column) it is (row, column, 200)."""
    assert images.shape == (2, 32, 32, 3)
    assert images.dtype == np.uint8
    assert images.flags.c_contiguous
    assert not images[0].any()
    for row, column in [(0, 0), (0, 31), (31, 0), (5, 17), (31, 31)]:
        assert images[1, row, column].tolist() == [row, column, 200]


def test_cifar10_records_are_a_label_and_three_planes(tmp_path: Path) -> None:
    path = tmp_path / "batch.bin"
    path.write_bytes(b"\x09" + BLACK + b"\x02" + IMAGE)
    part = cifar.read_binary(path, CIFAR10)
    check_pixels(part.images)
    assert part.labels.tolist() == [9, 2]
    assert part.labels.dtype == np.uint32


def test_cifar100_records_are_a_coarse_and_a_fine_label_of_which_the_fine_one_is_used(tmp_path: Path) -> None:
    path = tmp_path / "train.bin"
    path.write_bytes(b"\x13\x63" + BLACK + b"\x00\x07" + IMAGE)
    part = cifar.read_binary(path, CIFAR100)
    check_pixels(part.images)
    assert part.labels.tolist() == [99, 7]


@pytest.mark.parametrize(("classes", "record"), [(CIFAR10, 3073), (CIFAR100, 3074)])
def test_sizes_that_are_no_whole_records_are_refused(tmp_path: Path, classes: tuple[int, ...], record: int) -> None:
    path = tmp_path / "batch.bin"
    for size in (0, 1, record - 1, record + 1, 2 * record - 1):
        path.write_bytes(bytes(size))
        message = refused(lambda: cifar.read_binary(path, classes), path)
        assert f"{size} bytes, expected 1 to 100000 whole records of {record} bytes" in message


def test_a_file_above_the_limit_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "batch.bin"
    with path.open("wb") as stream:  # a sparse file: it takes no disk
        stream.truncate((cifar.MAX_RECORDS + 1) * 3073)
    refused(lambda: cifar.read_binary(path, CIFAR10), path)


@pytest.mark.parametrize(
    ("classes", "labels", "says"),
    [
        (CIFAR10, b"\x0a", "label byte 1 = 10 at record 1, expected 0..9"),
        (CIFAR100, b"\x14\x00", "label byte 1 = 20 at record 1, expected 0..19"),
        (CIFAR100, b"\x00\x64", "label byte 2 = 100 at record 1, expected 0..99"),
    ],
)
def test_labels_out_of_range_are_refused(tmp_path: Path, classes: tuple[int, ...], labels: bytes, says: str) -> None:
    path = tmp_path / "batch.bin"
    path.write_bytes(bytes(len(labels)) + BLACK + labels + BLACK)
    assert says in refused(lambda: cifar.read_binary(path, classes), path)


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Writes str and bytes with the opcodes that Python 2 wrote its strings with."""

    dispatch = pickle._Pickler.dispatch.copy()  # type: ignore[attr-defined]

    def save_string(self, value: str | bytes) -> None:
        raw = value.encode("latin-1") if isinstance(value, str) else value
        head = b"U" + bytes([len(raw)]) if len(raw) < 256 else b"T" + struct.pack("<i", len(raw))
        self.write(head + raw)
        self.memoize(value)

    dispatch[str] = save_string
    dispatch[bytes] = save_string


def pickle_as_python_2(path: Path, content: Any) -> None:
    with path.open("wb") as stream:
        Python2Pickler(stream, 2).dump(content)
    path.write_bytes(path.read_bytes().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in path.read_bytes()
    assert b"U\x04data" in path.read_bytes()
    assert b"_codecs" not in path.read_bytes()


def pickle_as_python_3(path: Path, content: Any) -> None:
    path.write_bytes(pickle.dumps(content, 2))
    assert b"c_codecs\nencode\n" in path.read_bytes()


def pickle_with_new_numpy_names(path: Path, content: Any) -> None:
    raw = pickle.dumps(content, 2).replace(b"cnumpy.core.multiarray\n", b"cnumpy._core.multiarray\n")
    path.write_bytes(raw)
    assert b"cnumpy._core.multiarray\n_reconstruct\n" in raw


def pixels(*images: bytes) -> np.ndarray:
    return np.frombuffer(b"".join(images), np.uint8).reshape(-1, 3072)


def read_python(path: Path, key: bytes = b"labels", classes: int = 10) -> Part:
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return cifar.read_python(path, md5, key, classes)


@pytest.mark.parametrize("write", [pickle_as_python_2, pickle_as_python_3, pickle_with_new_numpy_names])
def test_python_files_are_read_however_they_were_pickled(tmp_path: Path, write: Callable[[Path, Any], None]) -> None:
    path = tmp_path / "data_batch_1"
    write(path, {b"batch_label": b"batch 1 of 5", b"labels": [9, 2], b"data": pixels(BLACK, IMAGE), b"filenames": []})
    part = read_python(path)
    check_pixels(part.images)
    assert part.labels.tolist() == [9, 2]
    assert part.labels.dtype == np.uint32


def test_of_coarse_and_fine_labels_the_fine_ones_are_used(tmp_path: Path) -> None:
    path = tmp_path / "train"
    pickle_as_python_2(path, {b"coarse_labels": [1, 2], b"fine_labels": [99, 7], b"data": pixels(BLACK, IMAGE)})
    assert read_python(path, b"fine_labels", 100).labels.tolist() == [99, 7]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({b"labels": [1]}, "b'data' is NoneType, expected uint8 [n, 3072]"),
        ({b"labels": [1], b"data": [0] * 3072}, "b'data' is list"),
        ({b"labels": [1], b"data": pixels(IMAGE).astype(np.float32)}, "b'data' is float32 [1, 3072]"),
        ({b"labels": [1], b"data": pixels(IMAGE)[0]}, "b'data' is uint8 [3072]"),
        ({b"labels": [1], b"data": pixels(IMAGE)[:, :3071]}, "b'data' is uint8 [1, 3071]"),
        ({b"labels": [], b"data": pixels(IMAGE)[:0]}, "b'data' is uint8 [0, 3072]"),
        ({b"data": pixels(IMAGE)}, "b'labels' is NoneType, expected a list of 1 integers"),
        ({b"labels": [1, 2], b"data": pixels(IMAGE)}, "b'labels' is a list of 2, expected a list of 1 integers"),
        ({b"labels": [1.0], b"data": pixels(IMAGE)}, "b'labels' is a list of 1, expected a list of 1 integers"),
        ({b"labels": [10], b"data": pixels(IMAGE)}, "label 10 at record 0, expected 0..9"),
        ({b"labels": [-1], b"data": pixels(IMAGE)}, "label -1 at record 0, expected 0..9"),
    ],
)
def test_python_files_with_other_contents_are_refused(tmp_path: Path, content: Any, says: str) -> None:
    path = tmp_path / "data_batch_1"
    with path.open("wb") as stream:
        Python2Pickler(stream, 2).dump(content)
    assert says in refused(lambda: read_python(path), path)
