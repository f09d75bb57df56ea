"""Looking changes nothing, and sees what plain PyTorch in evaluation mode sees."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from py_backend.codec import Packet
from py_backend.datasets.contract import Part
from py_backend.errors import BackendError
from py_backend.messages import Augmentation, Named

RESNET = {"model": Named(name="resnet18", options={}), "dataset": Named(name="tiny3", options={})}
NOISY = {
    "model": Named(name="mnist-cnn", options={"conv_dropout": 0.3, "fc_dropout": 0.5}),
    "augmentation": Augmentation(crop=2, flip=True),
}
BOTH = pytest.mark.parametrize("changes", [NOISY, RESNET], ids=["dropout and augmentation", "batch norm"])
ALL = ["loss", "correct", "prediction"]


def normalised(part: Part, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    pixels = (part.images / 255.0 - np.array(mean)) / np.array(std)
    return torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2)


@BOTH
@pytest.mark.parametrize("part", ["score", "train", "test"])
def test_changes_no_parameter_no_buffer_and_no_step_after_it(
    open_run: Callable[..., Any], changes: dict[str, Any], part: str
) -> None:
    looked, not_looked = open_run(**changes), open_run(**changes)
    for run in (looked, not_looked):
        run.train([[0, 1, 2, 3]])
    before = looked.state()
    looked.look(part, [5, 1, 1], ALL, batch_size=2)
    assert all(torch.equal(before[key], tensor) for key, tensor in looked.state().items())
    # The training that follows has the same bits: evaluation mode is left again.
    assert np.array_equal(looked.losses([[4, 5, 6, 7]]), not_looked.losses([[4, 5, 6, 7]]))


@BOTH
@pytest.mark.parametrize("part", ["score", "train", "test"])
def test_sees_what_plain_pytorch_in_evaluation_mode_sees(
    open_run: Callable[..., Any], tiny: SimpleNamespace, changes: dict[str, Any], part: str
) -> None:
    run = open_run(**changes)
    run.train([[0, 1, 2, 3], [4, 5, 6, 7]], 0.001)
    dataset = tiny.colour if "dataset" in changes else tiny.grey
    whole = dataset.test if part == "test" else dataset.train
    indices = [3, 0, 19, 3]
    with torch.no_grad():
        logits = copy.deepcopy(run.model).eval()(normalised(whole, dataset.mean, dataset.std)[indices])
    labels = torch.from_numpy(whole.labels.astype(np.int64))[indices]
    answer = run.look(part, indices, ALL)
    np.testing.assert_allclose(
        answer.arrays["loss"], F.cross_entropy(logits, labels, reduction="none"), rtol=2e-4, atol=1e-5
    )
    assert answer.arrays["prediction"].tolist() == logits.argmax(1).tolist()
    assert answer.arrays["correct"].tolist() == (logits.argmax(1) == labels).int().tolist()


def test_has_no_noise(open_run: Callable[..., Any]) -> None:
    run = open_run(**NOISY)
    first = run.look("score", [0, 1, 2], ["loss"]).arrays["loss"]
    assert np.array_equal(first, run.look("train", [0, 1, 2], ["loss"]).arrays["loss"])
    assert np.array_equal(first[[2, 0]], run.look("score", [2, 0], ["loss"]).arrays["loss"])


@BOTH
def test_the_batch_size_is_of_no_consequence(open_run: Callable[..., Any], changes: dict[str, Any]) -> None:
    """Within rounding: another batch size may take another kernel."""
    run = open_run(**changes)
    run.train([[0, 1, 2, 3]])
    indices = list(range(17))
    whole = run.look("train", indices, ["loss"], batch_size=1000).arrays["loss"]
    for size in (1, 5, 16):
        cut = run.look("train", indices, ["loss"], batch_size=size).arrays["loss"]
        np.testing.assert_allclose(cut, whole, rtol=1e-4, atol=1e-6)


def test_nothing_asked_is_nothing_answered(open_run: Callable[..., Any]) -> None:
    answer: Packet = open_run().look("test", [], ALL)
    assert [array.shape for array in answer.arrays.values()] == [(0,)] * 3


@pytest.mark.parametrize(("part", "n"), [("score", 64), ("train", 64), ("test", 20)])
def test_an_index_outside_of_the_part_is_refused_and_the_session_lives(
    open_run: Callable[..., Any], part: str, n: int
) -> None:
    run = open_run()
    with pytest.raises(BackendError, match=rf"index {n} is outside of 0 … {n - 1}") as refused:
        run.look(part, [0, n], ["loss"])
    assert refused.value.code == "bad_index"
    assert run.look(part, [n - 1], ["loss"]).arrays["loss"].shape == (1,)


def test_a_cancel_is_an_error_and_leaves_the_session_whole(open_run: Callable[..., Any]) -> None:
    run = open_run()
    run.progress.cancelled.set()
    with pytest.raises(BackendError) as refused:
        run.look("score", [0, 1, 2], ["loss"], batch_size=1)
    assert refused.value.code == "cancelled"
    run.progress.cancelled.clear()
    assert run.losses([[0, 1]]).shape == (2,)


def test_bfloat16_looks_in_bfloat16(open_run: Callable[..., Any]) -> None:
    half = open_run(precision="bfloat16").look("train", list(range(20)), ["loss"]).arrays["loss"]
    full = open_run().look("train", list(range(20)), ["loss"]).arrays["loss"]
    assert not np.array_equal(half, full)
    np.testing.assert_allclose(half, full, rtol=0.02)
