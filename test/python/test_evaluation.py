"""Looking changes nothing, and sees what plain PyTorch in evaluation mode sees."""

from __future__ import annotations

import copy
import hashlib
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from py_backend import datasets
from py_backend.batch_norm import PooledStatistics
from py_backend.choice import NoOptions
from py_backend.codec import Packet
from py_backend.datasets.contract import Part
from py_backend.errors import BackendError
from py_backend.messages import Augmentation, Named
from py_backend.models.resnet18 import BasicBlock
from py_backend.noise import KeyedDropout
from py_backend.signals import SIGNALS, SignalBuffer

RESNET = {"model": Named(name="resnet18", options={}), "dataset": Named(name="tiny3", options={})}
NOISY = {
    "model": Named(name="mnist-cnn", options={"conv_dropout": 0.3, "fc_dropout": 0.5}),
    "augmentation": Augmentation(crop=2, flip=True),
}
BOTH = pytest.mark.parametrize("changes", [NOISY, RESNET], ids=["dropout and augmentation", "batch norm"])
ALL = list(SIGNALS)
BATCH_NORM_BUFFERS = {"running_mean", "running_var", "num_batches_tracked"}
CALIBRATION = [7, 60, 33, 33, 2]
"""Two batches of 2; the fifth sample joins the second."""
RUNNING: dict[str, Any] = {"norm": "running"}
BATCH: dict[str, Any] = {"norm": "batch"}
REESTIMATED: dict[str, Any] = {"norm": "reestimated", "calibration": CALIBRATION}
LOOKS = [
    ("score", RUNNING),
    ("train", RUNNING),
    ("test", RUNNING),
    ("train", BATCH),
    ("test", BATCH),
    ("train", REESTIMATED),
    ("test", REESTIMATED),
]
each_look = pytest.mark.parametrize(("part", "how"), LOOKS, ids=[f"{part}, {how['norm']}" for part, how in LOOKS])


def normalised(part: Part, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    pixels = (part.images / 255.0 - np.array(mean)) / np.array(std)
    return torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2)


