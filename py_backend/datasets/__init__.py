"""The datasets that a config can name: one file each, one line each in the table below."""

from __future__ import annotations

from py_backend.choice import find_in
from py_backend.datasets import cifar10, cifar100, digits, fashion_mnist, mnist
from py_backend.datasets.contract import DatasetDefinition

DATASETS: dict[str, DatasetDefinition] = {
    "digits": digits.DATASET,
    "mnist": mnist.DATASET,
    "fashion-mnist": fashion_mnist.DATASET,
    "cifar10": cifar10.DATASET,
    "cifar100": cifar100.DATASET,
}


def find(name: str) -> DatasetDefinition:
    """The dataset of this name. Raises BackendError (unknown_name)."""
    return find_in(DATASETS, "dataset", name)
