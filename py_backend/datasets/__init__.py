"""The datasets that a config can name: one file each, one line each in the table below."""

from __future__ import annotations

from ..choice import find_in
from . import cifar10, cifar100, digits, fashion_mnist, mnist
from .contract import DatasetDefinition

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
