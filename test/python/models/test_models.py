"""The models: sizes of the study, logits, layout, and that reordered layers are the same function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from py_backend.errors import BackendError
from py_backend.models import MODELS, contract, find
from py_backend.models.fashion_mnist_cnn import activated_and_pooled
from py_backend.noise import KeyedDropout, StepNoise, attach
from py_backend.resident import DataPart, Normalisation, ResidentPixels

FOLDER = Path(contract.__file__).parent
NOT_MODELS = {"__init__", "contract", "sizes"}
GREY, COLOUR = (1, 28, 28), (3, 32, 32)


def build(name: str, shape: tuple[int, int, int] = GREY, classes: int = 10, **options: Any) -> nn.Module:
    definition = MODELS[name]
    torch.manual_seed(0)
    model = definition.build(shape, classes, msgspec.convert(options, definition.options))
    attach(model, StepNoise())
    return model


def size(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_table_and_folder_are_the_same() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - NOT_MODELS
    assert {name.replace("-", "_") for name in MODELS} == files
    assert [definition.name for definition in MODELS.values()] == list(MODELS)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BackendError, match="mnist-cnn, fashion-mnist-cnn, resnet18") as refused:
        find("lenet")
    assert (refused.value.code, refused.value.details["known"]) == ("unknown_name", list(MODELS))


@pytest.mark.parametrize(
    ("name", "shape", "classes", "options", "parameters"),
    [
        ("mnist-cnn", GREY, 10, {}, 20_074),
        ("mnist-cnn", GREY, 10, {"padding": "same"}, 24_234),
        ("fashion-mnist-cnn", GREY, 10, {}, 68_621),
        ("fashion-mnist-cnn", GREY, 10, {"padding": "same"}, 71_821),
        ("resnet18", COLOUR, 10, {}, 11_173_962),
        ("resnet18", COLOUR, 100, {}, 11_220_132),
        ("resnet18", COLOUR, 10, {"norm": "group"}, 11_173_962),
    ],
)
def test_parameter_counts(name: str, shape: Any, classes: int, options: Any, parameters: int) -> None:
    model = build(name, shape, classes, **options)
    assert size(model) == parameters
    assert model.eval()(torch.zeros(2, *shape)).shape == (2, classes)


@pytest.mark.parametrize(
    ("name", "padding", "features"),
    [
        ("mnist-cnn", "none", 1152),
        ("mnist-cnn", "same", 1568),
        ("fashion-mnist-cnn", "none", 256),
        ("fashion-mnist-cnn", "same", 576),
    ],
)
def test_flat_sizes(name: str, padding: str, features: int) -> None:
    model = build(name, padding=padding)
    assert model.fc.in_features == features
    assert model.eval()(torch.zeros(1, *GREY)).shape == (1, 10)


@pytest.mark.parametrize("side", range(16, 34))
@pytest.mark.parametrize("padding", ["none", "same"])
@pytest.mark.parametrize("name", ["mnist-cnn", "fashion-mnist-cnn"])
def test_other_image_sizes(name: str, padding: str, side: int) -> None:
    model = build(name, (2, side, side + 1), 4, padding=padding)
    assert model.eval()(torch.zeros(1, 2, side, side + 1)).shape == (1, 4)


@pytest.mark.parametrize(
    ("name", "padding", "least"),
    [
        ("mnist-cnn", "none", 7),
        ("mnist-cnn", "same", 4),
        ("fashion-mnist-cnn", "none", 15),
        ("fashion-mnist-cnn", "same", 8),
    ],
)
def test_an_input_too_small_is_refused_with_what_is_needed(name: str, padding: str, least: int) -> None:
    assert build(name, (1, least, least), padding=padding).eval()(torch.zeros(1, 1, least, least)).shape == (1, 10)
    for height, width in ((least - 1, least), (least, least - 1), (1, 1)):
        with pytest.raises(BackendError) as refused:
            build(name, (1, height, width), padding=padding)
        assert refused.value.code == "bad_option"
        assert f"images of {height} × {width} are too small" in refused.value.message
        assert f"at least {least} × {least} is needed" in refused.value.message


@pytest.mark.parametrize("name", list(MODELS))
def test_logits_not_probabilities(name: str) -> None:
    model = build(name, COLOUR)
    with torch.no_grad():
        model.fc.weight.mul_(50)
        logits = model.eval()(torch.randn(16, *COLOUR))
    sums = logits.exp().sum(1)
    assert float(logits.min()) < 0 < float(logits.max())
    assert not torch.allclose(logits.sum(1), torch.ones(16), atol=0.1)
    assert not torch.allclose(sums, torch.ones(16), atol=0.1)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize(
    ("name", "options"),
    [(name, {}) for name in MODELS] + [("mnist-cnn", {"padding": "same"}), ("fashion-mnist-cnn", {"padding": "same"})],
)
def test_channels_last_is_kept_inside(
    name: str, options: dict[str, Any], shape: tuple[int, int, int], count: int, precision: torch.dtype
) -> None:
    model = build(name, shape, **options).to(memory_format=torch.channels_last).train()
    if noisy := [module for module in model.modules() if isinstance(module, KeyedDropout)]:
        noisy[0].noise.set(torch.zeros(1 + len(noisy), dtype=torch.int64), torch.arange(count))
    seen: list[str] = []

    def watch(module: nn.Module, _inputs: Any, output: Tensor) -> None:
        if output.dim() == 4:
            assert output.is_contiguous(memory_format=torch.channels_last), module
            seen.append(type(module).__name__)

    for module in model.modules():
        module.register_forward_hook(watch)
    channels, height, width = shape
    images = torch.zeros(5, height, width, channels, dtype=torch.uint8)
    scale = torch.ones(1, channels, 1, 1)
    part = DataPart(ResidentPixels(images), torch.zeros(5).long(), Normalisation(scale, scale))
    batch = part.batch(torch.arange(count))
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        model(batch)
    assert seen.count("Conv2d") == sum(isinstance(module, nn.Conv2d) for module in model.modules())


class ActivationFirst(nn.Module):
    """mnist-cnn as the slides draw it: ReLU before pooling."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        m = self.model
        x = F.max_pool2d(F.relu(m.conv1(x)), 2)
        x = F.max_pool2d(F.relu(m.conv2(x)), 2)
        return m.fc(x.flatten(1))


