"""The datasets that a config can name: one file each, one line each in the table below."""

from __future__ import annotations

from py_backend.datasets import cifar10, cifar100, digits, fashion_mnist, mnist
from py_backend.datasets.contract import DatasetDefinition
from py_backend.errors import BackendError

DATASETS: dict[str, DatasetDefinition] = {
    "digits": digits.DATASET,
    "mnist": mnist.DATASET,
    "fashion-mnist": fashion_mnist.DATASET,
    "cifar10": cifar10.DATASET,
    "cifar100": cifar100.DATASET,
}


def find(name: str) -> DatasetDefinition:
    """The definition of the dataset of that name."""
    try:
        return DATASETS[name]
    except KeyError:
        known = list(DATASETS)
        message = f"unknown dataset {name!r}; choose one of {', '.join(known)}"
        raise BackendError("unknown_name", message, name=name, known=known) from None
