"""Noise as a function of its place: (seed, step, layer, place of the sample in the whole batch, position).

Nothing here remembers anything from one step to the next, so cutting an epoch into other messages, or a batch into
micro-batches, changes no bit. The generator is SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom
number generators"), written in int64 tensor operations: the word at position i of the sequence with key k is
mix(k + (i + 1)·γ). Keys are tensors, not Python numbers, so that a compiled step need not be compiled again.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

GAMMA = 0x9E3779B97F4A7C15
MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS = (30, 27, 31)
MASK64 = (1 << 64) - 1

AUGMENTATION_LAYER = 0
"""Layer number of the augmentation's noise; the model's dropout layers count from 1."""
MODULE_SEED_LAYER = 1 << 32
"""A layer number that no layer has."""
EVALUATION_SEED_LAYER = MODULE_SEED_LAYER + 1
"""Another one."""
Looked = Literal["score", "train", "test", "calibration"]
"""What samples are looked at without learning from them."""


def signed(value: int) -> int:
    """The int64 with the same 64 bits."""
    value &= MASK64
    return value - (1 << 64) if value >> 63 else value


def splitmix64(state: int) -> int:
    """SplitMix64's output for this state: the reference in plain integers."""
    z = state & MASK64
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True):
        z = (z ^ (z >> shift)) * multiplier & MASK64
    return z


def derive(*parts: int) -> int:
    """A 64-bit key from integers: each is mixed in after the ones before it, so (0, 1) and (1, 0) differ."""
    key = 0
    for part in parts:
        key = splitmix64(splitmix64(key + GAMMA) + (part + 1) * GAMMA)
    return key


