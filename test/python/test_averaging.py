"""`average` of `train`, `weights: averaged` of `evaluate`: against torch's AveragedModel, and training without them."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from py_backend.codec import Packet
from py_backend.errors import BackendError
from py_backend.messages import Average, Load, Save
from py_backend.parameters import refuse_other_parameters
from py_backend.restoring import expected_means, expected_names, state_bytes

Batches = list[list[int]]
INDICES = list(range(20))
DECAY = 0.9


class Odd(nn.Module):
    """BatchNorm, tied weights, a frozen parameter, one that is no number, and a buffer that each pass changes."""

    def __init__(self, *_: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.fc = nn.Linear(4, 3)
        self.frozen = nn.Parameter(torch.tensor([0.1, -0.0, -torch.inf]), requires_grad=False)
        self.integers = nn.Parameter(torch.arange(3), requires_grad=False)
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        assert isinstance(self.passes, Tensor)
        if self.training:
            self.passes += 1
        x = self.second(self.first(F.relu(self.norm(self.conv(images))).mean((2, 3))))
        return self.fc(x) + self.frozen.exp()


def uniform(from_step: int = 0) -> Average:
    return Average(from_step=from_step, decay=None)


def exponential() -> Average:
    return Average(from_step=0, decay=DECAY)


@pytest.fixture
def odd(open_run: Callable[..., Any], own_model: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: open_run(model=own_model(Odd))


def save(run: Any) -> bytes:
    """The one part of a small state."""
    content: bytes = run.ask(Packet(20, Save(session=run.session, step=run.step, part=0))).arrays["bytes"].tobytes()
    return content


def load(run: Any, content: bytes, step: int) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    request = Load(session=run.session, step=step, part=0, parts=1, sha256=sha256)
    run.session = run.ask(Packet(21, request, {"bytes": np.frombuffer(content, np.uint8)})).body.session
    run.step = step


def weights_over_time(run: Any, batches: Batches, **how: Any) -> list[dict[str, Tensor]]:
    """After each update, trained without a mean."""
    seen = []
    for batch in batches:
        run.train([batch], **how)
        seen.append({name: parameter.detach().clone() for name, parameter in run.model.named_parameters()})
    return seen


def means_of(run: Any) -> dict[str, Tensor]:
    """What the model's parameters are while it is looked at with its means."""
    with run.host._session._learner.averaged.in_place():
        return {name: parameter.detach().clone() for name, parameter in run.model.named_parameters()}


def averaged_by_torch(run: Any, over_time: list[dict[str, Tensor]], **how: Any) -> dict[str, Tensor]:
    model = copy.deepcopy(run.model)
    swa = AveragedModel(model, **how)
    for weights in over_time:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(weights[name])
        swa.update_parameters(model)
    return dict(swa.module.named_parameters())


@pytest.mark.parametrize("first", [0, 3])
def test_a_uniform_mean_is_that_of_averaged_model(odd: Callable[[], Any], batches: Batches, first: int) -> None:
    over_time = weights_over_time(plain := odd(), batches)
    run = odd()
    run.train(batches[:5], average=uniform(first))
    run.train(batches[5:], average=uniform(first))
    assert all(torch.equal(weights, over_time[-1][name]) for name, weights in run.model.named_parameters())
    expected = averaged_by_torch(plain, over_time[first:])
    for name, mean in means_of(run).items():
        if name != "frozen":
            torch.testing.assert_close(mean, expected[name].detach(), rtol=1e-5, atol=1e-7)
    frozen = [one.numpy().tobytes() for one in (means_of(run)["frozen"], plain.model.frozen)]
    assert frozen[0] == frozen[1]  # the sign of 0, too


def test_an_exponential_mean_is_that_of_averaged_model_without_its_start(
    odd: Callable[[], Any], batches: Batches
) -> None:
    """torch's is d^n w_1 + (1 - d) Σ d^(n-i) w_i: w_1 stands for all weights before it, and is taken out here."""
    over_time = weights_over_time(plain := odd(), batches)
    run = odd()
    run.train(batches, average=exponential())
    by_torch = averaged_by_torch(plain, over_time, avg_fn=get_ema_avg_fn(DECAY))
    start = DECAY ** len(batches)
    for name, mean in means_of(run).items():
        if plain.model.get_parameter(name).requires_grad:
            corrected = (by_torch[name].detach().double() - start * over_time[0][name].double()) / (1 - start)
            torch.testing.assert_close(mean.double(), corrected, rtol=1e-5, atol=1e-6)


def test_a_long_mean_of_what_hardly_moves_is_exact(odd: Callable[[], Any]) -> None:
    """A float32 mean would stand still: each weight adds less than half of its last digit."""
    run = odd()
    averaged, parameter = run.host._session._learner.averaged, run.model.fc.bias
    values = 1 + np.arange(4000) * 2.0**-23
    for value in values:
        with torch.no_grad():
            parameter.fill_(value)
        averaged.count_in(None)
    assert means_of(run)["fc.bias"].tolist() == [np.float32(values.mean())] * 3


