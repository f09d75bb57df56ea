"""Training and looking never ask the device for a value: each question would stop the host until the device is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from py_backend.codec import Packet
from py_backend.datasets.contract import FetchedPart
from py_backend.evaluation import Place, Samples, evaluate
from py_backend.fetched import FetchedPixels
from py_backend.messages import Augmentation, Average, Named, Norm, Save
from py_backend.progress import Progress
from py_backend.signals import SIGNALS
from py_backend.training import Chunk, train_chunk

aten = torch.ops.aten
WAITING = {
    aten._local_scalar_dense,
    aten.nonzero,
    aten.masked_select,
    aten._unique2,
    aten.unique_consecutive,
    aten.equal,
    aten.is_nonzero,
    aten._to_cpu,
}
MASKS = (torch.bool, torch.uint8)


class RefuseWaiting(TorchDispatchMode):
    """Fails on every operation that on a GPU would wait for the result."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        packet = func.overloadpacket
        assert packet not in WAITING, f"{func} waits for the device"
        if packet in (aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_):
            by_mask = [index for index in args[1] if index is not None and index.dtype in MASKS]
            assert not by_mask, f"{func} by a mask waits for the device"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x.sum().item(),
        lambda x: bool(x.any()),
        lambda x: x.tolist() and x[0].item(),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: torch.masked_select(x, x > 0),
    ],
)
def test_the_mode_refuses_what_waits(ask: Callable[[torch.Tensor], Any]) -> None:
    with pytest.raises(AssertionError, match="waits for the device"), RefuseWaiting():
        ask(torch.arange(4))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("micro_batch", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("model", ["mnist-cnn", "resnet18"])
def test_a_chunk_is_trained_without_waiting(
    open_run: Callable[..., Any], model: str, weighted: bool, micro_batch: int | None, precision: str
) -> None:
    run = open_run(
        model=Named(name=model, options={}),
        optimizer=Named(name="sgd", options={"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        augmentation=Augmentation(crop=2, flip=True),
        precision=precision,
    )
    session = run.host._session
    chunk = Chunk(
        first_step=0,
        indices=np.arange(7, dtype=np.uint32),
        offsets=np.array([0, 4, 7], np.uint32),
        learning_rates=np.array([0.1, 0.05]),
        weights=np.ones(7, np.float32) if weighted else None,
        micro_batch=micro_batch,
        average=Average(from_step=0, decay=0.9),
    )
    with RefuseWaiting():
        trained = train_chunk(session._steps, session._data.train, chunk, list(SIGNALS), Progress())
        with session._learner.averaged.in_place():
            pass
    assert trained.batches_done == 2
    assert np.isfinite(trained.signals.arrays()["loss"]).all()


class FetchedByTheHost(FetchedPixels):
    """Torch's loader asks for values of its own, which are the host's."""

    def expect(self, batches: Any) -> None:
        with _disable_current_modes():
            super().expect(batches)

    def _next(self) -> Any:
        with _disable_current_modes():
            return super()._next()


def test_what_is_fetched_is_trained_on_without_waiting(open_run: Callable[..., Any], tiny: SimpleNamespace) -> None:
    session = open_run().host._session
    train = tiny.grey.train
    part = FetchedPart(train.images.__getitem__, train.labels, (12, 12, 1), is_float=False, workers=0)
    fetched = replace(session._data.train, pixels=FetchedByTheHost("tiny1", part, session._learner.device))
    chunk = Chunk(
        first_step=0,
        indices=np.arange(7, dtype=np.uint32),
        offsets=np.array([0, 4, 7], np.uint32),
        learning_rates=np.array([0.1, 0.05]),
        weights=None,
        micro_batch=None,
        average=None,
    )
    with RefuseWaiting():
        trained = train_chunk(session._steps, fetched, chunk, list(SIGNALS), Progress())
    assert trained.batches_done == 2


@pytest.mark.parametrize("norm", ["running", "batch", "reestimated"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ["mnist-cnn", "resnet18"])
def test_samples_are_looked_at_without_waiting(
    open_run: Callable[..., Any], model: str, precision: str, norm: Norm
) -> None:
    session = open_run(model=Named(name=model, options={}), precision=precision).host._session
    data, indices = session._data.train, np.arange(7, dtype=np.uint32)
    calibration = Samples(data, indices) if norm == "reestimated" else None
    place = Place(0, "train")
    with RefuseWaiting():
        looked = evaluate(session._learner, data, indices, 3, list(SIGNALS), Progress(), place, norm, calibration)
    assert np.isfinite(looked.arrays()["margin"]).all()


@pytest.mark.parametrize("model", ["mnist-cnn", "resnet18"])
def test_a_state_is_taken_without_waiting(open_run: Callable[..., Any], model: str) -> None:
    run = open_run(model=Named(name=model, options={}), optimizer=Named(name="adam", options={}))
    run.train([[0, 1], [2, 3]])
    with RefuseWaiting():
        answer = run.host.handle(Packet(1, Save(session=run.session, step=2, part=0)))
    assert answer.packet().body.step == 2