def splitmix64_array(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """`splitmix64` of each state."""
    z = state
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(multiplier)
    return z


def derive_further(keys: npt.NDArray[np.uint64], parts: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """One more part mixed into keys that `derive` made: arrays that broadcast to at least one dimension."""
    gamma = np.uint64(GAMMA)
    return splitmix64_array(splitmix64_array(keys + gamma) + (parts + np.uint64(1)) * gamma)


FEW_KEYS = 16
"""So many are made one by one in less time than a call of numpy takes."""


def derive_steps(seed: int, first_step: int, steps: int, layers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """derive(seed, first_step + s, layers[l]), as [steps, len(layers)]."""
    if steps * len(layers) <= FEW_KEYS:
        numbers = range(first_step, first_step + steps)
        return np.array([[derive(seed, step, layer) for layer in layers.tolist()] for step in numbers], np.uint64)
    all_steps = np.arange(first_step, first_step + steps, dtype=np.uint64)
    keys = derive_further(np.array([derive(seed)], np.uint64), all_steps)
    return derive_further(keys[:, None], layers[None, :])


@dataclass(frozen=True)
class StepKeys:
    """What the noise of some steps is made from. layers: int64 [steps, layers]; modules: seeds of torch's own
    generators, one a step, for modules that we did not write."""

    layers: npt.NDArray[np.int64]
    modules: list[int]


def step_keys(seed: int, first_step: int, steps: int, layers: int) -> StepKeys:
    """Key (s, l) is derive(seed, first_step + s, l); the modules' seed is that of `MODULE_SEED_LAYER`."""
    numbers = np.append(np.arange(layers, dtype=np.uint64), np.uint64(MODULE_SEED_LAYER))
    derived = derive_steps(seed, first_step, steps, numbers)
    return StepKeys(np.ascontiguousarray(derived[:, :-1]).view(np.int64), derived[:, -1].tolist())


def evaluation_seed(seed: int, step: int, looked: Looked) -> int:
    """Of torch's own generators, for a model that draws in evaluation mode, too. step: where the session stands."""
    return derive(seed, step, EVALUATION_SEED_LAYER, get_args(Looked).index(looked))


def words(key: Tensor, places: Tensor, count: int) -> Tensor:
    """`count` random 64-bit words for each sample.

    key: int64 []; places: int64 [B], the samples' places in the whole batch. Returns int64 [B, count]; the word
    (place, j) stands at position place·count + j of the key's sequence.
    """
    position = torch.arange(1, count + 1, device=places.device).mul_(signed(GAMMA)).add_(key)
    z = (places * signed(count * GAMMA)).unsqueeze(1) + position
    scratch = torch.empty_like(z)
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True):
        torch.bitwise_right_shift(z, shift, out=scratch)
        scratch.bitwise_and_((1 << (64 - shift)) - 1)  # torch shifts in the sign
        z.bitwise_xor_(scratch)
        if multiplier != 1:
            z.mul_(signed(multiplier))
    return z


def bounded(random: Tensor, bound: int) -> Tensor:
    """Integers 0 … bound-1 from the high 32 bits of int64 words; each value's probability is off by less than 2^-32."""
    high = torch.bitwise_right_shift(random, 32).bitwise_and_(0xFFFFFFFF)
    return high.mul_(bound).bitwise_right_shift_(32)


class StepNoise:
    """The key row of the step under way and the places of the samples under way: all that changes in a step.

    One object is shared by all noisy layers of a model; training sets it before each forward pass.
    """

    def __init__(self) -> None:
        self._keys: Tensor | None = None
        self._places: Tensor | None = None

    def set(self, keys: Tensor, places: Tensor) -> None:
        """keys: int64 [layers] of this step; places: int64 [B] of the samples that come next."""
        self._keys = keys
        self._places = places

    def words(self, layer: int, count: int) -> Tensor:
        """int64 [B, count] for this layer."""
        if self._keys is None or self._places is None:
            raise RuntimeError("noise was asked for before a step was begun: call StepNoise.set first")
        return words(self._keys[layer], self._places, count)


class KeyedDropout(nn.Module):
    """Dropout whose mask is a function of (seed, step, layer, place in the batch).

    p is rounded to a multiple of 1/256 (`probability` is what is used) and kept values are scaled by 1/(1 - p), so
    the expectation is exact. An element's byte follows from its place in N, H, W, C order, whatever the memory
    format. In evaluation mode it is the identity.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.threshold = round(p * 256)
        if not 0 <= self.threshold < 256:
            raise ValueError(f"dropout probability {p} is outside of 0 … 255/256")
        self.layer: int | None = None
        self.noise: StepNoise | None = None

    @property
    def probability(self) -> float:
        return self.threshold / 256

    @property
    def scale(self) -> float:
        return 256 / (256 - self.threshold)

    def extra_repr(self) -> str:
        return f"p={self.probability}"

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.threshold == 0:
            return x
        if x.dtype == torch.float32:
            return x * self.kept(x).mul_(self.scale)
        return x * self.kept(x) * self.scale  # the scale itself, rounded to fewer bits, would be another expectation

    @torch.no_grad()
    def kept(self, x: Tensor) -> Tensor:
        """0 or 1 for each element of x, in x's dtype."""
        if self.noise is None or self.layer is None:
            raise RuntimeError("KeyedDropout is used without noise: call noise.attach(model, noise) first")
        samples, size = x.shape[0], prod(x.shape[1:])
        random = self.noise.words(self.layer, (size + 7) // 8).view(torch.uint8)[:, :size]
        mask = torch.empty((samples, size), dtype=x.dtype, device=x.device)
        torch.ge(random, self.threshold, out=mask)
        if x.dim() == 4:
            channels, height, width = x.shape[1:]
            return mask.view(samples, height, width, channels).permute(0, 3, 1, 2)
        return mask.view(x.shape)


def attach(model: nn.Module, noise: StepNoise) -> list[KeyedDropout]:
    """Numbers the model's dropout layers from 1 and gives them their noise; returns them."""
    layers = [module for module in model.modules() if isinstance(module, KeyedDropout)]
    for number, layer in enumerate(layers, start=AUGMENTATION_LAYER + 1):
        layer.layer = number
        layer.noise = noise
    return layers
