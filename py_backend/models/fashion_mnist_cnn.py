"""The network of the study's experiment 1 (Fashion-MNIST).

    input                                  1 × 28 × 28
    conv 2×2,  64 · PReLU · max-pool 2    64 × 13 × 13   (same padding: 14 × 14)
    conv 2×2, 128 · PReLU · max-pool 2   128 ×  6 ×  6   (same padding:  7 ×  7)
    conv 2×2,  64 · PReLU · max-pool 2    64 ×  2 ×  2   (same padding:  3 ×  3)
    flatten                               256            (same padding: 576)
    dropout 0.5
    fully connected                       10 logits

68,621 parameters (same padding: 71,821). The study fixes layers, filters, PReLU and the dropout on the FC layer. Our
reading: no padding, PyTorch's default; one PReLU parameter a layer, start 0.25, PyTorch's default; the dropout is on
the input of the FC layer; logits are returned.
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
    fc_dropout: Annotated[
        float,
        Meta(
            ge=0,
            le=0.99,
            description="probability on the fully connected layer's input, used as the nearest multiple of 1/256",
        ),
    ] = 0.5


class FashionMnistCnn(nn.Module):
    def __init__(self, input_shape: tuple[int, int, int], class_count: int, options: Options) -> None:
        super().__init__()
        channels = input_shape[0]
        padding = "same" if options.padding == "same" else 0
        self.conv1 = nn.Conv2d(channels, 64, 2, padding=padding)
        self.act1 = nn.PReLU()
        self.conv2 = nn.Conv2d(64, 128, 2, padding=padding)
        self.act2 = nn.PReLU()
        self.conv3 = nn.Conv2d(128, 64, 2, padding=padding)
        self.act3 = nn.PReLU()
        self.drop = KeyedDropout(options.fc_dropout)
        self.fc = nn.Linear(flat_size("fashion-mnist-cnn", input_shape, 64, padding, 3), class_count)

    def forward(self, x: Tensor) -> Tensor:
        x = activated_and_pooled(self.conv1(x), self.act1)
        x = activated_and_pooled(self.conv2(x), self.act2)
        x = activated_and_pooled(self.conv3(x), self.act3)
        logits: Tensor = self.fc(self.drop(x.flatten(1)))
        return logits


def activated_and_pooled(x: Tensor, activation: nn.PReLU) -> Tensor:
    """max_pool2d(activation(x), 2), x [B, C, H, W]. With a slope above 0 an activation rises, so pooling may come
    first, which leaves it a quarter of the values: the same outputs, and the same gradients but for the sequence in
    which the slope's is summed, and where two inputs are rounded to one output. To look at the slope costs nothing on
    the CPU; elsewhere it would wait for the device."""
    if x.device.type == "cpu" and activation.weight.item() > 0:
        pooled: Tensor = activation(F.max_pool2d(x, 2))
        return pooled
    return F.max_pool2d(activation(x), 2)


MODEL = ModelDefinition(
    name="fashion-mnist-cnn",
    summary="3 convolutions (64, 128, 64; 2×2), PReLU, dropout; 68,621 parameters",
    when_to_choose="experiment 1 of the study (Fashion-MNIST)",
    options=Options,
    build=FashionMnistCnn,
)
