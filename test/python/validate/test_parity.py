"""Model parity of our ResNet-18 and MNIST network with ones that a user wrote (test/references), and planted faults."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from py_backend import models
from py_validate.check import Check
from py_validate.parity import model_parity

REFERENCES = Path(__file__).parents[2] / "references"
LATER = ["dropout", "forward, evaluation mode", "forward, training mode", "gradients", "buffers after a training pass"]


@pytest.fixture(autouse=True)
def users_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(REFERENCES))
    yield
    for name in ("mnist", "resnet", "faults", "adapted_torchvision"):
        sys.modules.pop(name, None)


def ours(name: str, **options: Any) -> nn.Module:
    definition = models.find(name)
    shape = (1, 28, 28) if name == "mnist-cnn" else (1, 16, 16)
    return definition.build(shape, 10, definition.options(**options))


def batch(side: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 1, side, side, generator=generator), torch.tensor([0, 3, 9, 3])


def resnet_parity(theirs: nn.Module) -> dict[str, Check]:
    return {check.name: check for check in model_parity(ours("resnet18"), theirs, *batch(16))}


def failed(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.verdict == "fail"]


def test_a_resnet_that_a_user_wrote_is_ours() -> None:
    from resnet import ResNet  # type: ignore[import-not-found]

    model = ResNet(in_channels=1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    checks = resnet_parity(model)
    assert {check.verdict for check in checks.values()} == {"pass"}
    assert list(checks) == ["parameters", "buffers", *LATER]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("fault", "lines", "first", "says"),
    [
        ("max_pool_in_stem", LATER[1:], "forward, evaluation mode", ["input of layer1.0.conv1", "maxpool (MaxPool2d)"]),
        ("eps_changed", LATER[1:], "forward, evaluation mode", ["output of bn1 (ours norm), BatchNorm2d: 4.5e-06"]),
        (
            "batch_norm_momentum",
            LATER[4:],
            "buffers after a training pass",
            ["40 of 40 differ, first bn1"],
        ),
    ],
)
def test_a_fault_in_a_resnet_is_named(fault: str, lines: list[str], first: str, says: list[str]) -> None:
    import faults  # type: ignore[import-not-found]

    checks = resnet_parity(getattr(faults, fault)())
    assert failed(checks) == lines
    assert all(text in checks[first].detail for text in says), checks[first].detail


def test_other_dropout_is_told_by_its_probabilities() -> None:
    from mnist import MnistNet  # type: ignore[import-not-found]

    checks = {check.name: check for check in model_parity(ours("mnist-cnn", fc_dropout=0.4), MnistNet(), *batch(28))}
    assert failed(checks) == ["dropout"]
    assert checks["dropout"].detail.endswith("reference dropout 0.300781, dropout 0.300781, dropout 0.5")


def test_parameters_are_paired_in_the_order_of_execution_where_that_of_the_state_does_not_fit() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(1152, 10)
            self.second = nn.Conv2d(64, 32, 2)
            self.first = nn.Conv2d(1, 64, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = nn.functional.max_pool2d(self.first(x), 2).relu()
            return self.fc(nn.functional.max_pool2d(self.second(x), 2).relu().flatten(1))

    checks = {
        check.name: check
        for check in model_parity(ours("mnist-cnn", conv_dropout=0, fc_dropout=0), Turned(), *batch(28))
    }
    assert failed(checks) == []
    assert checks["parameters"].detail == "paired in the order of execution"


def test_torchvisions_resnet_without_its_stem_is_ours() -> None:
    torchvision: Any = pytest.importorskip("torchvision", reason="torchvision is not installed here")
    model = torchvision.models.resnet18(num_classes=10)
    model.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    assert failed(resnet_parity(model)) == []


@pytest.mark.parametrize("make", [lambda: nn.Linear(3, 3), lambda: nn.Sequential(nn.Flatten(), nn.Linear(9, 10))])
def test_what_the_reference_raises_passes_through(make: Callable[[], nn.Module]) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        model_parity(ours("mnist-cnn"), make(), *batch(28))


def test_a_gradient_that_is_rounding_alone_is_not_judged_by_its_own_size() -> None:
    """A bias before BatchNorm has no gradient but rounding noise, which the order of operations changes altogether."""

    class Biased(nn.Module):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)
            self.norm = nn.BatchNorm2d(4)
            self.fc = nn.Linear(4, 10)
            self.factor = factor

        def forward(self, x: Tensor) -> Tensor:
            return self.fc((self.norm(self.conv(x)).relu() * self.factor / self.factor).mean((2, 3)))

    checks = {check.name: check for check in model_parity(Biased(1.0), Biased(3.0), *batch(16))}
    assert failed(checks) == []
