"""Models as a team has them, good ones and ones with a fault. 12 × 12 grey images, 3 classes, as in conftest."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, num_classes: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(4, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.dropout(F.relu(self.norm(self.conv(images)))).mean((2, 3)))


class FlatNormNet(nn.Module):
    """BatchNorm on vectors: a training pass needs two samples."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(144, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class TwoHeads(Net):
    """Returns what a detector would."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        return {"logits": super().forward(images)}


class UnusedHead(Net):
    def __init__(self) -> None:
        super().__init__()
        self.auxiliary = nn.Linear(4, 3)


class FrozenStem(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv.requires_grad_(False)


class Detached(Net):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).detach()


class AllFrozen(Net):
    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False)
        self.register_parameter("unused", nn.Parameter(torch.zeros(1)))


class Counting(nn.Module):
    """Adds how often it was called, all over the process: never the same bits again."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        Counting.calls += 1
        return x + Counting.calls * 1e-3


class NotDeterministic(Net):
    def __init__(self) -> None:
        super().__init__()
        self.counting = Counting()

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(self.counting(images))


class Raises(Net):
    def forward(self, images: Tensor) -> Tensor:
        raise ValueError("kernels of\ntwo lines")


def not_a_model() -> str:
    return "weights.pt"


NUMBER = 3


class ViewNet(nn.Module):
    """Takes a view of what a convolution of several channels returns."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(400, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(F.relu(self.conv(images)).view(len(images), 400))


class VolumeNet(nn.Module):
    """Has weights of five dimensions, which know no channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 4, (1, 3, 3))
        self.fc = nn.Linear(4, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.conv(images[:, :, None]).mean((2, 3, 4)))


class Lazy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class WithoutParameters(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)[:, :3]


class HalfPrecision(Net):
    def __init__(self) -> None:
        super().__init__()
        self.to(torch.bfloat16)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.to(torch.bfloat16))


class Extra(Net):
    """Keeps something in its state dict that is no tensor."""

    def get_extra_state(self) -> dict[str, int]:
        return {"version": 3}

    def set_extra_state(self, state: dict[str, int]) -> None:
        pass


class Caching(Net):
    """Keeps what it computed in its first pass, of whatever kind, for all others."""

    def __init__(self) -> None:
        super().__init__()
        self.window: Tensor | None = None

    def forward(self, images: Tensor) -> Tensor:
        features = self.conv(images)
        if self.window is None:
            self.window = torch.ones_like(features[:1])
        return self.fc((features * self.window).mean((2, 3)))


class KeepsGraph(Net):
    """Adds the logits of its last pass."""

    def __init__(self) -> None:
        super().__init__()
        self.last: Tensor | float = 0.0

    def forward(self, images: Tensor) -> Tensor:
        logits = super().forward(images)
        self.last, last = logits, self.last
        return logits + last if self.training else logits


class Squeezes(Net):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).squeeze()


class Sparse(Net):
    def __init__(self) -> None:
        super().__init__()
        self.offsets = nn.Embedding(1, 3, sparse=True)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) + self.offsets(torch.zeros(1, dtype=torch.long))


class HoldsComputed(Net):
    """Computes in its constructor what belongs into its forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = self.fc.weight.exp()


class FailsLater(Net):
    """In its first pass on six samples."""

    def forward(self, images: Tensor) -> Tensor:
        if len(images) == 6:
            raise RuntimeError("six at a time")
        return super().forward(images)


class SwapsWeight(Net):
    """Replaces a parameter whenever it is trained: what the optimiser holds is another one then."""

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.fc.weight = nn.Parameter(self.fc.weight.detach().clone())
        return super().forward(images)


def made_in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return Net()


def scripted() -> nn.Module:
    return torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(144, 3)))
