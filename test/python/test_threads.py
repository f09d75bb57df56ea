"""The number of torch's threads is the backend's, whatever a user's code sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from py_backend.errors import BackendError


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    yield
    torch.set_num_threads(1)


class Greedy(nn.Module):
    """Takes two threads in a training pass from its n-th one on."""

    def __init__(self, passes_before: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
        self.passes_left = passes_before

    def forward(self, images: Tensor) -> Tensor:
        if self.training and self.passes_left == 0:
            torch.set_num_threads(2)
        self.passes_left -= 1
        return self.layers(images)


def test_threads_that_were_set_at_import_or_while_building_are_set_back_and_said(
    open_run: Callable[..., Any], own_model: Callable[..., Any]
) -> None:
    def build(*_: Any) -> nn.Module:
        torch.set_num_threads(2)
        return Greedy(passes_before=1000)

    opened = open_run(model=own_model(build)).opened.body
    assert torch.get_num_threads() == opened.threads == 1
    (notice,) = opened.notices
    assert "set torch to 2 threads: back to the 1 that the backend was started with" in notice


def test_threads_that_are_set_while_training_fail_the_session(
    open_run: Callable[..., Any], own_model: Callable[..., Any]
) -> None:
    run = open_run(model=own_model(lambda *_: Greedy(passes_before=1)))
    assert run.opened.body.notices == []
    run.train([[0, 1]])
    with pytest.raises(
        BackendError, match=r"set torch to 2 threads while it ran.*backend.threads=2 \(now 1\)"
    ) as caught:
        run.train([[2, 3]])
    assert caught.value.code == "bad_reference"
    assert torch.get_num_threads() == 1
    with pytest.raises(BackendError, match="an earlier chunk failed"):
        run.train([[2, 3]])
