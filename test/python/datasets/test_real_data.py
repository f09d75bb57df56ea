"""The official files, where IBATCH_DATA names a folder that has them; skipped elsewhere."""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from py_backend.datasets import DATASETS
from py_backend.datasets.contract import Dataset, Part

MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def data_dir(folder: str) -> Path:
    """The folder of real data if it holds `folder`; else the test is skipped."""
    root = os.environ.get("IBATCH_DATA")
    if not root:
        pytest.skip("IBATCH_DATA is not set, so there is no real data to read")
    if not (Path(root) / folder).is_dir():
        pytest.skip(f"IBATCH_DATA={root} has no {folder}")
    return Path(root)


def load(name: str, root: Path) -> Dataset:
    return DATASETS[name].load(root, DATASETS[name].options())


def counts(part: Part) -> list[int]:
    return np.bincount(part.labels).tolist()


def check_statistics(dataset: Dataset, within: float) -> None:
    pixels = dataset.train.images.astype(np.float64) / 255
    np.testing.assert_allclose(dataset.mean, pixels.mean(axis=(0, 1, 2)), rtol=0, atol=within)
    np.testing.assert_allclose(dataset.std, pixels.std(axis=(0, 1, 2)), rtol=0, atol=within)


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST/raw"), ("fashion-mnist", "FashionMNIST/raw")])
def test_the_hash_is_that_of_the_official_files_own_bytes(name: str, folder: str, tmp_path: Path) -> None:
    root = data_dir(folder)
    digest = hashlib.sha256()
    (tmp_path / folder).mkdir(parents=True)
    for file in MNIST_FILES:
        packed = root / folder / f"{file}.gz"
        raw = gzip.decompress(packed.read_bytes())
        digest.update(raw[16:] if "images" in file else np.frombuffer(raw[8:], np.uint8).astype("<u4").tobytes())
        shutil.copy(packed, tmp_path / folder)
    assert load(name, root).sha256() == digest.hexdigest()
    assert load(name, tmp_path).sha256() == digest.hexdigest()  # from the .gz files alone


def test_mnist_as_published() -> None:
    dataset = load("mnist", data_dir("MNIST/raw"))
    assert counts(dataset.train) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert counts(dataset.test) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert dataset.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    row = dataset.train.images[0, 5, 12:24, 0].tolist()
    assert row == [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]
    check_statistics(dataset, 5e-5)


def test_fashion_mnist_as_published() -> None:
    dataset = load("fashion-mnist", data_dir("FashionMNIST/raw"))
    assert counts(dataset.train) == [6000] * 10
    assert counts(dataset.test) == [1000] * 10
    names = [dataset.class_names[label] for label in dataset.train.labels[:3]]
    assert names == ["Ankle boot", "T-shirt/top", "T-shirt/top"]
    check_statistics(dataset, 5e-5)


def test_cifar10_binary_as_published() -> None:
    dataset = load("cifar10", data_dir("cifar-10-batches-bin"))
    assert [dataset.class_names[label] for label in dataset.train.labels[:4]] == ["frog", "truck", "truck", "deer"]
    assert dataset.test.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    assert dataset.train.images[0, 0, 0].tolist() == [59, 62, 63]
    assert dataset.train.images[0, 31, 31].tolist() == [123, 92, 72]
    assert len(set(counts(dataset.train))) == len(set(counts(dataset.test))) == 1
    check_statistics(dataset, 0.005)  # the files may hold a part of the set


def test_cifar10_labels_are_those_of_the_subsets_own_list() -> None:
    root = data_dir("cifar-10-batches-bin")
    table = root / "cifar-10-batches-bin" / "SUBSET.csv"
    if not table.is_file():
        pytest.skip(f"{table} is not there: the set is not the subset")
    dataset = load("cifar10", root)
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for part, is_test in ((dataset.train, False), (dataset.test, True)):
        listed = [int(row["label"]) for row in rows if (row["file"] == "test_batch.bin") == is_test]
        assert part.labels.tolist() == listed


def test_cifar10_python_as_published() -> None:
    dataset = load("cifar10", data_dir("cifar-10-batches-py"))
    assert counts(dataset.train) == [5000] * 10
    assert counts(dataset.test) == [1000] * 10
    assert dataset.train.images[0, 0, 0].tolist() == [59, 62, 63]
    check_statistics(dataset, 6e-4)


def test_cifar100_python_as_published() -> None:
    dataset = load("cifar100", data_dir("cifar-100-python"))
    assert counts(dataset.train) == [500] * 100
    assert counts(dataset.test) == [100] * 100
    check_statistics(dataset, 6e-4)
