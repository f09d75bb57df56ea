"""CIFAR-10: 50,000 + 10,000 colour photographs, 32 x 32, 10 classes (A. Krizhevsky, 2009).

The binary version may be a part of the set: each file has as many records as its size says, and the sizes and hashes
that the backend reports are of what was read. The python version is the whole set or nothing.
"""

from __future__ import annotations

from pathlib import Path

from ..choice import NoOptions
from . import cifar
from .contract import Dataset, DatasetDefinition

NAME = "cifar10"
WHERE_TO_GET = "https://www.cs.toronto.edu/~kriz/cifar.html (cifar-10-python.tar.gz or cifar-10-binary.tar.gz)"
CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)
LAYOUT = cifar.CifarLayout(
    name=NAME,
    where_to_get=WHERE_TO_GET,
    class_counts=(10,),
    python_folder="cifar-10-batches-py",
    python_train={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    python_test={"test_batch": "40351d587109b95175f43aff81a1287e"},
    python_labels=b"labels",
    binary_folder="cifar-10-batches-bin",
    binary_train=("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"),
    binary_test=("test_batch.bin",),
)


def load(data_dir: Path, options: NoOptions) -> Dataset:
    """CIFAR-10 out of its python version, or else its binary one."""
    train, test = cifar.load_parts(data_dir, LAYOUT)
    return Dataset(NAME, CLASS_NAMES, MEAN, STD, train, test)


DATASET = DatasetDefinition(
    name=NAME,
    summary="50,000 + 10,000 colour photographs, 32 x 32, 10 classes",
    when_to_choose="the field's usual measure; wants a convolutional network and, for full runs, a GPU",
    where_to_get=WHERE_TO_GET,
    options=NoOptions,
    load=load,
)
