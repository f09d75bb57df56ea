"""Part and Dataset: what they refuse, the shape they give, the hash over raw bytes."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from py_backend.datasets.contract import Dataset, Part


def part(count: int = 2, shape: tuple[int, int, int] = (4, 5, 3), start: int = 0) -> Part:
    size = count * shape[0] * shape[1] * shape[2]
    images = (np.arange(start, start + size) % 256).astype(np.uint8).reshape(count, *shape)
    return Part(images, (np.arange(count) % 2).astype(np.uint32))


def dataset(train: Part, test: Part) -> Dataset:
    channels = train.images.shape[3]
    return Dataset("tiny", ("no", "yes"), (0.5,) * channels, (0.25,) * channels, train, test)


IMAGES = np.zeros((2, 4, 5, 3), np.uint8)
LABELS = np.zeros(2, np.uint32)


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (IMAGES.astype(np.float64), LABELS, "images are float64, not uint8 or float32"),
        (IMAGES[:, :, :, 0], LABELS, "3 dimensions"),
        (IMAGES[:0], LABELS[:0], "hold nothing"),
        (np.zeros((2, 3, 4, 5), np.uint8).transpose(0, 2, 3, 1), LABELS, "not C-contiguous"),
        (IMAGES, LABELS.astype(np.int64), "labels are int64, not uint32"),
        (IMAGES, LABELS[:1], r"labels of shape \(1,\) for 2 images"),
        (IMAGES, LABELS.reshape(2, 1), r"labels of shape \(2, 1\) for 2 images"),
    ],
)
def test_a_part_refuses_what_breaks_the_contract(images: np.ndarray, labels: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Part(images, labels)


def test_a_dataset_refuses_parts_of_different_image_shapes() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        dataset(part(), part(shape=(5, 4, 3)))


@pytest.mark.parametrize("field", ["mean", "std"])
def test_a_dataset_refuses_statistics_for_other_channels(field: str) -> None:
    with pytest.raises(ValueError, match="3 channels"):
        replace(dataset(part(), part()), **{field: (0.5,)})


@pytest.mark.parametrize("field", ["train", "test"])
def test_a_dataset_refuses_a_label_without_a_name(field: str) -> None:
    high = Part(IMAGES, np.array([0, 2], np.uint32))
    with pytest.raises(ValueError, match="label 2 with 2 class names"):
        replace(dataset(part(), part()), **{field: high})


def test_a_dataset_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        dataset(part(), part()).name = "other"  # type: ignore[misc]


def test_input_shape_is_channels_height_width() -> None:
    assert dataset(part(), part()).input_shape == (3, 4, 5)


def test_sha256_is_over_the_raw_bytes_of_images_and_little_endian_labels_in_order() -> None:
    train = Part(np.full((1, 1, 2, 1), 7, np.uint8), np.array([1], np.uint32))
    test = Part(np.array([[[[1], [2]]], [[[3], [4]]]], np.uint8), np.array([0, 1], np.uint32))
    written = bytes([7, 7]) + bytes([1, 0, 0, 0]) + bytes([1, 2, 3, 4]) + bytes([0, 0, 0, 0, 1, 0, 0, 0])
    assert dataset(train, test).sha256() == hashlib.sha256(written).hexdigest()


def test_sha256_changes_with_any_part_and_not_with_the_name() -> None:
    base = dataset(part(), part(start=9))
    images, labels = base.train.images.copy(), base.train.labels.copy()
    images[-1, -1, -1, -1] += 1
    labels[-1] = 0
    others = [
        replace(base, train=Part(images, base.train.labels)),
        replace(base, train=Part(base.train.images, labels)),
        replace(base, test=Part(base.test.images, labels)),
        replace(base, train=base.test, test=base.train),
    ]
    assert len({base.sha256(), *(other.sha256() for other in others)}) == 5
    assert replace(base, name="other").sha256() == base.sha256()
