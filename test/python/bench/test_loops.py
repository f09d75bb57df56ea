"""The loops that ours is held against train what ours trains, on every sample once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from py_backend import models
from py_bench.bare import bare, shifted_and_flipped
from py_bench.nets import NETS
from py_bench.pictures import CLASSES, Pictures, made_up, take
from py_bench.task import CROP, Epoch, Task
from py_bench.textbook import random_crop, random_horizontal_flip, textbook

IMAGE = {"mnist-cnn": (28, 28, 1), "fashion-mnist-cnn": (28, 28, 1), "resnet18": (32, 32, 3)}


@pytest.fixture
def task() -> Task:
    return Task(
        model="mnist-cnn",
        pictures=take(None, None, 96, (28, 28, 1)),
        batch_size=32,
        learning_rate=0.05,
        momentum=0.9,
        weight_decay=5e-4,
        precision="float32",
        memory_format=torch.channels_last,
        augments=False,
        workers=0,
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("name", NETS)
def test_a_net_is_the_catalogues_model_of_that_name(name: str) -> None:
    definition = models.find(name)
    height, width, channels = IMAGE[name]
    ours = definition.build((channels, height, width), CLASSES, definition.options())
    theirs = NETS[name]()
    assert [tuple(p.shape) for p in theirs.parameters()] == [tuple(p.shape) for p in ours.parameters()]
    with torch.no_grad():
        for theirs_one, ours_one in zip(theirs.parameters(), ours.parameters(), strict=True):
            theirs_one.copy_(ours_one)
    images = torch.randn(2, channels, height, width)
    torch.testing.assert_close(theirs.eval()(images), ours.eval()(images))


class Seen(nn.Module):
    """Keeps the images that it gets; the logits that it gives are linear in them."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[Tensor] = []
        self.linear = nn.Linear(28 * 28, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.images.append(images.detach())
        logits: Tensor = self.linear(images.flatten(1))
        return logits


def samples_of(images: list[Tensor], pictures: Pictures) -> list[int]:
    """Which samples these images are of."""
    pixels = torch.from_numpy(pictures.images).permute(0, 3, 1, 2).float() / 255
    normalised = (pixels - pictures.mean[0]) / pictures.std[0]
    distances = torch.cdist(torch.cat(images).flatten(1), normalised.flatten(1))
    assert float(distances.min(1).values.max()) < 0.1  # of some 38 between different ones
    return [int(sample) for sample in distances.argmin(1)]


@pytest.mark.parametrize("loop", [bare, textbook])
def test_an_epoch_trains_on_every_sample_once_in_a_new_sequence(
    loop: Callable[[Task], Epoch], task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen()
    monkeypatch.setitem(NETS, "mnist-cnn", lambda: seen)
    epoch = loop(task)
    sequences = []
    for _ in range(2):
        seen.images.clear()
        epoch()
        assert [len(images) for images in seen.images] == [32, 32, 32]
        sequences.append(samples_of(seen.images, task.pictures))
    assert [sorted(sequence) for sequence in sequences] == [list(range(96))] * 2
    assert sequences[0] != sequences[1]


@pytest.mark.parametrize("loop", [bare, textbook])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_loops_learn(loop: Callable[[Task], Epoch], precision: str, task: Task) -> None:
    torch.manual_seed(0)
    epoch = loop(replace(task, precision=precision))
    losses = [epoch() for _ in range(8)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_loader_with_processes_gives_the_same_images(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(workers: int) -> Tensor:
        seen = Seen()
        monkeypatch.setitem(NETS, "mnist-cnn", lambda: seen)
        torch.manual_seed(7)
        textbook(replace(task, workers=workers))()
        return torch.cat(seen.images)

    torch.testing.assert_close(trained(1), trained(0), rtol=0, atol=0)


def test_pictures_that_are_made_up_are_the_same_each_time_and_of_all_classes() -> None:
    (images, labels), (test_images, test_labels) = made_up(50, 4, 5, 3)
    (again, _), _ = made_up(50, 4, 5, 3)
    assert (images.shape, images.dtype) == ((50, 4, 5, 3), np.uint8)
    np.testing.assert_array_equal(images, again)
    assert np.bincount(labels).tolist() == [5] * CLASSES
    assert set(test_labels.tolist()) == set(range(CLASSES))
    assert len(test_images) == len(test_labels)


def test_pixels_are_normalised_by_their_own_mean_and_deviation() -> None:
    pictures = take(None, None, 40, (4, 5, 3))
    assert isinstance(pictures, Pictures)
    pixels = pictures.images.reshape(-1, 3) / 255
    np.testing.assert_allclose(pictures.mean, pixels.mean(0))
    np.testing.assert_allclose(pictures.std, pixels.std(0))


def places_of(image: Tensor, within: Tensor) -> list[tuple[int, int, bool]]:
    """Where this image [C, H, W] was cut out of the padded one, and whether it was flipped."""
    height, width = image.shape[1:]
    return [
        (top, left, flipped)
        for top in range(2 * CROP + 1)
        for left in range(2 * CROP + 1)
        for flipped, seen in ((False, image), (True, image.flip(2)))
        if torch.equal(seen, within[:, top : top + height, left : left + width])
    ]


def test_augmented_images_are_cut_out_of_padded_ones_at_all_places_flipped_or_not() -> None:
    torch.manual_seed(0)
    images = torch.rand(4, 3, 6, 5)
    padded = F.pad(images, (CROP, CROP, CROP, CROP))
    bare_places, textbook_places = set(), set()
    for _ in range(200):
        batch = shifted_and_flipped(padded)
        found = [places_of(image, within) for image, within in zip(batch, padded, strict=True)]
        assert all(len(places) == 1 for places in found)
        assert len({place[:2] for (place,) in found}) == 1  # one shift a batch
        bare_places.update(place for (place,) in found)
        cut = random_horizontal_flip(random_crop(images[0]))
        textbook_places.update(places_of(cut, padded[0]))
    for places in (bare_places, textbook_places):
        assert {place[0] for place in places} == {place[1] for place in places} == set(range(2 * CROP + 1))
        assert {place[2] for place in places} == {False, True}


@pytest.mark.parametrize("loop", [bare, textbook])
def test_loops_learn_from_augmented_images(loop: Callable[[Task], Epoch], task: Task) -> None:
    torch.manual_seed(0)
    epoch = loop(replace(task, augments=True))
    losses = [epoch() for _ in range(12)]
    assert losses[-1] < losses[0]
