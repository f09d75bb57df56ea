"""Normalisation and augmentation against their definitions, a pixel at a time."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from py_backend.datasets.contract import Dataset, Part
from py_backend.noise import derive, signed, words
from py_backend.resident import Augmentation, DataPart, crop_and_flip, reside

CPU = torch.device("cpu")
SIDE = 6


def word(high: int) -> int:
    """A random word with this high half."""
    return signed(high << 32 | 0x12345678)


def choice(value: int, bound: int) -> int:
    """A word from which `bounded` makes this value."""
    return word(-(-(value << 32) // bound))


def plain_crop_and_flip(pixels: np.ndarray, top: int, left: int, crop: int, flip: bool) -> np.ndarray:
    """One image, [H, W, C]: pad with black, cut at (top, left), mirror."""
    height, width, channels = pixels.shape
    result = np.zeros_like(pixels)
    for row in range(height):
        for column in range(width):
            for channel in range(channels):
                from_row, from_column = row + top - crop, column + left - crop
                inside = 0 <= from_row < height and 0 <= from_column < width
                target = width - 1 - column if flip else column
                result[row, target, channel] = pixels[from_row, from_column, channel] if inside else 0
    return result


def augmented(part: DataPart, rows: torch.Tensor, augmentation: Augmentation, random: torch.Tensor) -> torch.Tensor:
    """As a training step makes them."""
    return part.normalised(crop_and_flip(part.pixels.gather(rows), augmentation, random))


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(1, 256, (18, SIDE, SIDE, 2), np.uint8))


@pytest.mark.parametrize("flip", [False, True])
def test_every_crop_and_flip_against_a_plain_reference(pixels: torch.Tensor, flip: bool) -> None:
    crop = 1
    cases = [(top, left, flipped) for top in range(3) for left in range(3) for flipped in (0, 1)]
    random = torch.tensor([[choice(top, 3), choice(left, 3), choice(flipped, 2)] for top, left, flipped in cases])
    seen = crop_and_flip(pixels, Augmentation(crop, flip), random)
    for image, result, (top, left, flipped) in zip(pixels.numpy(), seen.numpy(), cases, strict=True):
        expected = plain_crop_and_flip(image, top, left, crop, flip and bool(flipped))
        assert np.array_equal(result, expected)


def test_a_crop_as_wide_as_the_image_may_be_all_black(pixels: torch.Tensor) -> None:
    random = torch.tensor([[choice(0, 13), choice(6, 13), word(0)]] * 18)
    assert not crop_and_flip(pixels, Augmentation(6, False), random).any()


def test_no_crop_only_flips(pixels: torch.Tensor) -> None:
    random = torch.tensor([[word(0), word(0), choice(1, 2)]] * 18)
    assert torch.equal(crop_and_flip(pixels, Augmentation(0, True), random), pixels.flip(2))


def marked(row: int, column: int) -> torch.Tensor:
    """20,000 times one white pixel on black, 7 × 7: where it ends up says how the image was cut."""
    image = torch.zeros(1, 7, 7, 1, dtype=torch.uint8)
    image[0, row, column, 0] = 255
    return image.expand(20_000, -1, -1, -1)


def draws() -> torch.Tensor:
    return words(torch.tensor(signed(derive(1))), torch.arange(20_000), 3)


def test_crops_are_uniform_over_all_offsets() -> None:
    seen = crop_and_flip(marked(3, 3), Augmentation(2, False), draws())[..., 0].numpy()
    _, rows, columns = np.nonzero(seen)
    counts = np.zeros((5, 5))
    np.add.at(counts, (rows - 1, columns - 1), 1)
    assert ((counts - 800) ** 2 / 800).sum() < 64  # 24 degrees of freedom, 1 in 10^5


def test_half_of_the_images_are_flipped() -> None:
    seen = crop_and_flip(marked(3, 0), Augmentation(0, True), draws())[:, 3, :, 0]
    flipped, straight = int((seen[:, 6] == 255).sum()), int((seen[:, 0] == 255).sum())
    assert flipped + straight == 20_000
    assert abs(flipped - 10_000) < 5 * 5000**0.5


@pytest.mark.parametrize("name", ["grey", "colour"])
def test_normalisation_is_that_of_float64(tiny: SimpleNamespace, name: str) -> None:
    dataset: Dataset = getattr(tiny, name)
    resident = reside(dataset, CPU)
    seen = resident.train.batch(torch.arange(resident.train.size))
    expected = (dataset.train.images / 255.0 - np.array(dataset.mean)) / np.array(dataset.std)
    assert seen.dtype == torch.float32
    np.testing.assert_allclose(seen.numpy(), expected.transpose(0, 3, 1, 2), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ((0.1307,), (0.3081,)),
        ((0.2860,), (0.3530,)),
        ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
        ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    ],
)
def test_normalisation_of_every_pixel_value_with_the_usual_constants(
    mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(len(mean), 3)
    part = Part(values, np.zeros(1, np.uint32))
    resident = reside(Dataset("all", ("a",), mean, std, part, part), CPU)
    expected = (values / 255.0 - np.array(mean)) / np.array(std)
    seen = resident.test.batch(torch.tensor([0])).permute(0, 2, 3, 1)
    np.testing.assert_allclose(seen.numpy(), expected, rtol=0, atol=1e-6)


def test_padding_is_black_before_normalisation(tiny: SimpleNamespace) -> None:
    part = reside(tiny.grey, CPU).train
    everything_outside = torch.tensor([[choice(0, 25), choice(0, 25), word(0)]])
    seen = augmented(part, torch.tensor([0]), Augmentation(12, False), everything_outside)
    black = (0 / 255 - tiny.grey.mean[0]) / tiny.grey.std[0]
    assert torch.allclose(seen, torch.full_like(seen, black), rtol=0, atol=1e-6)


def test_batches_are_channels_last_with_and_without_augmentation(tiny: SimpleNamespace) -> None:
    part: DataPart = reside(tiny.colour, CPU).train
    rows = torch.tensor([3, 3, 0])
    random = words(torch.tensor(1), torch.arange(3), 3)
    for batch in (part.batch(rows), augmented(part, rows, Augmentation(2, True), random)):
        assert batch.shape == (3, 3, 12, 12)
        assert batch.is_contiguous(memory_format=torch.channels_last)


def test_the_images_are_kept_on_the_device_alone(tiny: SimpleNamespace) -> None:
    parts = [Part(part.images.copy(), part.labels) for part in (tiny.colour.train, tiny.colour.test)]
    dataset = replace(tiny.colour, train=parts[0], test=parts[1])
    del parts
    labels, sha256 = dataset.train.labels.tolist(), dataset.sha256()
    images = [weakref.ref(part.images) for part in (dataset.train, dataset.test)]
    resident = reside(dataset, torch.device("meta"))  # as on CUDA: another memory than the host's
    del dataset
    gc.collect()
    assert [kept() for kept in images] == [None, None]
    assert (resident.labels.tolist(), resident.sha256) == (labels, sha256)
    assert (resident.class_names, resident.input_shape, len(resident.test_labels)) == (("a", "b", "c"), (3, 12, 12), 20)


def test_the_dataset_itself_is_not_changed(tiny: SimpleNamespace) -> None:
    before = tiny.grey.sha256()
    part = reside(tiny.grey, CPU).train
    part.batch(torch.arange(4))
    augmented(part, torch.arange(4), Augmentation(2, True), words(torch.tensor(1), torch.arange(4), 3))
    assert tiny.grey.sha256() == before
