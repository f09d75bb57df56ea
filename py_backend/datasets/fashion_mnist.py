"""Fashion-MNIST: 60,000 + 10,000 pictures of clothes in MNIST's format (H. Xiao, K. Rasul, R. Vollgraf, 2017)."""

from __future__ import annotations

from pathlib import Path

from ..choice import NoOptions
from . import idx
from .contract import Dataset, DatasetDefinition

NAME = "fashion-mnist"
FOLDERS = ("FashionMNIST/raw", "FashionMNIST", "fashion-mnist")
WHERE_TO_GET = "https://github.com/zalandoresearch/fashion-mnist (folder data/fashion)"
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
MEAN = (0.2860,)
STD = (0.3530,)


def load(data_dir: Path, options: NoOptions) -> Dataset:
    """Fashion-MNIST out of its four IDX files, plain or gzipped."""
    train, test = idx.load_parts(NAME, data_dir, FOLDERS, WHERE_TO_GET)
    return Dataset(NAME, CLASS_NAMES, MEAN, STD, train, test)


DATASET = DatasetDefinition(
    name=NAME,
    summary="60,000 + 10,000 pictures of clothes, 28 x 28, grey, 10 classes",
    when_to_choose="as cheap as MNIST and harder, so that arms differ: the usual choice on a CPU",
    where_to_get=WHERE_TO_GET,
    options=NoOptions,
    load=load,
)
