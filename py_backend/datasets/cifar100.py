"""CIFAR-100: 50,000 + 10,000 colour photographs, 32 x 32, 100 fine classes (A. Krizhevsky, 2009).

The label is the fine one; the 20 coarse classes are not used. The binary version may be a part of the set, the python
version is the whole set or nothing.
"""

from __future__ import annotations

from pathlib import Path

from ..choice import NoOptions
from . import cifar
from .contract import Dataset, DatasetDefinition

NAME = "cifar100"
WHERE_TO_GET = "https://www.cs.toronto.edu/~kriz/cifar.html (cifar-100-python.tar.gz or cifar-100-binary.tar.gz)"
# fmt: off
CLASS_NAMES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle",
    "bicycle", "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel",
    "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud",
    "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant",
    "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree",
    "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter",
    "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine",
    "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea",
    "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television",
    "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale",
    "willow_tree", "wolf", "woman", "worm",
)
# fmt: on
MEAN = (0.5071, 0.4865, 0.4409)
STD = (0.2673, 0.2564, 0.2762)
LAYOUT = cifar.CifarLayout(
    name=NAME,
    where_to_get=WHERE_TO_GET,
    class_counts=(20, 100),
    python_folder="cifar-100-python",
    python_train={"train": "16019d7e3df5f24257cddd939b257f8d"},
    python_test={"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    python_labels=b"fine_labels",
    binary_folder="cifar-100-binary",
    binary_train=("train.bin",),
    binary_test=("test.bin",),
    train_per_test=5,
)


def load(data_dir: Path, options: NoOptions) -> Dataset:
    """CIFAR-100 out of its python version, or else its binary one."""
    train, test = cifar.load_parts(data_dir, LAYOUT)
    return Dataset(NAME, CLASS_NAMES, MEAN, STD, train, test)


DATASET = DatasetDefinition(
    name=NAME,
    summary="50,000 + 10,000 colour photographs, 32 x 32, 100 classes",
    when_to_choose="many classes with few images each, where the make-up of a batch matters most; wants a GPU",
    where_to_get=WHERE_TO_GET,
    options=NoOptions,
    load=load,
)
