"""Training on the GPU: against the CPU, against itself, and without a wait."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from py_backend.device import describe, precisions
from py_backend.errors import BackendError
from py_backend.messages import Augmentation, Named
from py_backend.signals import SIGNALS

CPU = torch.device("cpu")
SMALL_MODELS = ["mnist-cnn", "fashion-mnist-cnn"]
NOISE = {"mnist-cnn": {"conv_dropout": 0.25, "fc_dropout": 0.5}}
SGD = Named(name="sgd", options={"momentum": 0.9, "nesterov": True, "weight_decay": 0.0005})
ADAM = Named(name="adam", options={})

Batches = list[list[int]]


def noisy(model: str, **changes: Any) -> dict[str, Any]:
    """With dropout where the model has some, crops and flips: all that a step draws."""
    named = Named(name=model, options=NOISE.get(model, {}))
    dataset = {} if model == "resnet18" else {"dataset": Named(name="digits", options={})}
    return {**dataset, "model": named, "augmentation": Augmentation(crop=2, flip=True), "optimizer": SGD, **changes}


def skip_without(precision: str, device: torch.device) -> None:
    if precision not in precisions(device):
        pytest.skip(f"{describe(device)} has no {precision}")


def bits(run: Any) -> dict[str, bytes]:
    return {name: tensor.cpu().contiguous().numpy().tobytes() for name, tensor in run.state().items()}


@pytest.mark.parametrize(("optimizer", "tolerance"), [(SGD, 0.01), (ADAM, 0.1)], ids=["sgd", "adam"])
@pytest.mark.parametrize("model", SMALL_MODELS)
def test_losses_and_weights_are_those_of_the_cpu_but_for_rounding(
    open_run: Callable[..., Any], batches: Batches, model: str, optimizer: Named, tolerance: float
) -> None:
    """Noise is the same to the bit, so that only sums are made in another sequence. Losses may differ by 2 in 1,000
    after 5 steps, and weights by so much of the way that they went: Adam makes a whole step of a gradient near 0."""
    asked = noisy(model, optimizer=optimizer, equal_bits=True)
    theirs, ours = open_run(on=CPU, **asked), open_run(**asked)
    assert ours.opened.body.initial_weights_sha256 == theirs.opened.body.initial_weights_sha256
    start = {name: tensor.cpu() for name, tensor in ours.state().items()}
    first, expected = (run.losses(batches[:1], 0.001) for run in (ours, theirs))
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-5)
    later, expected = (run.losses(batches[1:5], 0.001) for run in (ours, theirs))
    np.testing.assert_allclose(later, expected, rtol=2e-3, atol=1e-4)
    moved = distance(start, theirs.state())
    assert moved > 0
    assert distance({name: tensor.cpu() for name, tensor in ours.state().items()}, theirs.state()) < tolerance * moved


def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    return float(sum((a[name].double() - b[name].double()).square().sum() for name in a)) ** 0.5


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("model", SMALL_MODELS)
def test_the_same_run_twice_has_the_same_bits(
    open_run: Callable[..., Any], batches: Batches, device: torch.device, model: str, precision: str
) -> None:
    skip_without(precision, device)
    seen = []
    for cut in (11, 4):  # in one message, or in several
        run = open_run(**noisy(model, precision=precision, equal_bits=True))
        losses = [run.losses(batches[at : at + cut], 0.01) for at in range(0, 11, cut)]
        seen.append((np.concatenate(losses).tobytes(), bits(run)))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(("precision", "tolerance"), [("tf32", 0.02), ("bfloat16", 0.1)])
@pytest.mark.parametrize("model", [*SMALL_MODELS, "resnet18"])
def test_a_lower_precision_stays_near_float32(
    open_run: Callable[..., Any], batches: Batches, device: torch.device, model: str, precision: str, tolerance: float
) -> None:
    skip_without(precision, device)
    exact, rounded = (
        open_run(**noisy(model, precision=name)).losses(batches[:4], 0.001) for name in ("float32", precision)
    )
    assert np.isfinite(rounded).all()
    assert abs(rounded.mean() - exact.mean()) < tolerance * exact.mean()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ["mnist-cnn", "resnet18"])
def test_a_chunk_is_sent_to_the_device_without_waiting(
    open_run: Callable[..., Any], batches: Batches, device: torch.device, model: str, precision: str, fast: bool
) -> None:
    run = open_run(**noisy(model, precision=precision, fast=fast))
    signals = list(SIGNALS)
    run.train(batches[:6], signals=signals)  # what is made once, as handles of cuDNN, waits
    packet = run.train_packet(batches[:10], signals=signals)
    torch.cuda.synchronize(device)
    torch.cuda.set_sync_debug_mode("error")
    answer = run.host.handle(packet)
    torch.cuda.set_sync_debug_mode("default")
    assert np.isfinite(answer.packet().arrays["loss"]).all()


def test_the_mode_refuses_what_waits(device: torch.device, no_waiting: None) -> None:
    with pytest.raises(RuntimeError, match="synchroniz"):
        torch.ones(1, device=device).item()


class Hungry(nn.Module):
    """Wants more than any GPU has, from when it is told to."""

    def __init__(self, *_: Any) -> None:
        super().__init__()
        self.layer = nn.Linear(144, 3)
        self.hungry = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.hungry:
            torch.empty(2**46, dtype=torch.uint8, device=images.device)
        return self.layer(images.flatten(1))


def test_out_of_memory_is_named_with_its_size_and_the_next_session_trains(
    open_run: Callable[..., Any], own_model: Callable[..., Named], batches: Batches
) -> None:
    run = open_run(model=own_model(Hungry), optimizer=SGD, fast=False)
    run.train(batches[:1])
    run.model.hungry = True
    with pytest.raises(BackendError) as caught:
        run.train(batches[1:2])
    assert caught.value.code == "out_of_memory"
    assert "6 samples at a time do not fit into the device's memory" in caught.value.message
    run.close()
    assert np.isfinite(open_run(beside=run, optimizer=SGD).losses(batches[:2])).all()


def test_sessions_one_after_another_are_equal_and_leave_no_memory(
    open_run: Callable[..., Any], batches: Batches, device: torch.device
) -> None:
    seen, memory = [], []
    run = None
    for _ in range(4):
        run = open_run(beside=run, **noisy("mnist-cnn", equal_bits=True))
        seen.append((run.losses(batches).tobytes(), bits(run)))
        run.close()
        gc.collect()  # recordings, and what they hold
        torch.cuda.synchronize(device)
        memory.append(torch.cuda.memory_allocated(device))
    assert all(one == seen[0] for one in seen)
    assert memory[3] == memory[1]
