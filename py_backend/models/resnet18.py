"""ResNet-18 for 32 × 32 images: experiments 2 (CIFAR-10) and 4 (CIFAR-100) of the study.

    input                                       3 × 32 × 32
    conv 3×3, 64, stride 1 · BatchNorm · ReLU  64 × 32 × 32   (no first pooling)
    2 basic blocks, 64                         64 × 32 × 32
    2 basic blocks, 128, stride 2             128 × 16 × 16
    2 basic blocks, 256, stride 2             256 ×  8 ×  8
    2 basic blocks, 512, stride 2             512 ×  4 ×  4
    mean over height and width                512
    fully connected                           10 or 100 logits

11,173,962 parameters with 10 classes, 11,220,132 with 100. He et al. 2016 (arXiv 1512.03385), with the 3×3 stem that
the study's code and most CIFAR work use. A mean instead of adaptive pooling, whose backward pass is not deterministic
on CUDA. Initial weights are PyTorch's defaults.

With `norm: group` each BatchNorm is a GroupNorm (Wu and He 2018, arXiv 1803.08494) of 32 groups, their default, which
divides all channel counts here: 2 channels a group after the stem, 16 in the last blocks. It looks at one sample at a
time, so what else is in a batch changes nothing. As many parameters, and the same initial weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import torch.nn.functional as F
from msgspec import Meta, Struct
from torch import Tensor, nn

from .contract import ModelDefinition

GROUPS = 32


class Options(Struct, forbid_unknown_fields=True, kw_only=True):
    norm: Annotated[
        Literal["batch", "group"],
        Meta(
            description="BatchNorm: in training each sample is normalised with the statistics of its batch; or "
            "GroupNorm with 32 groups: with its own"
        ),
    ] = "batch"


def group_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(GROUPS, channels)


class BasicBlock(nn.Module):
    def __init__(self, in_channels: int, channels: int, stride: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = norm(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False), norm(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self, input_shape: tuple[int, int, int], class_count: int, options: Options) -> None:
        super().__init__()
        norm = group_norm if options.norm == "group" else nn.BatchNorm2d
        self.stem = nn.Conv2d(input_shape[0], 64, 3, padding=1, bias=False)
        self.norm = norm(64)
        self.blocks = nn.Sequential(
            BasicBlock(64, 64, 1, norm),
            BasicBlock(64, 64, 1, norm),
            BasicBlock(64, 128, 2, norm),
            BasicBlock(128, 128, 1, norm),
            BasicBlock(128, 256, 2, norm),
            BasicBlock(256, 256, 1, norm),
            BasicBlock(256, 512, 2, norm),
            BasicBlock(512, 512, 1, norm),
        )
        self.fc = nn.Linear(512, class_count)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(F.relu(self.norm(self.stem(x))))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


MODEL = ModelDefinition(
    name="resnet18",
    summary="ResNet-18 with a 3×3 stem for 32×32 images; 11,173,962 parameters",
    when_to_choose="experiments 2 and 4 of the study (CIFAR-10, CIFAR-100); wants a GPU",
    options=Options,
    build=ResNet18,
)
