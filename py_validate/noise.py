"""The noise that the backend promises, written anew from its definition (py_backend/noise.py's docstring).

A key is made of integers: each part p is mixed in by key ← mix(mix(key + γ) + (p + 1)·γ), from 0. The word at position
i of the sequence with key k is mix(k + (i + 1)·γ); sample `place` of the batch has the positions from place·count on.
Parts are (seed, step, layer): layer 0 is the augmentation, a model's dropout layers count from 1 in the order of
`modules()`, and torch's own generators are seeded with the key of layer 2^32. mix is SplitMix64's (Steele, Lea, Flood
2014), here in numpy's uint64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Words = npt.NDArray[np.uint64]

GAMMA = np.uint64(0x9E3779B97F4A7C15)
AUGMENTATION = 0
MODULES = 1 << 32
ALL_BITS = (1 << 64) - 1


def mix(state: Words) -> Words:
    """SplitMix64's output for each state; products wrap at 2^64."""
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def key_of(*parts: int) -> Words:
    """uint64 [1]: arrays wrap in silence where numpy's scalars warn."""
    key = np.zeros(1, np.uint64)
    for part in parts:
        key = mix(mix(key + GAMMA) + np.array([(part + 1) & ALL_BITS], np.uint64) * GAMMA)
    return key


def words_at(key: Words, places: npt.NDArray[np.int64], count: int) -> Words:
    """uint64 [B, count] of these places in the batch, int64 [B]."""
    positions = places.astype(np.uint64)[:, None] * np.uint64(count) + np.arange(count, dtype=np.uint64)
    return mix(key + (positions + np.uint64(1)) * GAMMA)


def bounded(word: int, bound: int) -> int:
    """0 … bound-1, from the word's high 32 bits."""
    return ((word >> 32) * bound) >> 32


class StepNoise:
    """All noise of the step that was begun last."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._step = -1
        self._places = np.empty(0, np.int64)

    def begin(self, step: int, batch_size: int) -> None:
        """Seeds torch's generators for modules that know nothing of keys."""
        self._step = step
        self.look_at(0, batch_size)
        torch.manual_seed(int(key_of(self._seed, step, MODULES)[0]))

    def look_at(self, start: int, end: int) -> None:
        """The samples that come next are those at these places of the batch."""
        self._places = np.arange(start, end)

    def crop_words(self, place: int) -> list[int]:
        """Row, column and flip of the augmentation of one sample."""
        words: list[int] = words_at(key_of(self._seed, self._step, AUGMENTATION), np.array([place]), 3)[0].tolist()
        return words

    def words(self, layer: int, count: int) -> Tensor:
        """int64 [B, count] for a dropout layer: what a keyed dropout asks its `noise` for."""
        return torch.from_numpy(words_at(key_of(self._seed, self._step, layer), self._places, count).view(np.int64))


class DeviceNoise:
    """The words of `noise` on another device."""

    def __init__(self, noise: StepNoise, device: torch.device) -> None:
        self._noise = noise
        self._device = device

    def words(self, layer: int, count: int) -> Tensor:
        return self._noise.words(layer, count).to(self._device)


def keyed_dropouts(model: nn.Module) -> list[Any]:
    """The modules that ask for noise: known by what they offer, not by their class."""
    return [module for module in model.modules() if hasattr(module, "threshold") and hasattr(module, "noise")]


def feed(model: nn.Module, noise: StepNoise, device: torch.device) -> None:
    """Numbers the keyed dropout layers from 1 and gives them their noise."""
    for number, module in enumerate(keyed_dropouts(model), start=AUGMENTATION + 1):
        module.layer = number
        module.noise = DeviceNoise(noise, device)
