"""Steps that are launched as one CUDA graph, against the same steps launched one operation at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from py_backend import step
from py_backend.messages import Augmentation, Chosen, Named
from py_backend.references import importing

REFERENCES = Path(__file__).parents[1] / "python" / "references"
RESNET = Named(name="resnet18", options={})
OpenRun = Callable[..., Any]
Batches = list[list[int]]
OPTIMIZERS = {
    "sgd": Named(name="sgd", options={"momentum": 0.9, "nesterov": True, "weight_decay": 0.0005}),
    "adamw": Named(name="adamw", options={}),
}


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(REFERENCES))
    importing.allow(["step_models"])
    yield
    importing.allow([])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ["mnist-cnn", "resnet18"])
def test_recorded_steps_have_the_bits_of_eager_ones(
    open_run: OpenRun,
    batches: Batches,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    precision: str,
    optimizer: str,
    weighted: bool,
) -> None:
    def trained(fast: bool) -> tuple[Any, Any, dict[str, torch.Tensor]]:
        run = open_run(
            model=Named(name=model, options={}),
            optimizer=OPTIMIZERS[optimizer],
            augmentation=Augmentation(crop=2, flip=True),
            precision=precision,
            equal_bits=True,
            fast=fast,
        )
        weights = [0.5 + 0.01 * place for place in range(sum(map(len, batches)))] if weighted else None
        rates = [0.01 / (1 + number) for number in range(len(batches))]
        losses = run.losses(batches, rates, weights=weights)
        return run.host._session._steps, losses, {name: tensor.cpu() for name, tensor in run.state().items()}

    steps, losses, state = trained(fast=True)
    assert steps.recorded == [6]
    _, plain_losses, _ = trained(fast=False)
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-2 if precision == "bfloat16" else 1e-4, atol=1e-3)
    monkeypatch.setattr(step, "WARM_UP_STEPS", 1000)
    steps, eager_losses, eager_state = trained(fast=True)
    assert steps.recorded == []
    assert losses.tobytes() == eager_losses.tobytes()
    assert [name for name, tensor in state.items() if not torch.equal(tensor, eager_state[name])] == []


def test_a_model_that_waits_for_the_device_is_trained_without_recording(open_run: OpenRun, batches: Batches) -> None:
    """The recording fails midway; its dropout must draw, and memory be freed, afterwards."""
    run = open_run(model=Chosen(origin="import", name="step_models:LooksAtAValue", options={"args": "{}"}))
    assert run.opened.body.settings.recorded_steps is False
    assert any("cannot be recorded" in line for line in run.opened.body.notices)
    assert np.isfinite(run.losses(batches)).all()
    reserved = torch.cuda.memory_reserved()
    big = torch.empty(1 << 30, dtype=torch.uint8, device="cuda")
    del big
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved() <= reserved


def test_a_model_that_draws_is_recorded_with_the_draws_of_eager_steps(
    open_run: OpenRun, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Chosen(origin="import", name="step_models:Draws", options={"args": "{}"})
    recorded = open_run(model=own)
    losses = recorded.losses(batches)
    assert recorded.host._session._steps.recorded == [6]
    monkeypatch.setattr(step, "WARM_UP_STEPS", 1000)
    assert open_run(model=own).losses(batches).tobytes() == losses.tobytes()


def test_an_evaluation_between_recorded_steps_changes_nothing(open_run: OpenRun, batches: Batches) -> None:
    looked, not_looked = open_run(model=RESNET), open_run(model=RESNET)
    for part in (batches[:5], batches[5:]):
        looked.train(part)
        looked.look("test", [0, 1, 2], ["loss"])
        not_looked.train(part)
    for name, tensor in not_looked.state().items():
        assert torch.equal(tensor, looked.state()[name]), name
