"""Readers of the two official forms of CIFAR-10 and CIFAR-100, binary and python.

Both hold an image as 3,072 bytes: a red, a green and a blue plane, each 32 x 32, row major.
Source: https://www.cs.toronto.edu/~kriz/cifar.html (A. Krizhevsky, Learning Multiple Layers of Features, 2009).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .contract import Images, Labels, Part
from .files import checked_labels, damaged, missing, reading
from .unpickle import load_cifar_pickle

SIDE = 32
CHANNELS = 3
PIXELS = CHANNELS * SIDE * SIDE
MAX_RECORDS = 100_000  # 307 MB; the largest official file has 50,000


@dataclass(frozen=True)
class CifarLayout:
    """Where a CIFAR set lies and how it is written.

    class_counts: classes of each label byte in front of a binary record; the last byte is the label in use.
    python_train, python_test: file names of the python version, each with its official MD5.
    python_labels: the key of the labels in use in the python version.
    binary_train: file names of the binary version; where they are several, they hold equally many records.
    train_per_test: training records for each test record, where the files are too few to be held to one another.
    """

    name: str
    where_to_get: str
    class_counts: tuple[int, ...]
    python_folder: str
    python_train: Mapping[str, str]
    python_test: Mapping[str, str]
    python_labels: bytes
    binary_folder: str
    binary_train: Sequence[str]
    binary_test: Sequence[str]
    train_per_test: int | None = None


def load_parts(data_dir: Path, layout: CifarLayout) -> tuple[Part, Part]:
    """Train and test part, out of the python version's folder if data_dir has it, else out of the binary one's.

    A folder that lacks a file is refused and not passed over: the other folder may hold another selection of images.
    """
    python, binary = data_dir / layout.python_folder, data_dir / layout.binary_folder
    with reading(data_dir):
        if python.is_dir():
            return _load_python(python, layout)
        if binary.is_dir():
            return _load_binary(binary, layout)
    raise missing(layout.name, [layout.python_folder, layout.binary_folder], [data_dir], layout.where_to_get, data_dir)


def read_binary(path: Path, class_counts: Sequence[int]) -> Part:
    """One file of the binary version; as many records as its size says.

    A record is one byte for each of class_counts (CIFAR-100: coarse, fine), then the 3,072 of the image.
    """
    raw = _read_records(path, len(class_counts) + PIXELS)
    columns = [
        checked_labels(path, raw[:, column], classes, f"label byte {column + 1} =")
        for column, classes in enumerate(class_counts)
    ]
    return Part(_to_nhwc(raw[:, len(class_counts) :]), columns[-1])


def read_python(path: Path, md5: str, labels_key: bytes, classes: int) -> Part:
    """One file of the python version, which must have this MD5: b"data" is uint8 [n, 3072], labels a list of n."""
    content = load_cifar_pickle(path, md5)
    pixels = _pixels(path, content.get(b"data"))
    labels = _label_list(path, content.get(labels_key), labels_key, len(pixels))
    return Part(_to_nhwc(pixels), checked_labels(path, labels, classes))


def _load_python(folder: Path, layout: CifarLayout) -> tuple[Part, Part]:
    _require_files(layout, folder, [*layout.python_train, *layout.python_test])
    train, test = (
        _join([read_python(folder / name, md5, layout.python_labels, layout.class_counts[-1]) for name, md5 in files])
        for files in (layout.python_train.items(), layout.python_test.items())
    )
    return train, test


def _load_binary(folder: Path, layout: CifarLayout) -> tuple[Part, Part]:
    _require_files(layout, folder, [*layout.binary_train, *layout.binary_test])
    train_files, test_files = (
        {folder / name: read_binary(folder / name, layout.class_counts) for name in names}
        for names in (layout.binary_train, layout.binary_test)
    )
    _require_equal_sizes(train_files)
    train, test = (_join(list(files.values())) for files in (train_files, test_files))
    if layout.train_per_test is not None and len(train.labels) != layout.train_per_test * len(test.labels):
        expected = f"{layout.train_per_test} for each of the {len(test.labels)} of {layout.binary_test[0]}"
        raise damaged(folder / layout.binary_train[0], f"{len(train.labels)} records", expected)
    return train, test


def _require_equal_sizes(files: Mapping[Path, Part]) -> None:
    """A file that ends too early, but at the end of a record, shows only beside the others."""
    sizes = {path: len(part.labels) for path, part in files.items()}
    usual = max(sizes.values(), key=lambda size: (list(sizes.values()).count(size), size))
    for path, size in sizes.items():
        if size != usual:
            raise damaged(path, f"{size} records", f"{usual}, as in the other training files")


def _require_files(layout: CifarLayout, folder: Path, names: Sequence[str]) -> None:
    lacking = [name for name in names if not (folder / name).is_file()]
    if lacking:
        raise missing(layout.name, lacking, [folder], layout.where_to_get, folder.parent)


def _read_records(path: Path, record_bytes: int) -> Images:
    """The file as uint8 [n, record_bytes]; its size is checked before it is read."""
    with reading(path):
        size = path.stat().st_size
        count, rest = divmod(size, record_bytes)
        if rest or not 1 <= count <= MAX_RECORDS:
            raise damaged(path, f"{size} bytes", f"1 to {MAX_RECORDS} whole records of {record_bytes} bytes")
        raw = np.fromfile(path, np.uint8, size)
    if len(raw) != size:
        raise damaged(path, f"an end after {len(raw)} bytes", f"{size}, the size it had when opened")
    return raw.reshape(count, record_bytes)


def _pixels(path: Path, value: Any) -> Images:
    """b"data" of a python file, if it is uint8 [n, 3072] with n of at least 1."""
    right = isinstance(value, np.ndarray) and value.dtype == np.uint8
    if not right or value.ndim != 2 or value.shape[1] != PIXELS or not len(value):
        seen = f"{value.dtype} {list(value.shape)}" if isinstance(value, np.ndarray) else type(value).__name__
        raise damaged(path, f"b'data' is {seen}", f"uint8 [n, {PIXELS}]")
    pixels: Images = value
    return pixels


def _label_list(path: Path, value: Any, key: bytes, count: int) -> npt.NDArray[np.int64]:
    """The labels of a python file, if they are a list of `count` ints."""
    if not isinstance(value, list) or len(value) != count or not all(type(label) is int for label in value):
        seen = f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__
        raise damaged(path, f"{key!r} is {seen}", f"a list of {count} integers")
    return np.array(value, np.int64)


def _to_nhwc(pixels: Images) -> Images:
    """uint8 [n, 3072] of three planes -> uint8 [n, 32, 32, 3], C-contiguous."""
    return np.ascontiguousarray(pixels.reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1))


def _join(parts: Sequence[Part]) -> Part:
    """The parts one behind the other, in the order of the files."""
    labels: Labels = np.concatenate([part.labels for part in parts])
    return Part(np.concatenate([part.images for part in parts]), labels)
