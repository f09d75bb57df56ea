"""The small network of the study's experiment 3 (MNIST).

    input                                1 × 28 × 28
    conv 2×2, 64 · max-pool 2 · ReLU    64 × 13 × 13   (same padding: 14 × 14)
    dropout 0.3
    conv 2×2, 32 · max-pool 2 · ReLU    32 ×  6 ×  6   (same padding:  7 ×  7)
    dropout 0.3
    flatten                             1,152          (same padding: 1,568)
    dropout 0.5
    fully connected                     10 logits

20,074 parameters (same padding: 24,234). The study fixes layers, filters and dropout rates ("0.3 on the conv layers,
0.5 on the FC layer, softmax"). Our reading: no padding, PyTorch's default; 0.3 after each pooling; 0.5 on the input of
the FC layer; the softmax is in the loss, so this returns logits. Pooling comes before ReLU: the same bits as after it,
in fewer operations.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch.nn.functional as F
from msgspec import Meta, Struct
from torch import Tensor, nn

from ..noise import KeyedDropout
from .contract import ModelDefinition
from .sizes import flat_size


class Options(Struct, forbid_unknown_fields=True, kw_only=True):
    padding: Annotated[Literal["none", "same"], Meta(description="of the 2×2 convolutions; the study does not say")] = (
        "none"
    )
    conv_dropout: Annotated[
        float, Meta(ge=0, le=0.99, description="probability after each pooling, used as the nearest multiple of 1/256")
    ] = 0.3
    fc_dropout: Annotated[
        float, Meta(ge=0, le=0.99, description="probability on the fully connected layer's input, likewise")
    ] = 0.5


class MnistCnn(nn.Module):
    def __init__(self, input_shape: tuple[int, int, int], class_count: int, options: Options) -> None:
        super().__init__()
        channels = input_shape[0]
        padding = "same" if options.padding == "same" else 0
        self.conv1 = nn.Conv2d(channels, 64, 2, padding=padding)
        self.drop1 = KeyedDropout(options.conv_dropout)
        self.conv2 = nn.Conv2d(64, 32, 2, padding=padding)
        self.drop2 = KeyedDropout(options.conv_dropout)
        self.drop3 = KeyedDropout(options.fc_dropout)
        self.fc = nn.Linear(flat_size("mnist-cnn", input_shape, 32, padding, 2), class_count)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop1(F.relu(F.max_pool2d(self.conv1(x), 2)))
        x = self.drop2(F.relu(F.max_pool2d(self.conv2(x), 2)))
        logits: Tensor = self.fc(self.drop3(x.flatten(1)))
        return logits


MODEL = ModelDefinition(
    name="mnist-cnn",
    summary="2 convolutions (64, 32; 2×2), ReLU, dropout; 20,074 parameters",
    when_to_choose="experiment 3 of the study (MNIST); small and quick on a CPU",
    options=Options,
    build=MnistCnn,
)
