"""MNIST: 60,000 + 10,000 handwritten digits, 28 x 28, one channel (Y. LeCun, C. Cortes, C. Burges, 1998)."""

from __future__ import annotations

from pathlib import Path

from ..choice import NoOptions
from . import idx
from .contract import Dataset, DatasetDefinition

NAME = "mnist"
FOLDERS = ("MNIST/raw", "MNIST", "mnist")
WHERE_TO_GET = "https://ossci-datasets.s3.amazonaws.com/mnist/ (what torchvision.datasets.MNIST downloads)"
CLASS_NAMES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
MEAN = (0.1307,)
STD = (0.3081,)


def load(data_dir: Path, options: NoOptions) -> Dataset:
    """MNIST out of its four IDX files, plain or gzipped."""
    train, test = idx.load_parts(NAME, data_dir, FOLDERS, WHERE_TO_GET)
    return Dataset(NAME, CLASS_NAMES, MEAN, STD, train, test)


DATASET = DatasetDefinition(
    name=NAME,
    summary="60,000 + 10,000 handwritten digits, 28 x 28, grey, 10 classes",
    when_to_choose="a first experiment on real data: minutes on a CPU, but nearly every setting reaches 99 %",
    where_to_get=WHERE_TO_GET,
    options=NoOptions,
    load=load,
)
