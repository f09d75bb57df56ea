"""Each optimiser is torch's own, with the options that were given."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import torch

from py_backend.catalogue import read_options
from py_backend.errors import BackendError
from py_backend.optimizers import OPTIMIZERS, find


def build(name: str, **options: Any) -> torch.optim.Optimizer:
    definition = find(name)
    return definition.build([torch.nn.Parameter(torch.zeros(1))], msgspec.convert(options, definition.options))


@pytest.mark.parametrize(
    ("name", "options", "kind", "expected"),
    [
        ("sgd", {}, torch.optim.SGD, {"momentum": 0, "nesterov": False, "weight_decay": 0, "dampening": 0}),
        (
            "sgd",
            {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4},
            torch.optim.SGD,
            {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4},
        ),
        ("adam", {}, torch.optim.Adam, {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False}),
        ("adam", {"beta1": 0.8, "beta2": 0.9, "eps": 0.5}, torch.optim.Adam, {"betas": (0.8, 0.9), "eps": 0.5}),
        ("adamw", {}, torch.optim.AdamW, {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}),
        ("adamw", {"weight_decay": 0.3}, torch.optim.AdamW, {"weight_decay": 0.3}),
    ],
)
def test_options_reach_torchs_optimiser(name: str, options: Any, kind: type, expected: dict[str, Any]) -> None:
    optimizer = build(name, **options)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert {key: group[key] for key in expected} == expected
    assert group["lr"] == 0
    assert not group["maximize"]


def test_the_table_names_them_by_their_names() -> None:
    assert [definition.name for definition in OPTIMIZERS.values()] == list(OPTIMIZERS)


def test_nesterov_without_momentum_is_refused() -> None:
    with pytest.raises(BackendError, match="needs `momentum`") as refused:
        read_options("optimizer", find("sgd"), {"nesterov": True})
    assert refused.value.code == "bad_option"


def test_a_number_beyond_the_end_of_its_range_is_told_as_a_person_would() -> None:
    with pytest.raises(BackendError) as refused:
        read_options("optimizer", find("sgd"), {"momentum": 2})
    assert str(refused.value) == "optimizer sgd: `momentum` is 2; expected less than 1"


@pytest.mark.parametrize(("name", "option"), [("sgd", "weight_decay"), ("adam", "eps"), ("adamw", "weight_decay")])
def test_what_torch_cannot_multiply_float32_with_is_refused(name: str, option: str) -> None:
    most = float(torch.finfo(torch.float32).max)
    build(name, **{option: most})
    with pytest.raises(BackendError, match=option):
        read_options("optimizer", find(name), {option: 1e39})
