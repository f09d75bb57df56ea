"""The signals against their definitions, written out with numpy in float64, a sample at a time."""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from py_backend import signals
from py_backend.signals import SIGNALS, SignalBuffer

CPU = torch.device("cpu")
EXTRA = ["margin", "entropy", "el2n"]
DTYPES = {"loss": "f4", "correct": "u1", "prediction": "u4", "margin": "f4", "entropy": "f4", "el2n": "f4"}
INF, NAN = float("inf"), float("nan")


def softmax(z: np.ndarray) -> np.ndarray:
    exponentials = np.exp(z - z.max())
    return exponentials / exponentials.sum()


def defined_margin(z: np.ndarray, y: int) -> float:
    return z[y] - max(z[k] for k in range(len(z)) if k != y)


def defined_entropy(z: np.ndarray, _y: int) -> float:
    return -sum(p * log(p) for p in softmax(z) if p > 0)


def defined_el2n(z: np.ndarray, y: int) -> float:
    p = softmax(z)
    return sqrt(sum((p[k] - (k == y)) ** 2 for k in range(len(z))))


DEFINED = {"margin": defined_margin, "entropy": defined_entropy, "el2n": defined_el2n}


def expected(name: str, logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.array([DEFINED[name](z.astype(np.float64), int(y)) for z, y in zip(logits, labels, strict=True)])


def seen(name: str, logits: Any, labels: Any) -> np.ndarray:
    """The signal as a message gets it."""
    z = torch.tensor(np.array(logits, np.float32))
    y = torch.tensor(np.array(labels, np.int64))
    buffer = SignalBuffer([name], len(y), CPU)
    buffer.write(0, torch.zeros(len(y)), z, y)
    return buffer.first(len(y))[name].numpy()


def assert_as_defined(name: str, values: np.ndarray, logits: np.ndarray, labels: np.ndarray) -> None:
    """margin: the exact difference, rounded once to float32; the others: within 2e-6, their parts being below 10."""
    assert values.dtype == np.float32
    wanted = expected(name, logits, labels)
    if name == "margin":
        assert values.tobytes() == (wanted.astype(np.float32) + np.float32(0)).tobytes()
    else:
        np.testing.assert_allclose(values, wanted, rtol=2e-6, atol=2e-6)


def test_an_example_that_can_be_checked_by_hand() -> None:
    """p = (1/4, 1/2, 1/4)."""
    logits, labels = [[log(1), log(2), log(1)]] * 2, [1, 0]
    np.testing.assert_allclose(seen("margin", logits, labels), [log(2), -log(2)], rtol=1e-6)
    np.testing.assert_allclose(seen("entropy", logits, labels), [1.5 * log(2)] * 2, rtol=1e-6)
    np.testing.assert_allclose(seen("el2n", logits, labels), [sqrt(3 / 8), sqrt(7 / 8)], rtol=1e-6)


@pytest.mark.parametrize("name", EXTRA)
@pytest.mark.parametrize("scale", [0.01, 1, 10, 100])
@pytest.mark.parametrize(("count", "classes"), [(300, 2), (300, 10), (100, 100), (20, 1000)])
def test_random_logits(name: str, scale: float, count: int, classes: int) -> None:
    random = np.random.default_rng([classes, int(scale * 100)])
    logits = (random.normal(size=(count, classes)) * scale).astype(np.float32)
    labels = random.integers(0, classes, count)
    assert_as_defined(name, seen(name, logits, labels), logits, labels)


@pytest.mark.parametrize("name", EXTRA)
@pytest.mark.parametrize("size", [1e4, 1e30])
def test_extreme_logits_overflow_nothing(name: str, size: float) -> None:
    rows = [[size, 0, 0], [-size, 0, 0], [size, -size, 0], [size, size, 0], [size] * 3, [-size] * 3, [0, -size, size]]
    logits = np.array(rows * 3, np.float32)
    labels = np.arange(3).repeat(len(rows))
    values = seen(name, logits, labels)
    assert np.isfinite(values).all()
    assert_as_defined(name, values, logits, labels)


def test_a_difference_beyond_float32_is_infinite_and_not_nan() -> None:
    logits = [[3e38, -3e38], [3e38, -3e38]]
    assert seen("margin", logits, [0, 1]).tolist() == [INF, -INF]
    assert seen("entropy", logits, [0, 1]).tolist() == [0, 0]
    np.testing.assert_allclose(seen("el2n", logits, [0, 1]), [0, sqrt(2)], rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_ties(classes: int) -> None:
    """All logits equal: no margin, the largest entropy, and the distance from the simplex's middle to a corner."""
    for value in (0.0, -7.25, 1e4):
        logits, labels = np.full((classes, classes), value), np.arange(classes)
        assert not seen("margin", logits, labels).any()
        np.testing.assert_allclose(seen("entropy", logits, labels), log(classes), rtol=2e-6)
        np.testing.assert_allclose(seen("el2n", logits, labels), sqrt(1 - 1 / classes), rtol=2e-6)
    # Own class and another one highest: 0; two others highest: the distance to them.
    assert seen("margin", [[5, 5, 1], [5, 5, 1], [5, 5, 1]], [0, 1, 2]).tolist() == [0, 0, -4]


def test_the_sign_of_the_margin_is_correct() -> None:
    random = np.random.default_rng(1)
    logits, labels = random.normal(size=(500, 10)), random.integers(0, 10, 500)
    assert ((seen("margin", logits, labels) > 0) == (seen("correct", logits, labels) == 1)).all()


@pytest.mark.parametrize("name", EXTRA)
@pytest.mark.parametrize("odd", [NAN, INF, -INF])
@pytest.mark.parametrize("place", ["own", "highest other", "lowest other", "all"])
def test_a_logit_that_is_not_finite_makes_nan_of_its_own_sample_alone(name: str, odd: float, place: str) -> None:
    logits = np.array([[1, 2, 3], [1, 2, 3], [3, 1, 2]], np.float32)
    labels = np.array([0, 0, 0])
    damaged = logits.copy()
    columns: dict[str, Any] = {"own": 0, "highest other": 2, "lowest other": 1, "all": slice(None)}
    damaged[1, columns[place]] = odd
    values = seen(name, damaged, labels)
    assert np.isnan(values).tolist() == [False, True, False]
    assert values[[0, 2]].tobytes() == seen(name, logits, labels)[[0, 2]].tobytes()


# --- through messages


class Spy:
    """The logits of each pass of the model, widened to float32."""

    def __init__(self, run: Any) -> None:
        self.passes: list[torch.Tensor] = []
        run.model.register_forward_hook(lambda _model, _input, output: self.passes.append(output.detach().float()))

    @property
    def logits(self) -> np.ndarray:
        return torch.cat(self.passes).numpy()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["train", "train in micro-batches", "score", "evaluate train", "evaluate test"])
def test_each_message_returns_them_of_the_models_own_logits(
    open_run: Callable[..., Any], tiny: SimpleNamespace, kind: str, precision: str
) -> None:
    run = open_run(precision=precision)
    run.train([[0, 1, 2, 3]])
    indices = [7, 3, 19, 3, 0]
    spy = Spy(run)
    if kind.startswith("train"):
        micro_batch = 2 if "micro" in kind else None
        answer = run.train(
            [indices[:3], indices[3:]], weights=[0, 2, 0.5, 9, 1], signals=EXTRA, micro_batch=micro_batch
        )
    else:
        part = "score" if kind == "score" else kind.split()[1]
        answer = run.look(part, indices, EXTRA, batch_size=2)
    part = tiny.grey.test if kind == "evaluate test" else tiny.grey.train
    assert list(answer.arrays) == EXTRA
    assert len(spy.passes) == (2 if kind == "train" else 3)
    for name, values in answer.arrays.items():
        assert_as_defined(name, values, spy.logits, part.labels[indices])


def test_each_has_the_dtype_of_the_protocol_and_comes_in_the_order_asked_for(open_run: Callable[..., Any]) -> None:
    names = list(SIGNALS)[::-1]
    for answer in (open_run().look("score", [0, 1], names), open_run().train([[0, 1]], signals=names)):
        assert {name: array.dtype for name, array in answer.arrays.items()} == DTYPES
        assert list(answer.arrays) == names


@pytest.mark.parametrize("asked", list(SIGNALS))
def test_what_is_not_asked_for_is_not_computed(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("was computed")

    for other in set(SIGNALS) - {asked}:
        monkeypatch.setitem(signals.SIGNALS, other, (SIGNALS[other][0], fail))
    for answer in (open_run().look("score", [0, 1], [asked]), open_run().train([[0, 1]], signals=[asked])):
        assert list(answer.arrays) == [asked]


def test_asking_for_more_signals_changes_no_bit_of_the_training(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    few, many = open_run(), open_run()
    losses = few.losses(batches)
    assert many.losses(batches, signals=list(SIGNALS)).tobytes() == losses.tobytes()
    assert all(torch.equal(few.state()[key], tensor) for key, tensor in many.state().items())


@pytest.mark.parametrize("classes", [2, 7, 10, 33, 1000])
@pytest.mark.parametrize("kept_batches", [1, 2.5, 100])
def test_signals_of_many_batches_at_once_are_those_of_each_batch_to_the_bit(
    monkeypatch: pytest.MonkeyPatch, classes: int, kept_batches: float
) -> None:
    sizes = [1, 64, 64, 3, 64, 128, 1, 17, 64, 2]
    monkeypatch.setattr(signals, "KEPT_LOGITS", int(classes * 64 * kept_batches))
    generator = torch.Generator().manual_seed(classes)
    many, alone = SignalBuffer(list(SIGNALS), sum(sizes), CPU), []
    start = 0
    for size in sizes:
        z = torch.randn(size, classes, generator=generator) * 8
        y = torch.randint(classes, (size,), generator=generator)
        losses = torch.rand(size, generator=generator)
        many.write(start, losses, z, y)
        start += size
        alone.append({name: compute(losses, z, y) for name, (_, compute) in SIGNALS.items()})
        z.fill_(NAN)  # a recorded step writes over what it gave
    for name, values in many.first(start).items():
        expected = torch.cat([one[name] for one in alone])
        assert values.numpy().tobytes() == expected.to(values.dtype).numpy().tobytes(), name
        assert many.first(65)[name].tolist() == values[:65].tolist()