class Mixed(nn.Module):
    """All that a pass could move: running statistics, our dropout, torch's."""

    def __init__(self, input_shape: tuple[int, int, int], class_count: int, _options: NoOptions) -> None:
        super().__init__()
        self.conv = nn.Conv2d(input_shape[0], 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.own_dropout = KeyedDropout(0.25)
        self.torchs_dropout = nn.Dropout(0.25)
        self.fc = nn.Linear(8, class_count)

    def forward(self, x: Tensor) -> Tensor:
        x = self.own_dropout(F.relu(self.norm(self.conv(x))))
        logits: Tensor = self.fc(self.torchs_dropout(x.mean((2, 3))))
        return logits


class Residual(nn.Module):
    """A ResNet of the catalogue's blocks with few channels: a hundredth of ResNet-18's seconds."""

    def __init__(self, input_shape: tuple[int, int, int], class_count: int, _options: NoOptions) -> None:
        super().__init__()
        self.stem = nn.Conv2d(input_shape[0], 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(BasicBlock(8, 8, 1, nn.BatchNorm2d), BasicBlock(8, 16, 2, nn.BatchNorm2d))
        self.fc = nn.Linear(16, class_count)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.blocks(F.relu(self.norm(self.stem(x)))).mean((2, 3)))
        return logits


@pytest.fixture(params=["mixed", "dropout and augmentation", "batch norm"])
def changes(request: pytest.FixtureRequest, own_model: Callable[..., Named]) -> dict[str, Any]:
    """What to open."""
    if request.param == "batch norm":
        return {**RESNET, "model": own_model(Residual)}
    adam = Named(name="adam", options={})
    mixed = {"model": own_model(Mixed), "augmentation": Augmentation(crop=2, flip=True), "optimizer": adam}
    return {"mixed": mixed, "dropout and augmentation": NOISY}[request.param]


def digest(value: Any) -> Any:
    """The value with bytes in place of tensors, so that it can be compared, bit for bit, and kept."""
    if isinstance(value, Tensor):
        return (value.dtype, tuple(value.shape), value.detach().contiguous().numpy().tobytes())
    if isinstance(value, dict):
        return {key: digest(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [digest(inner) for inner in value]
    return value


def everything(run: Any) -> dict[str, Any]:
    """All that the next step could depend on."""
    model = run.model
    return {
        "parameters": digest(dict(model.named_parameters())),
        "buffers": digest(dict(model.named_buffers())),
        "gradients": digest([parameter.grad for parameter in model.parameters()]),
        "optimizer": digest(run.host._session._learner.optimizer.state_dict()),
        "modes": [module.training for module in model.modules()],
        "hooks": [list(module._forward_pre_hooks) + list(module._forward_hooks) for module in model.modules()],
        "torch's generator": digest(torch.get_rng_state()),
        "numpy's generator": pickle.dumps(np.random.get_state()),
        "Python's generator": random.getstate(),
        "step": (run.host._session._step, run.progress.step),
        "answers kept": list(run.host._session._given),
    }


def tensors(run: Any) -> list[Tensor]:
    """All parameters and buffers themselves: an equal copy in their place would leave the optimiser behind."""
    return [*run.model.parameters(), *run.model.buffers()]


def are_the_same(some: list[Tensor], others: list[Tensor]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


@each_look
def test_changes_nothing(open_run: Callable[..., Any], changes: dict[str, Any], part: str, how: dict[str, Any]) -> None:
    run = open_run(**changes)
    own = tensors(run)
    for batch in ([], [[0, 1, 2, 3], [4, 5, 6, 7]]):  # before the first step, and after some
        if batch:
            run.train(batch)
        before = everything(run)
        run.look(part, [5, 1, 1], ALL, batch_size=2, **how)
        after = everything(run)
        assert [name for name in before if before[name] != after[name]] == []
        assert are_the_same(tensors(run), own)
    if run.opened.body.settings.batch_norm_layers:  # and there was something that could have been changed
        assert {name.split(".")[-1] for name in before["buffers"]} == BATCH_NORM_BUFFERS
        counts = [value for name, value in before["buffers"].items() if name.endswith("num_batches_tracked")]
        assert {np.frombuffer(value[2], np.int64).item() for value in counts} == {2}


def test_the_training_after_it_has_the_bits_of_one_without_it(
    open_run: Callable[..., Any], changes: dict[str, Any], batches: list[list[int]]
) -> None:
    looked, not_looked = open_run(**changes), open_run(**changes)
    chunks = [batches[:2], batches[2:3], batches[3:5]]
    looked.look("score", list(range(64)), ALL)
    for chunk in chunks:
        assert looked.losses(chunk).tobytes() == not_looked.losses(chunk).tobytes()
        for part, how in LOOKS:
            looked.look(part, [5, 1, 1, 19], ALL, batch_size=3, **how)
    assert everything(looked) == everything(not_looked)


@pytest.mark.parametrize("failure", ["cancelled", "out of memory", "bad index", "internal"])
@each_look
def test_one_that_fails_changes_nothing_either(
    open_run: Callable[..., Any],
    changes: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    how: dict[str, Any],
    failure: str,
) -> None:
    """With calibration where there is BatchNorm: all but `bad index` while it is under way, after a batch of it."""
    run, undisturbed = open_run(**changes), open_run(**changes)
    for trained in (undisturbed, run):
        trained.train([[0, 1, 2, 3]])
    before, own = everything(run), tensors(run)
    calibrates = how["norm"] == "reestimated" and run.opened.body.settings.batch_norm_layers
    fails_in = (PooledStatistics, "add") if calibrates else (SignalBuffer, "write")
    with monkeypatch.context() as patched:
        if failure == "cancelled":
            asked = iter([False, True])
            patched.setattr(run.progress, "should_stop", lambda: next(asked))
        elif failure == "out of memory":
            patched.setattr(*fails_in, fail_for_memory)
        elif failure == "internal":
            patched.setattr(*fails_in, fail)
        with pytest.raises(OddError if failure == "internal" else BackendError) as refused:
            run.look(part, [0, 1, 64 if failure == "bad index" else 2, 3], ALL, batch_size=2, **how)
    if failure != "internal":
        assert refused.value.code == failure.replace(" ", "_")
    assert everything(run) == before
    assert are_the_same(tensors(run), own)
    assert run.losses([[4, 5, 6, 7]]).tobytes() == undisturbed.losses([[4, 5, 6, 7]]).tobytes()


@pytest.mark.parametrize("failure", ["cancelled", "out of memory", "internal"])
def test_one_that_fails_behind_its_calibration_changes_nothing_either(
    open_run: Callable[..., Any], own_model: Callable[..., Named], monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    run = open_run(model=own_model(Mixed))
    run.train([[0, 1, 2, 3]])
    before, own = everything(run), tensors(run)
    with monkeypatch.context() as patched:
        if failure == "cancelled":
            asked = iter([False, False, False, True])  # two batches of calibration, one of looking
            patched.setattr(run.progress, "should_stop", lambda: next(asked))
        else:
            patched.setattr(SignalBuffer, "write", fail if failure == "internal" else fail_for_memory)
        with pytest.raises(OddError if failure == "internal" else BackendError) as refused:
            run.look("test", [0, 1, 2, 3], ALL, batch_size=2, **REESTIMATED)
    if failure == "cancelled":
        assert refused.value.message == "cancelled after 2 of 4 samples"
    assert everything(run) == before
    assert are_the_same(tensors(run), own)


class NoisyStatistics(Mixed):
    """Draws before its BatchNorm, in evaluation mode, too."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + torch.rand_like(x))


def test_a_calibration_draws_the_same_whatever_is_looked_at_with_it(
    open_run: Callable[..., Any], own_model: Callable[..., Named], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run(model=own_model(NoisyStatistics))
    pooled = []
    own = PooledStatistics.mean_and_variance.fget
    assert own is not None

    def seen(statistics: PooledStatistics) -> tuple[Tensor, Tensor] | None:
        pooled.append(digest(own(statistics)))
        return own(statistics)

    monkeypatch.setattr(PooledStatistics, "mean_and_variance", property(seen))
    for part in ("test", "train", "test"):
        torch.rand(())
        run.look(part, [0, 1, 2, 3], ALL, batch_size=2, **REESTIMATED)
    assert len(pooled) == 3
    assert pooled[0] == pooled[1] == pooled[2]


class OddError(Exception):
    """What nobody thought of."""


def fail(*_: object) -> None:
    raise OddError


def fail_for_memory(*_: object) -> None:
    raise torch.OutOfMemoryError


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


# --- against networks written anew, on the session's weights

State = dict[str, Tensor]


def plain_mnist_cnn(weights: State, x: Tensor) -> Tensor:
    """The slides' second network from its description: convolution, ReLU, pooling, twice; a linear layer."""
    for layer in ("conv1", "conv2"):
        x = F.max_pool2d(F.relu(F.conv2d(x, weights[f"{layer}.weight"], weights[f"{layer}.bias"])), 2)
    return x.reshape(len(x), -1) @ weights["fc.weight"].T + weights["fc.bias"]


def plain_mixed(weights: State, x: Tensor) -> Tensor:
    """`Mixed` without its dropout, BatchNorm written out with the running statistics."""
    x = F.conv2d(x, weights["conv.weight"], padding=1)
    mean, variance, scale, shift = (
        weights[f"norm.{name}"].view(1, -1, 1, 1) for name in ("running_mean", "running_var", "weight", "bias")
    )
    x = torch.clamp((x - mean) / torch.sqrt(variance + 1e-5) * scale + shift, min=0)
    return x.mean((2, 3)) @ weights["fc.weight"].T + weights["fc.bias"]


def plain_signals(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """By the definitions, in float64."""
    z = logits.double()
    p = torch.exp(z) / torch.exp(z).sum(1, keepdim=True)
    own = F.one_hot(labels, z.shape[1]).bool()
    return {
        "loss": -p[own].log(),
        "margin": z[own] - torch.stack([row[~mask].max() for row, mask in zip(z, own, strict=True)]),
        "entropy": -(p * p.log()).sum(1),
        "el2n": (p - own.double()).square().sum(1).sqrt(),
    }


@pytest.mark.parametrize("part", ["score", "train", "test"])
@pytest.mark.parametrize("net", ["mnist-cnn", "mixed"])
def test_each_sample_has_the_signals_that_a_network_written_anew_gives_it(
    open_run: Callable[..., Any], own_model: Callable[..., Named], tiny: SimpleNamespace, net: str, part: str
) -> None:
    """1e-5, a hundredth of the least distance between two samples' losses: so no two are exchanged."""
    changes, plain = {"mnist-cnn": (NOISY, plain_mnist_cnn), "mixed": ({"model": own_model(Mixed)}, plain_mixed)}[net]
    run = open_run(**changes)
    run.train([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]], 0.01)
    data = tiny.grey.test if part == "test" else tiny.grey.train
    indices = [3, 19, 0, 7, 3, 12, 1]
    wanted = plain_signals(
        plain(run.state(), normalised(data, tiny.grey.mean, tiny.grey.std)[indices]),
        torch.from_numpy(data.labels.astype(np.int64))[indices],
    )
    different = np.unique(wanted["loss"].numpy().round(9))
    assert len(different) == len(set(indices))
    assert np.diff(different).min() > 100 * 1e-5
    answer = run.look(part, indices, list(wanted), batch_size=3)
    for name, values in wanted.items():
        np.testing.assert_allclose(answer.arrays[name], values, rtol=1e-5, atol=1e-5, err_msg=name)
    assert answer.body.indices_sha256 == hashlib.sha256(np.array(indices, "<u4").tobytes()).hexdigest()


def test_scored_losses_of_all_digits_are_those_of_a_network_written_anew(open_run: Callable[..., Any]) -> None:
    pytest.importorskip("sklearn")
    run = open_run(dataset=Named(name="digits", options={}), model=NOISY["model"])
    run.train([list(range(at, at + 32)) for at in range(0, 1408, 32)], 0.02)
    digits = datasets.find("digits").load(Path("."), NoOptions())
    shuffled = np.random.default_rng(0).permutation(1437).tolist()
    wanted = plain_signals(
        plain_mnist_cnn(run.state(), normalised(digits.train, digits.mean, digits.std)[shuffled]),
        torch.from_numpy(digits.train.labels.astype(np.int64))[shuffled],
    )
    answer = run.look("score", shuffled, list(wanted), batch_size=256)
    for name, values in wanted.items():
        np.testing.assert_allclose(answer.arrays[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


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
    assert [array.shape for array in answer.arrays.values()] == [(0,)] * len(ALL)


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
