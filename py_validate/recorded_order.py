"""The recorded batches of a run, for any PyTorch loop. Needs torch, and nothing else of ibatch.

    order = RecordedOrder("runs/mnist-1a2b3c4d/shuffled/seed-0", epoch=0)
    for rate, (images, labels) in zip(order.learning_rates, DataLoader(dataset, batch_sampler=order)):
        ...

A run's directory holds `orders/0000.u32` (the epoch's indices in training order, little-endian) and `orders/0000.json`
(where each batch begins, learning rates, hashes); `orders/0000.weights.f32` where the order gave weights.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler


class RecordedOrder(Sampler[list[int]]):
    """The batches that a run trained on in one epoch, in its order: a `batch_sampler`.

    indices: uint32 [m]; offsets: uint32 [batches + 1], batch b is indices[offsets[b] : offsets[b + 1]];
    learning_rates: one a batch; weights: float32 [B] of each batch's samples, or None where every weight is 1 (the
    gradient of a batch is that of the sum of weight·loss, divided by B); order_sha256, plan_sha256: as recorded.

    Raises FileNotFoundError where a file is not there, ValueError where one is not what was recorded.
    """

    def __init__(self, directory: str | Path, epoch: int) -> None:
        stem = Path(directory) / "orders" / f"{epoch:04}"
        plan_path, indices_path, weights_path = (stem.with_suffix(end) for end in (".json", ".u32", ".weights.f32"))
        plan = read_plan(plan_path)
        self.order_sha256: str = plan["orderSha256"]
        self.plan_sha256: str = plan["planSha256"]
        self.learning_rates: list[float] = [float(rate) for rate in plan["learningRates"]]
        self.indices = np.frombuffer(read_values(indices_path), "<u4")
        check_hash(indices_path, self.order_sha256, self.indices)
        self.offsets = read_offsets(plan_path, plan["offsets"], len(self.indices))
        check_count(plan_path, "learning rates", len(self.learning_rates), len(self.offsets) - 1, "batch")
        weights = np.frombuffer(read_values(weights_path) if plan["weighted"] else b"", "<f4")
        if plan["weighted"]:
            check_count(weights_path, "weights", len(weights), len(self.indices), "index")
        rates = np.array(self.learning_rates, "<f8")
        check_hash(plan_path, self.plan_sha256, self.indices, self.offsets, rates, weights)

        cuts = self.offsets[1:-1].astype(np.int64)
        self.weights: list[torch.Tensor] | None = None
        if plan["weighted"]:
            self.weights = [torch.from_numpy(part.astype(np.float32)) for part in np.split(weights, cuts)]
        self._batches: list[list[int]] = [part.tolist() for part in np.split(self.indices, cuts)]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)


def read_plan(path: Path) -> dict[str, Any]:
    """The epoch's JSON. Raises FileNotFoundError, ValueError."""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is not there: name a run's directory (<arm>/seed-<n>) and an epoch that it recorded, from 0 on"
        ) from None
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    needed = ("orderSha256", "planSha256", "weighted", "offsets", "learningRates")
    missing = [name for name in needed if not isinstance(plan, dict) or name not in plan]
    if missing:
        raise ValueError(f"{path} is damaged: it has no {', '.join(missing)}")
    return dict(plan)


def read_values(path: Path) -> bytes:
    """All bytes of a file of 4-byte values. Raises FileNotFoundError, ValueError."""
    try:
        values = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is not there: was the run recorded with `record: {{ orders: hash }}`? It keeps hashes alone; "
            "do the run again with `orders: full`"
        ) from None
    if len(values) % 4:
        raise ValueError(f"{path} is damaged: {len(values)} bytes are no whole number of 4-byte values")
    return values


def read_offsets(path: Path, offsets: list[int], count: int) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """uint32 [batches + 1]. Raises ValueError where they are no cut of `count` indices into batches."""
    rises = all(start < end for start, end in itertools.pairwise(offsets))
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != count or not rises:
        fits = f"offsets must rise from 0 to the {count} indices"
        raise ValueError(f"{path} is damaged: {fits}, they are {shorten(offsets)}")
    return np.array(offsets, "<u4")


def check_count(path: Path, what: str, seen: int, expected: int, each: str) -> None:
    if seen != expected:
        raise ValueError(f"{path} is damaged: it has {seen} {what}; {expected} were expected, one a {each}")


def check_hash(path: Path, recorded: str, *parts: np.ndarray[Any, Any]) -> None:
    """Raises ValueError where these values are not those that were recorded."""
    seen = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    if seen != recorded:
        raise ValueError(f"{path} is not what the run was trained on: it hashes to {seen}, recorded is {recorded}")


def shorten(values: list[int]) -> str:
    return str(values) if len(values) < 8 else f"[{', '.join(map(str, values[:3]))}, …, {values[-1]}]"


def initial_seed(seed: int) -> int:
    """What torch.manual_seed was given before the run of this seed built its model: yours starts as it did.

        torch.manual_seed(initial_seed(0)); model = Net()

    The key of (seed, 2^33) by SplitMix64 (Steele, Lea, Flood 2014), as a signed 64-bit integer.
    """
    key = 0
    for part in (seed, 1 << 33):
        key = _splitmix64(_splitmix64(key + _GAMMA) + (part + 1) * _GAMMA)
    return key - (1 << 64) if key >> 63 else key


_GAMMA = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def _splitmix64(state: int) -> int:
    z = state & _MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)
