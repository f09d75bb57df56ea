"""Generators that a user's code draws from without a word: what it draws follows from seed and step."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from py_backend import generators
from py_backend.codec import Packet
from py_backend.messages import Chosen, Load, Save
from py_backend.noise import Looked, evaluation_seed, step_keys
from py_backend.references import importing

CPU = torch.device("cpu")

DRAWS: dict[str, Callable[[], float]] = {
    "torch's": lambda: float(torch.rand(())),
    "numpy's": lambda: float(np.random.rand()),
    "Python's": random.random,
}


class Noisy(nn.Module):
    """Weights and logits depend on what is drawn."""

    def __init__(self, draw: Callable[[], float]) -> None:
        super().__init__()
        self.draw = draw
        self.layer = nn.Linear(144, 3)
        self.layer.bias.data.fill_(draw())

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(1)) * (1 + self.draw() if self.training else 1)


@pytest.fixture(params=DRAWS.keys())
def drawing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Whose generator the model of module `drawing` draws from."""
    module = ModuleType("drawing")
    module.Net = lambda: Noisy(DRAWS[request.param])  # type: ignore[attr-defined]
    module.__all__ = ["Net"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "drawing", module)
    importing.allow(["drawing"])
    yield request.param
    importing.allow([])


NET = Chosen(origin="import", name="drawing:Net", options={"args": "{}"})


def test_equal_sessions_give_equal_bits_whatever_was_drawn_before(
    drawing: str, open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    seen = []
    for _ in range(2):
        run = open_run(model=NET, equal_bits=True)
        (notice,) = run.opened.body.notices
        assert f"draws from {drawing} default generators" in notice
        losses = [run.losses(batches[:2])]
        for draw in DRAWS.values():
            draw()
        losses.append(run.losses(batches[2:4]))
        seen.append((run.opened.body.initial_weights_sha256, np.concatenate(losses).tobytes()))
    assert seen[0] == seen[1]


class AlwaysNoisy(Noisy):
    """As with dropout that is functional and does not know of `training`."""

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(1)) * (1 + self.draw())


@pytest.mark.usefixtures("drawing")
def test_what_is_drawn_in_evaluation_mode_follows_from_where_it_is(
    open_run: Callable[..., Any], batches: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So training is the same with other evaluations, and a run that goes on scores as the one that did not stop."""
    draw = sys.modules["drawing"].Net().draw
    monkeypatch.setattr(sys.modules["drawing"], "Net", lambda: AlwaysNoisy(draw))
    looked, gone_on = open_run(model=NET), open_run(model=NET)

    def look(run: Any, part: str) -> bytes:
        losses: bytes = run.look(part, [5, 1, 9], ["loss"], batch_size=2).arrays["loss"].tobytes()
        return losses

    scores = []
    for chunk in (batches[:1], batches[1:3]):
        scores.append(look(looked, "score"))
        before = generators.states(CPU)
        assert [look(looked, "test"), look(looked, "score")][1] == scores[-1] != look(looked, "train")
        assert generators.drawn(before, generators.states(CPU)) == []
        assert looked.losses(chunk).tobytes() == gone_on.losses(chunk).tobytes()
    state = gone_on.ask(Packet(20, Save(session=gone_on.session, step=3, part=0))).arrays["bytes"]
    gone_on = open_run(model=NET)
    sha256 = hashlib.sha256(state.tobytes()).hexdigest()
    request = Load(session=gone_on.session, step=3, part=0, parts=1, sha256=sha256)
    gone_on.session = gone_on.ask(Packet(21, request, {"bytes": state})).body.session
    assert look(gone_on, "score") == look(looked, "score")


def test_noise_of_an_evaluation_is_that_of_its_seed_its_step_and_its_samples() -> None:
    both: tuple[Looked, Looked] = ("score", "calibration")
    seeds = [evaluation_seed(seed, step, looked) for seed in (0, 1) for step in (0, 1) for looked in both]
    assert len({*seeds, *step_keys(0, 0, 2, 1).modules, *step_keys(1, 0, 2, 1).modules}) == 12


@pytest.mark.usefixtures("drawing")
def test_a_session_that_is_opened_leaves_all_generators_where_they_stood(open_run: Callable[..., Any]) -> None:
    before = generators.states(CPU)
    open_run(model=NET)
    assert generators.drawn(before, generators.states(CPU)) == []


def test_on_a_gpu_its_generator_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([torch.tensor([0], dtype=torch.uint8), torch.tensor([1], dtype=torch.uint8)])
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda _device: next(states))
    gpu = torch.device("cuda", 0)
    assert generators.drawn(generators.states(gpu), generators.states(gpu)) == ["CUDA's"]
