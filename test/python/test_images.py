"""Pixels of samples against the dataset's own arrays, and what is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from py_backend import images
from py_backend.codec import MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, Packet, encode
from py_backend.errors import BackendError
from py_backend.images import check_answer_fits, gather_images
from py_backend.messages import Augmentation, Images, ImagesOk, Named, Part
from py_backend.progress import Progress
from py_backend.resident import reside

CPU = torch.device("cpu")


def ask(run: Any, part: Part, indices: Any) -> Packet:
    packet: Packet = run.ask(Packet(8, Images(session=run.session, part=part), {"indices": np.array(indices, "<u4")}))
    return packet


def refusal(act: Callable[[], Any]) -> BackendError:
    with pytest.raises(BackendError) as refused:
        act()
    return refused.value


@pytest.mark.parametrize("name", ["grey", "colour"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_the_pixels_are_those_of_the_dataset_in_the_order_asked_for(
    open_run: Callable[..., Any], tiny: SimpleNamespace, name: str, part: Part
) -> None:
    dataset = getattr(tiny, name)
    run = open_run(
        dataset=Named(name=dataset.name, options={}),
        model=Named(name="resnet18", options={}),
        augmentation=Augmentation(crop=4, flip=True),
    )
    indices = [19, 0, 7, 7, 3, 19]
    answer = ask(run, part, indices)
    stored = getattr(dataset, part).images
    seen = answer.arrays["images"]
    assert (seen.dtype, seen.shape) == (np.uint8, (6, *stored.shape[1:]))
    for pixels, index in zip(seen, indices, strict=True):
        assert pixels.tobytes() == stored[index].tobytes()
    assert list(answer.arrays) == ["images"]
    expected = hashlib.sha256(np.array(indices, "<u4").tobytes()).hexdigest()
    assert answer.body == ImagesOk(session=run.session, indices_sha256=expected)


def test_no_index_is_no_image(open_run: Callable[..., Any]) -> None:
    answer = ask(open_run(), "train", [])
    assert answer.arrays["images"].shape == (0, 12, 12, 1)
    assert answer.body.indices_sha256 == hashlib.sha256(b"").hexdigest()


def test_nothing_changes_in_the_session(open_run: Callable[..., Any], batches: list[list[int]]) -> None:
    noisy = {"model": Named(name="mnist-cnn", options={}), "augmentation": Augmentation(crop=2, flip=True)}
    undisturbed, run = open_run(**noisy), open_run(**noisy)
    expected = undisturbed.losses(batches)
    first = run.losses(batches[:4])
    before, generator = run.state(), torch.get_rng_state()
    ask(run, "train", range(64))
    ask(run, "test", [3])
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.state().items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert run.model.training
    assert np.array_equal(np.concatenate([first, run.losses(batches[4:])]), expected)


def test_the_pixels_sent_are_a_copy(open_run: Callable[..., Any], tiny: SimpleNamespace) -> None:
    before = tiny.grey.sha256()
    ask(open_run(), "train", [1]).arrays["images"].fill(0)
    assert tiny.grey.sha256() == before


@pytest.mark.parametrize(("part", "count"), [("train", 64), ("test", 20)])
@pytest.mark.parametrize("beyond", [0, 2**32 - 1])
def test_an_index_outside_of_the_part_is_refused(
    open_run: Callable[..., Any], part: Part, count: int, beyond: int
) -> None:
    run = open_run()
    index = max(count, beyond)
    refused = refusal(lambda: ask(run, part, [0, index, 1]))
    assert (refused.code, refused.details) == ("bad_index", {"n": count})
    assert f"index {index} is outside of 0 … {count - 1}" in refused.message
    assert len(ask(run, part, [count - 1]).arrays["images"]) == 1  # the last one is there, and the session lives


def test_more_images_than_a_message_carries_are_refused_before_memory_is_taken(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run()
    fit = (2**30 - 2**18) // 144

    def fail(*_: Any) -> None:
        raise AssertionError("memory was taken")

    with monkeypatch.context() as watched:
        watched.setattr(images, "upload", fail)
        refused = refusal(lambda: ask(run, "train", np.zeros(fit + 1)))
    assert refused.code == "too_large"
    assert refused.details == {"bytes": (fit + 1) * 144, "limit": 2**30 - 2**18, "images_that_fit": fit}
    for number in (fit + 1, (fit + 1) * 144, 2**30 - 2**18, fit):
        assert str(number) in refused.message
    assert len(ask(run, "train", [0]).arrays["images"]) == 1


def test_as_many_images_as_fit_are_sent(tiny: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXEL_BYTES", 5 * 144 + 143)
    data = reside(tiny.grey, CPU).train
    seen = gather_images(data, np.zeros(5, np.uint32), Progress()).arrays()
    assert seen["images"].shape == (5, 12, 12, 1)
    assert refusal(lambda: gather_images(data, np.zeros(6, np.uint32), Progress())).details["images_that_fit"] == 5


def test_the_largest_answer_is_within_the_limit_of_a_message() -> None:
    """Of CIFAR's images, under the longest header; zeros take no memory until they are read."""
    fit = (MAX_MESSAGE_BYTES - MAX_HEADER_BYTES) // 3072
    check_answer_fits(fit, 3072)
    assert refusal(lambda: check_answer_fits(fit + 1, 3072)).code == "too_large"
    body = ImagesOk(session="x" * 4096, indices_sha256="0" * 64)
    header, pixels = encode(Packet(2**32 - 1, body, {"images": np.zeros((fit, 32, 32, 3), np.uint8)}))
    assert len(header) <= MAX_HEADER_BYTES
    assert len(header) + len(pixels) <= MAX_MESSAGE_BYTES


def test_a_cancel_is_obeyed_before_anything_is_gathered(open_run: Callable[..., Any]) -> None:
    run = open_run()
    run.progress.cancelled.set()
    assert refusal(lambda: ask(run, "train", [0, 1])).code == "cancelled"
    run.progress.cancelled.clear()
    assert len(ask(run, "train", [0, 1]).arrays["images"]) == 2


@pytest.mark.parametrize("error", [MemoryError("no room"), torch.OutOfMemoryError("CUDA out of memory")])
def test_no_memory_for_the_pixels_is_out_of_memory_and_the_session_lives(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    run = open_run()

    def fail(*_: Any) -> None:
        raise error

    with monkeypatch.context() as full:
        full.setattr(images, "upload", fail)
        assert refusal(lambda: ask(run, "train", [0])).code == "out_of_memory"
    assert len(ask(run, "train", [0]).arrays["images"]) == 1


def test_an_error_that_is_not_about_memory_is_not_said_to_be(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run()

    def fail(*_: Any) -> None:
        raise RuntimeError("the device fell off")

    monkeypatch.setattr(images, "upload", fail)
    with pytest.raises(RuntimeError, match="fell off"):
        ask(run, "train", [0])


def test_a_closed_session_has_no_images(open_run: Callable[..., Any]) -> None:
    run = open_run()
    run.close()
    assert refusal(lambda: ask(run, "train", [0])).code == "unknown_session"