@pytest.mark.parametrize("padding", ["none", "same"])
def test_pooling_before_relu_is_relu_before_pooling_with_its_gradients(padding: str) -> None:
    ours = build("mnist-cnn", padding=padding, conv_dropout=0.0, fc_dropout=0.0)
    theirs = ActivationFirst(build("mnist-cnn", padding=padding, conv_dropout=0.0, fc_dropout=0.0))
    x, labels = torch.randn(32, *GREY), torch.arange(32) % 10
    outputs = []
    for model in (ours, theirs):
        logits = model(x)
        F.cross_entropy(logits, labels).backward()
        outputs.append(logits)
    assert torch.equal(*outputs)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.grad, other.grad)
        assert mine.grad.abs().sum() > 0


class TextbookBlock(nn.Module):
    """A basic block after He et al. 2016, figure 2, with a projection where the shape changes (option B)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.b = block

    def forward(self, x: Tensor) -> Tensor:
        b = self.b
        stride = b.conv1.stride
        y = F.conv2d(x, b.conv1.weight, stride=stride, padding=1)
        y = torch.relu(F.batch_norm(y, None, None, b.norm1.weight, b.norm1.bias, training=True))
        y = F.conv2d(y, b.conv2.weight, padding=1)
        y = F.batch_norm(y, None, None, b.norm2.weight, b.norm2.bias, training=True)
        if isinstance(b.shortcut, nn.Identity):
            return torch.relu(y + x)
        conv, norm = b.shortcut
        x = F.conv2d(x, conv.weight, stride=stride)
        return torch.relu(y + F.batch_norm(x, None, None, norm.weight, norm.bias, training=True))


def test_resnet18_is_the_published_network() -> None:
    model = build("resnet18", COLOUR)
    x = torch.randn(4, *COLOUR)
    y = F.conv2d(x, model.stem.weight, padding=1)
    y = torch.relu(F.batch_norm(y, None, None, model.norm.weight, model.norm.bias, training=True))
    shapes = []
    for block in model.blocks:
        y = TextbookBlock(block)(y)
        shapes.append(tuple(y.shape[1:]))
    expected = model.fc(F.adaptive_avg_pool2d(y, 1).flatten(1))
    assert shapes == [(64, 32, 32)] * 2 + [(128, 16, 16)] * 2 + [(256, 8, 8)] * 2 + [(512, 4, 4)] * 2
    torch.testing.assert_close(model.train()(x), expected)


def test_resnet18_with_group_norm_has_32_groups_in_place_of_each_batch_norm() -> None:
    """And the same initial weights: none of the two draws any."""
    batch, group = build("resnet18", COLOUR), build("resnet18", COLOUR, norm="group")
    norms = [name for name, module in batch.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 20
    modules = dict(group.named_modules())
    for name in norms:
        seen = modules[name]
        assert isinstance(seen, nn.GroupNorm)
        assert (seen.num_groups, seen.num_channels) == (32, batch.get_submodule(name).num_features)
    assert not any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in group.modules())
    weights = dict(batch.named_parameters())
    assert [name for name, _ in group.named_parameters()] == list(weights)
    assert all(torch.equal(weight, weights[name]) for name, weight in group.named_parameters())


def test_resnet18_with_group_norm_is_the_published_one() -> None:
    """Every BatchNorm of the network written in this file replaced by GroupNorm's definition (Wu and He 2018, section
    3): mean and variance over height, width and the channels of a group, of one sample."""
    model = build("resnet18", COLOUR, norm="group")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)  # scales and shifts are not 1 and 0

    def norm(x: Tensor, layer: nn.Module) -> Tensor:
        groups = x.reshape(len(x), 32, -1)
        centred = groups - groups.mean(2, keepdim=True)
        y = (centred / (centred.square().mean(2, keepdim=True) + 1e-5).sqrt()).reshape(x.shape)
        return y * layer.weight[:, None, None] + layer.bias[:, None, None]

    x = torch.randn(2, *COLOUR)
    y = torch.relu(norm(F.conv2d(x, model.stem.weight, padding=1), model.norm))
    for block in model.blocks:
        stride, before = block.conv1.stride, y
        y = torch.relu(norm(F.conv2d(y, block.conv1.weight, stride=stride, padding=1), block.norm1))
        y = norm(F.conv2d(y, block.conv2.weight, padding=1), block.norm2)
        if not isinstance(block.shortcut, nn.Identity):
            conv, last = block.shortcut
            before = norm(F.conv2d(before, conv.weight, stride=stride), last)
        y = torch.relu(y + before)
    torch.testing.assert_close(model.train()(x), model.fc(y.mean((2, 3))), rtol=1e-4, atol=1e-4)


def test_fashion_mnist_cnn_is_what_its_file_says() -> None:
    model = build("fashion-mnist-cnn", fc_dropout=0.0)
    x = torch.randn(4, *GREY)
    y = x
    for number, channels in ((1, 64), (2, 128), (3, 64)):
        conv, act = getattr(model, f"conv{number}"), getattr(model, f"act{number}")
        assert conv.out_channels == channels
        assert act.weight.tolist() == [0.25]
        y = F.conv2d(y, conv.weight, conv.bias)
        y = F.max_pool2d(torch.where(y >= 0, y, 0.25 * y), 2)
    torch.testing.assert_close(model(x), y.flatten(1) @ model.fc.weight.T + model.fc.bias)


@pytest.mark.parametrize("slope", [0.25, 0.2431, 1.5, 0.0, -0.1])
def test_an_activation_behind_its_pooling_gives_what_it_gives_before_it(slope: float) -> None:
    generator = torch.Generator().manual_seed(1)
    values = torch.randn((8, 16, 9, 9), generator=generator).contiguous(memory_format=torch.channels_last)
    gradient = torch.randn((8, 16, 4, 4), generator=generator)

    def passed(pool: Callable[[Tensor, nn.PReLU], Tensor]) -> list[Tensor]:
        x, activation = values.clone().requires_grad_(), nn.PReLU(init=slope)
        y = pool(x, activation)
        y.backward(gradient)
        assert x.grad is not None and activation.weight.grad is not None
        return [y.detach(), x.grad, activation.weight.grad]

    expected = passed(lambda x, activation: F.max_pool2d(activation(x), 2))
    y, of_x, of_slope = passed(activated_and_pooled)
    assert torch.equal(y, expected[0])
    assert torch.equal(of_x, expected[1])
    torch.testing.assert_close(of_slope, expected[2], rtol=1e-5, atol=1e-5)
