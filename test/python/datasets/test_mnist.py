"""MNIST and Fashion-MNIST as datasets: each of their folders is found, and what surrounds the pixels is right."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from py_backend.datasets import fashion_mnist, mnist
from py_backend.datasets.contract import Dataset, DatasetDefinition
from py_backend.errors import BackendError

FOLDERS = [
    (mnist.DATASET, "MNIST/raw"),
    (mnist.DATASET, "MNIST"),
    (mnist.DATASET, "mnist"),
    (fashion_mnist.DATASET, "FashionMNIST/raw"),
    (fashion_mnist.DATASET, "FashionMNIST"),
    (fashion_mnist.DATASET, "fashion-mnist"),
]


def load_tiny(definition: DatasetDefinition, data_dir: Path, folder: str) -> Dataset:
    """The set out of files with one image a class for training and one image for testing."""
    (data_dir / folder).mkdir(parents=True)
    for part, labels in (("train", bytes(range(10))), ("t10k", bytes([3]))):
        pixels = b"".join(bytes([20 * label]) * 784 for label in labels)
        images = struct.pack(">4I", 0x803, len(labels), 28, 28) + pixels
        (data_dir / folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        (data_dir / folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, len(labels)) + labels)
    return definition.load(data_dir, definition.options())


@pytest.mark.parametrize(("definition", "folder"), FOLDERS)
def test_every_folder_is_found(definition: DatasetDefinition, folder: str, tmp_path: Path) -> None:
    dataset = load_tiny(definition, tmp_path, folder)
    assert dataset.name == definition.name
    assert dataset.input_shape == (1, 28, 28)
    assert dataset.train.images[:, 27, 27, 0].tolist() == list(range(0, 200, 20))
    assert dataset.train.labels.tolist() == list(range(10))
    assert dataset.test.labels.tolist() == [3]


@pytest.mark.parametrize(("definition", "folder"), [FOLDERS[0], FOLDERS[3]])
def test_the_hash_is_the_same_after_loading_again(definition: DatasetDefinition, folder: str, tmp_path: Path) -> None:
    first = load_tiny(definition, tmp_path, folder).sha256()
    assert definition.load(tmp_path, definition.options()).sha256() == first
    changed = tmp_path / folder / "t10k-labels-idx1-ubyte"
    changed.write_bytes(changed.read_bytes()[:-1] + bytes([4]))
    assert definition.load(tmp_path, definition.options()).sha256() != first


def test_one_set_is_not_taken_for_the_other(tmp_path: Path) -> None:
    load_tiny(mnist.DATASET, tmp_path, "MNIST/raw")
    with pytest.raises(BackendError, match="fashion-mnist: no train-images-idx3-ubyte"):
        fashion_mnist.DATASET.load(tmp_path, fashion_mnist.DATASET.options())
