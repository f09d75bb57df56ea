"""Swapping two successive batches changes the weights by a commutator, whatever the batches: a law that needs no luck.

Two steps of plain SGD at rate η on batches A, then B, and on B, then A, end η²(H_B g_A − H_A g_B) + O(η³) apart, with
g and H the gradient and the Hessian of a batch's mean loss before both steps (Taylor's expansion of the second step).
So the difference falls as η², and what is left of it without that term as η³.

The steps are those of the backend's own loop, `train_chunk`, in float64. One thing is replaced: `forward` gives logits
of float32 to whoever asks, and seven digits are too few for a term of η³. The Hessian is autograd's, of a loop that
shares nothing with the backend.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from py_backend import step, training
from py_backend.choice import NoOptions
from py_backend.learner import Learner
from py_backend.messages import Named
from py_backend.progress import Progress
from py_backend.resident import DataPart, ResidentPixels

A, B = [0, 1, 2, 3, 4, 5, 6, 7], [20, 21, 22, 23, 30, 31, 33, 38]


class SmoothNet(nn.Module):
    """No kink anywhere: the expansion holds at every rate."""

    def __init__(self, input_shape: tuple[int, int, int], class_count: int, _options: NoOptions) -> None:
        super().__init__()
        self.conv = nn.Conv2d(input_shape[0], 8, 3)
        self.fc = nn.Linear(8 * 5 * 5, class_count)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(F.avg_pool2d(F.softplus(self.conv(x)), 2).flatten(1))


class Steps:
    """The backend's steps on a model in float64, each time from the same weights."""

    def __init__(self, run: Any, tiny: SimpleNamespace) -> None:
        session = run.host._session
        run.model.double()
        self.learner = session._learner
        self.start = run.state()
        labels = torch.from_numpy(tiny.grey.train.labels.astype(np.int64))
        mean, std = np.array(tiny.grey.mean), np.array(tiny.grey.std)
        pixels = torch.from_numpy((tiny.grey.train.images / 255 - mean) / std)
        self.data = DataPart(ResidentPixels(pixels), labels, None)

    def after(self, batches: list[list[int]], rate: float) -> Tensor:
        """All weights after a step on each batch."""
        self.learner.model.load_state_dict(self.start)
        chunk = training.Chunk(
            first_step=0,
            indices=np.array([index for batch in batches for index in batch], np.uint32),
            offsets=np.cumsum([0, *map(len, batches)]).astype(np.uint32),
            learning_rates=np.full(len(batches), rate),
            weights=None,
            micro_batch=None,
            average=None,
        )
        trained = training.train_chunk(step.Steps(self.learner), self.data, chunk, ["loss"], Progress())
        assert trained.batches_done == len(batches)
        return flat(list(self.learner.model.parameters()))

    def swap(self, rate: float) -> Tensor:
        return self.after([A, B], rate) - self.after([B, A], rate)

    def commutator(self) -> Tensor:
        """H_B g_A − H_A g_B."""
        self.learner.model.load_state_dict(self.start)
        g_a, g_b = self.gradient(A), self.gradient(B)
        return self.hessian_times(g_b, [part.detach() for part in g_a]) - self.hessian_times(
            g_a, [part.detach() for part in g_b]
        )

    def gradient(self, batch: list[int]) -> list[Tensor]:
        images, labels = self.data.batch(torch.tensor(batch)), self.data.labels[batch]
        loss = F.cross_entropy(self.learner.model(images), labels)
        return list(torch.autograd.grad(loss, list(self.learner.model.parameters()), create_graph=True))

    def hessian_times(self, gradient: list[Tensor], vector: list[Tensor]) -> Tensor:
        product = sum((g * v).sum() for g, v in zip(gradient, vector, strict=True))
        return flat(torch.autograd.grad(product, list(self.learner.model.parameters()), retain_graph=True))


def flat(parts: Any) -> Tensor:
    return torch.cat([part.detach().reshape(-1) for part in parts])


@pytest.fixture
def steps_of(
    open_run: Callable[..., Any], tiny: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Named], Steps]:
    def forward(learner: Learner, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = learner.model(images)
        return logits, learner.loss(logits, labels)

    monkeypatch.setattr(step, "forward", forward)
    return lambda model: Steps(open_run(model=model, optimizer=Named(name="sgd", options={})), tiny)


def slopes(rates: list[float], sizes: list[float]) -> list[float]:
    """In a plot of both logarithms, between each rate and the next."""
    points = list(zip(np.log(rates), np.log(sizes), strict=True))
    return [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in pairwise(points)]


def rates_from(largest: float) -> list[float]:
    return [largest / 2**halving for halving in range(5)]


def sizes(steps: Steps, rates: list[float], predicted: Tensor) -> tuple[list[float], list[float]]:
    """Of the difference, and of what is left of it without the term that is predicted, at each rate."""
    differences = [(rate, steps.swap(rate)) for rate in rates]
    left = [float((difference - rate**2 * predicted).norm()) for rate, difference in differences]
    return [float(difference.norm()) for _, difference in differences], left


def check_law(steps: Steps, rates: list[float]) -> None:
    whole, left = sizes(steps, rates, steps.commutator())
    np.testing.assert_allclose(slopes(rates, whole), 2, atol=0.02)
    np.testing.assert_allclose(slopes(rates, left), 3, atol=0.02)


def test_two_batches_swapped_differ_by_the_commutator_in_a_net_without_kinks(
    steps_of: Callable[[Named], Steps], own_model: Callable[..., Named]
) -> None:
    check_law(steps_of(own_model(SmoothNet)), rates_from(2**-10))


def test_and_in_our_own_network_at_rates_at_which_no_unit_crosses_its_kink(steps_of: Callable[[Named], Steps]) -> None:
    """ReLU and max-pooling have no Hessian where they bend. With fixed weights and images no unit is nearer to a bend
    than some distance, which steps at these rates do not reach."""
    model = Named(name="mnist-cnn", options={"conv_dropout": 0.0, "fc_dropout": 0.0})
    check_law(steps_of(model), rates_from(2**-13))


def test_a_term_that_is_not_quite_it_leaves_as_much_as_there_was(
    steps_of: Callable[[Named], Steps], own_model: Callable[..., Named]
) -> None:
    steps = steps_of(own_model(SmoothNet))
    rates = rates_from(2**-10)
    for wrong in (0.99, -1):
        _, left = sizes(steps, rates, wrong * steps.commutator())
        assert max(slopes(rates, left)) < 2.5