@pytest.mark.parametrize("average", [uniform(2), exponential()])
def test_training_has_the_same_bits_and_looking_changes_none(
    odd: Callable[[], Any], batches: Batches, average: Average
) -> None:
    plain, run = odd(), odd()
    expected = [plain.losses([batch]) for batch in batches]
    seen = []
    for at, batch in enumerate(batches):
        seen.append(run.losses([batch], average=average))
        if at >= 2:
            before = run.state()
            run.look("test", [0, 1, 2], ["loss"], 2, "reestimated", INDICES, weights="averaged")
            assert all(torch.equal(tensor, before[name]) for name, tensor in run.state().items())
            assert run.model.first.weight is run.model.second.weight
    assert [losses.tobytes() for losses in seen] == [losses.tobytes() for losses in expected]
    session = run.host._session
    refuse_other_parameters(None, run.model, session._learner.optimizer)
    assert run.host._session._learner.averaged.count == len(batches) - average.from_step


def test_what_is_seen_is_the_model_with_means_and_statistics_of_its_own(
    odd: Callable[[], Any], batches: Batches
) -> None:
    run, other = odd(), odd()
    run.train(batches, average=uniform(4))
    with torch.no_grad():
        means = means_of(run)
        for name, parameter in other.model.named_parameters():
            parameter.copy_(means[name])
    how = ("test", [0, 1, 2, 3], ["loss"], 2, "reestimated", INDICES)
    expected = other.look(*how).arrays["loss"]
    assert run.look(*how, weights="averaged").arrays["loss"].tobytes() == expected.tobytes()
    assert run.look(*how).arrays["loss"].tobytes() != expected.tobytes()


def test_a_batch_in_parts_is_one_update(odd: Callable[[], Any], batches: Batches) -> None:
    over_time = weights_over_time(plain := odd(), batches[:3], micro_batch=2)
    run = odd()
    run.train(batches[:3], micro_batch=2, average=uniform())
    expected = averaged_by_torch(plain, over_time)
    assert run.host._session._learner.averaged.count == 3
    torch.testing.assert_close(means_of(run)["fc.weight"], expected["fc.weight"].detach(), rtol=1e-5, atol=1e-7)


def test_a_state_has_room_for_the_means_and_none_for_those_of_frozen_parameters(odd: Callable[[], Any]) -> None:
    learner = odd().host._session._learner
    trained = sum(parameter.numel() for parameter in learner.model.parameters() if parameter.requires_grad)
    means = expected_means(learner)
    assert sum(mean.numel() * mean.element_size() for mean in means.values()) == 8 * trained
    parts = expected_names(learner)
    others = [entry for names in parts for entry in names.values() if isinstance(entry, Tensor)]
    assert state_bytes(learner, {}) == 8 * trained + sum(entry.nbytes for entry in others)


@pytest.mark.parametrize("average", [uniform(2), exponential()])
@pytest.mark.parametrize("at", [1, 2, 5])
def test_a_mean_goes_on_from_a_checkpoint_to_the_bit(
    odd: Callable[[], Any], batches: Batches, average: Average, at: int
) -> None:
    whole, stopped, resumed = odd(), odd(), odd()
    whole.train(batches, average=average)
    stopped.train(batches[:at], average=average)
    load(resumed, save(stopped), at)
    resumed.train(batches[at:], average=average)
    assert save(resumed) == save(whole)
    assert all(torch.equal(mean, means_of(whole)[name]) for name, mean in means_of(resumed).items())


def test_nothing_is_looked_at_before_the_first_update_that_counts(odd: Callable[[], Any], batches: Batches) -> None:
    run = odd()
    run.train(batches[:3], average=uniform(3))
    with pytest.raises(BackendError, match="no update was counted into a mean yet") as refused:
        run.look("test", [0], ["loss"], weights="averaged")
    assert refused.value.code == "bad_field"
    assert "averaged" not in save(run).decode("latin1")


@pytest.mark.parametrize(
    ("others", "seen"),
    [
        ([exponential()], "decay 0.9 came at step 2, and None before"),
        ([uniform(1)], "1 updates would be in the mean, and 2 are"),
        ([None, uniform()], "3 updates would be in the mean, and 2 are"),
    ],
)
def test_what_would_not_go_on_with_the_mean_is_refused_before_it_is_trained_on(
    odd: Callable[[], Any], batches: Batches, others: list[Average | None], seen: str
) -> None:
    run = odd()
    run.train(batches[:2], average=uniform())
    for average in others[:-1]:
        run.train([batches[2]], average=average)
    before = run.state()
    with pytest.raises(BackendError, match=seen) as refused:
        run.train([batches[3]], average=others[-1])
    assert refused.value.code == "bad_field"
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.state().items())


def test_weights_come_back_where_looking_fails(odd: Callable[[], Any], batches: Batches) -> None:
    run = odd()
    run.train(batches, average=uniform())
    before = run.state()
    run.progress.enter(run.session)
    run.progress.under_way(True, {run.session})
    run.progress.cancel(run.session)
    with pytest.raises(BackendError, match="cancelled"):
        run.look("test", [0, 1], ["loss"], weights="averaged")
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.state().items())
