"""A checkpoint that is put back on the GPU."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from py_backend.codec import Packet
from py_backend.messages import Augmentation, Load, Named, Save

CPU = torch.device("cpu")
OPTIMIZERS = {
    "sgd": Named(name="sgd", options={"momentum": 0.9, "nesterov": True, "weight_decay": 0.0005}),
    "adamw": Named(name="adamw", options={}),
}

Batches = list[list[int]]


def saved(run: Any) -> list[bytes]:
    """In parts, as it travels."""
    contents: list[bytes] = []
    parts = 1
    while len(contents) < parts:
        answer = run.ask(Packet(20, Save(session=run.session, step=run.step, part=len(contents))))
        parts = answer.body.parts
        contents.append(answer.arrays["bytes"].tobytes())
        assert hashlib.sha256(contents[-1]).hexdigest() == answer.body.sha256
    return contents


def put_back(run: Any, contents: list[bytes], step: int) -> None:
    for part, content in enumerate(contents):
        sha256 = hashlib.sha256(content).hexdigest()
        body = Load(session=run.session, step=step, part=part, parts=len(contents), sha256=sha256)
        run.session = run.ask(Packet(21, body, {"bytes": np.frombuffer(content, np.uint8)})).body.session
    run.step = step


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", ["mnist-cnn", "resnet18"])
def test_training_goes_on_to_the_bit(
    open_run: Callable[..., Any], batches: Batches, model: str, optimizer: str, fast: bool
) -> None:
    asked = {
        "model": Named(name=model, options={}),
        "optimizer": OPTIMIZERS[optimizer],
        "augmentation": Augmentation(crop=2, flip=True),
        "equal_bits": True,
        "fast": fast,
    }
    whole = open_run(**asked)
    whole.train(batches[:5], 0.01)
    contents = saved(whole)
    expected = whole.losses(batches[5:], 0.01), saved(whole)
    resumed = open_run(**asked)
    put_back(resumed, contents, 5)
    losses = resumed.losses(batches[5:], 0.01)
    assert losses.tobytes() == expected[0].tobytes()
    assert saved(resumed) == expected[1]


def test_one_of_the_cpu_is_put_back_as_it_was(open_run: Callable[..., Any], batches: Batches) -> None:
    """What was trained on the CPU is looked at on the GPU with the same weights."""
    theirs, ours = open_run(on=CPU), open_run()
    theirs.train(batches[:2], 0.01)
    put_back(ours, saved(theirs), 2)
    for name, tensor in theirs.state().items():
        assert torch.equal(ours.state()[name].cpu(), tensor), name
    assert saved(ours) == saved(theirs)
