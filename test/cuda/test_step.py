"""Steps that are launched as one CUDA graph, against the same steps launched one operation at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from py_backend.messages import Augmentation, Named

Batches = list[list[int]]
OPTIMIZERS = {
    "sgd": Named(name="sgd", options={"momentum": 0.9, "nesterov": True, "weight_decay": 0.0005}),
    "adamw": Named(name="adamw", options={}),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", ["mnist-cnn", "resnet18"])
def test_recorded_steps_have_the_bits_of_eager_ones(
    open_run: Callable[..., Any], batches: Batches, model: str, optimizer: str, weighted: bool
) -> None:
    seen = []
    for fast in (True, False):
        run = open_run(
            model=Named(name=model, options={}),
            optimizer=OPTIMIZERS[optimizer],
            augmentation=Augmentation(crop=2, flip=True),
            equal_bits=True,
            fast=fast,
        )
        weights = [0.5 + 0.01 * place for place in range(sum(map(len, batches)))] if weighted else None
        rates = [0.01 / (1 + step) for step in range(len(batches))]
        losses = run.losses(batches, rates, weights=weights)
        assert run.host._session._steps.recorded == ([6] if fast else [])
        state = {name: tensor.cpu().contiguous().numpy().tobytes() for name, tensor in run.state().items()}
        seen.append((losses.tobytes(), state))
    assert seen[0] == seen[1]
