"""CIFAR-10 and CIFAR-100 as datasets: which folder is read, in which order, and what is refused."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from py_backend.datasets import cifar10, cifar100
from py_backend.datasets.contract import Dataset
from py_backend.errors import BackendError

BOTH = pytest.mark.parametrize("module", [cifar10, cifar100])

# Of the ten labels in use here, the first: CIFAR-100's are fine labels that no coarse class has.
FIRST = {cifar10: 0, cifar100: 90}
COARSE = {cifar10: b"", cifar100: b"\x13"}
LABELS_KEY = {cifar10: b"labels", cifar100: b"fine_labels"}


def image_of(label: int) -> bytes:
    return bytes([label]) * 3072


def write_binary(module: ModuleType, data_dir: Path) -> list[int]:
    """Files of three records, and for CIFAR-100 as many for each test record as it has; the labels are ten in turn."""
    folder = data_dir / module.LAYOUT.binary_folder
    folder.mkdir()
    label = 0
    for name in [*module.LAYOUT.binary_train, *module.LAYOUT.binary_test]:
        records = 15 if name == "train.bin" else 3
        content = b""
        for _ in range(records):
            content += COARSE[module] + bytes([FIRST[module] + label % 10]) + image_of(label)
            label += 1
        (folder / name).write_bytes(content)
    return [FIRST[module] + number % 10 for number in range(label)]


def write_python(module: ModuleType, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Files of two records each in the official form, whose MD5s take the place of the official ones."""
    folder = data_dir / module.LAYOUT.python_folder
    folder.mkdir()
    labels: list[int] = []
    sums = {}
    for name in [*module.LAYOUT.python_train, *module.LAYOUT.python_test]:
        own = [FIRST[module] + len(labels) % 10, FIRST[module] + 9 - len(labels) % 10]
        data = np.frombuffer(image_of(own[0]) + image_of(own[1]), np.uint8).reshape(2, 3072)
        content = pickle.dumps({LABELS_KEY[module]: own, b"coarse_labels": [19, 19], b"data": data}, 2)
        (folder / name).write_bytes(content)
        sums[name] = hashlib.md5(content, usedforsecurity=False).hexdigest()
        labels += own
    layout = replace(
        module.LAYOUT,
        python_train={name: sums[name] for name in module.LAYOUT.python_train},
        python_test={name: sums[name] for name in module.LAYOUT.python_test},
    )
    monkeypatch.setattr(module, "LAYOUT", layout)
    return labels


def load(module: ModuleType, data_dir: Path) -> Dataset:
    dataset: Dataset = module.DATASET.load(data_dir, module.DATASET.options())
    return dataset


def refused(module: ModuleType, data_dir: Path, code: str) -> BackendError:
    with pytest.raises(BackendError) as caught:
        load(module, data_dir)
    assert caught.value.code == code
    return caught.value


@BOTH
def test_binary_files_are_joined_in_order(module: ModuleType, tmp_path: Path) -> None:
    labels = write_binary(module, tmp_path)
    dataset = load(module, tmp_path)
    held = len(dataset.train.labels)
    assert held == 15
    assert dataset.train.labels.tolist() == labels[:held]
    assert dataset.test.labels.tolist() == labels[held:]
    assert dataset.train.images[:, 0, 0, 0].tolist() == list(range(held))
    assert dataset.test.images[:, 31, 31, 2].tolist() == list(range(held, len(labels)))
    assert dataset.input_shape == (3, 32, 32)
    assert dataset.sha256() == load(module, tmp_path).sha256()


def drop_record(path: Path, record: int) -> None:
    path.write_bytes(path.read_bytes()[:-record])


@pytest.mark.parametrize("number", range(5))
def test_a_cifar10_file_cut_between_records_is_named(number: int, tmp_path: Path) -> None:
    write_binary(cifar10, tmp_path)
    path = tmp_path / cifar10.LAYOUT.binary_folder / cifar10.LAYOUT.binary_train[number]
    drop_record(path, 3073)
    message = refused(cifar10, tmp_path, "data_damaged").message
    assert message.startswith(f"{path} is damaged: 2 records, expected 3, as in the other training files")


def test_cifar100_has_five_training_records_for_each_test_record(tmp_path: Path) -> None:
    write_binary(cifar100, tmp_path)
    path = tmp_path / cifar100.LAYOUT.binary_folder / "train.bin"
    drop_record(path, 3074)
    message = refused(cifar100, tmp_path, "data_damaged").message
    assert message.startswith(f"{path} is damaged: 14 records, expected 5 for each of the 3 of test.bin")


@BOTH
def test_python_files_are_joined_in_order(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = write_python(module, tmp_path, monkeypatch)
    dataset = load(module, tmp_path)
    assert dataset.train.labels.tolist() == labels[:-2]
    assert dataset.test.labels.tolist() == labels[-2:]
    assert dataset.train.images[:, 31, 0, 1].tolist() == labels[:-2]
    assert dataset.test.images[:, 0, 31, 2].tolist() == labels[-2:]


@BOTH
def test_the_python_version_is_read_where_both_are_there(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_binary(module, tmp_path)
    labels = write_python(module, tmp_path, monkeypatch)
    assert load(module, tmp_path).train.labels.tolist() == labels[:-2]


@BOTH
def test_python_files_without_the_official_md5s_are_refused_even_beside_a_binary_set(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as own_sums:
        write_python(module, tmp_path, own_sums)
    write_binary(module, tmp_path)
    error = refused(module, tmp_path, "data_damaged")
    first, official = next(iter(module.LAYOUT.python_train.items()))
    assert str(tmp_path / module.LAYOUT.python_folder / first) in error.message
    assert f"expected {official}, that of the official file" in error.message


@BOTH
def test_one_changed_byte_in_the_last_python_file_is_refused(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_python(module, tmp_path, monkeypatch)
    (name,) = module.LAYOUT.python_test
    path = tmp_path / module.LAYOUT.python_folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert str(path) in refused(module, tmp_path, "data_damaged").message


@BOTH
def test_a_missing_binary_file_is_named_with_its_folder_and_source(module: ModuleType, tmp_path: Path) -> None:
    write_binary(module, tmp_path)
    name = module.LAYOUT.binary_test[-1]
    (tmp_path / module.LAYOUT.binary_folder / name).unlink()
    error = refused(module, tmp_path, "data_missing")
    assert error.message == (
        f"{module.NAME}: no {name} in {tmp_path / module.LAYOUT.binary_folder}; "
        f"get the set from `ibatch data {module.NAME} --data {tmp_path}`, or {module.WHERE_TO_GET}, or "
        "point --data at the folder that holds it"
    )


@BOTH
def test_an_incomplete_python_folder_is_refused_even_beside_a_binary_set(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_binary(module, tmp_path)
    write_python(module, tmp_path, monkeypatch)
    (name,) = module.LAYOUT.python_test
    (tmp_path / module.LAYOUT.python_folder / name).unlink()
    assert refused(module, tmp_path, "data_missing").details["files"] == [name]


@BOTH
def test_a_missing_set_is_refused_with_both_folders_by_name(module: ModuleType, tmp_path: Path) -> None:
    error = refused(module, tmp_path, "data_missing")
    assert error.message.startswith(
        f"{module.NAME}: no {module.LAYOUT.python_folder}, {module.LAYOUT.binary_folder} in {tmp_path}; get the set"
    )


def test_the_hundred_fine_classes_are_in_the_order_of_the_alphabet() -> None:
    assert len(set(cifar100.CLASS_NAMES)) == 100
    assert list(cifar100.CLASS_NAMES) == sorted(cifar100.CLASS_NAMES)
