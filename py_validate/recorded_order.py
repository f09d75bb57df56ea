"""The recorded batches of a run, for any PyTorch loop. Needs torch, and nothing else of ibatch.

    order = RecordedOrder("runs/mnist-1a2b3c4d/shuffled/seed-0", labels=dataset.targets)
    loader = DataLoader(dataset, batch_sampler=order)
    for epoch in range(epochs):
        order.set_epoch(epoch)
        for rate, (images, labels) in zip(order.learning_rates, loader):
            ...

A run's directory holds `orders/0000.u32` (the epoch's indices in training order, little-endian) and `orders/0000.json`
(where each batch begins, learning rates, hashes); `orders/0000.weights.f32` where the order gave weights. An export
has `dataset.json` beside `orders`; the run itself is found in its experiment, which has the dataset's labels.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler


class RecordedOrder(Sampler[list[int]]):
    """The batches that a run trained on in one epoch, in its order: a `batch_sampler`.

    labels: [n] whole numbers, those of the dataset that the loader reads, in its sequence: they are compared with what
    the run trained on. None: nothing is compared, and a smaller dataset ends in an IndexError of the loader.

    indices: uint32 [m]; offsets: uint32 [batches + 1], batch b is indices[offsets[b] : offsets[b + 1]];
    learning_rates: one a batch; weights: float32 [B] of each batch's samples, or None where every weight is 1 (the
    gradient of a batch is that of the sum of weight·loss, divided by B); order_sha256, plan_sha256: as recorded.
    trained_labels: int64 [n], those that the run trained on where they are not the dataset's (dataset.labelNoise), else
    None: a loop that is to do the same takes them in the place of the loader's, `order.trained_labels[batch]`.

    Raises FileNotFoundError where a file is not there, ValueError where one is not what was recorded, or the dataset is
    another one.
    """

    def __init__(self, directory: str | Path, epoch: int = 0, *, labels: Any) -> None:
        self._directory = Path(directory)
        self._label_count: int | None = None
        if labels is not None:
            self._label_count = check_labels(self._directory, labels)
        self.trained_labels = read_trained_labels(self._directory, self._label_count)
        self.set_epoch(epoch)

    def set_epoch(self, epoch: int) -> None:
        """Goes to another epoch, as torch's own distributed samplers do. Raises as the constructor does."""
        stem = self._directory / "orders" / f"{epoch:04}"
        plan_path, indices_path, weights_path = (stem.with_suffix(end) for end in (".json", ".u32", ".weights.f32"))
        plan = read_plan(plan_path)
        rates = [float(rate) for rate in plan["learningRates"]]
        indices = np.frombuffer(read_values(indices_path), "<u4")
        check_hash(indices_path, plan["orderSha256"], indices)
        offsets = read_offsets(plan_path, plan["offsets"], len(indices))
        check_count(plan_path, "learning rates", len(rates), len(offsets) - 1, "batch")
        weights = np.frombuffer(read_values(weights_path) if plan["weighted"] else b"", "<f4")
        if plan["weighted"]:
            check_count(weights_path, "weights", len(weights), len(indices), "index")
        check_hash(plan_path, plan["planSha256"], indices, offsets, np.array(rates, "<f8"), weights)
        if self._label_count is not None and indices.max(initial=0) >= self._label_count:
            raise ValueError(
                f"{indices_path} has a sample {indices.max()}, and the dataset {self._label_count} labels: it is "
                "another one than the run trained on"
            )

        cuts = offsets[1:-1].astype(np.int64)
        self.epoch = epoch
        self.order_sha256: str = plan["orderSha256"]
        self.plan_sha256: str = plan["planSha256"]
        self.learning_rates: list[float] = rates
        self.indices, self.offsets = indices, offsets
        self.weights: list[torch.Tensor] | None = None
        if plan["weighted"]:
            self.weights = [torch.from_numpy(part.astype(np.float32)) for part in np.split(weights, cuts)]
        self._batches: list[list[int]] = [part.tolist() for part in np.split(indices, cuts)]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)


def read_trained_labels(directory: Path, count: int | None) -> np.ndarray[Any, np.dtype[np.int64]] | None:
    """None where they are the dataset's. Raises ValueError where they are not as many."""
    path = directory / "trained-labels.u32"
    if not path.exists():
        return None
    labels = np.frombuffer(read_values(path), "<u4").astype(np.int64)
    if count is not None and len(labels) != count:
        raise ValueError(f"{path} has {len(labels)} labels, the dataset {count}: it is damaged")
    return labels


@dataclass(frozen=True)
class RecordedDataset:
    """What a run trained on. labels_sha256: of its n labels as uint32, little-endian, in its own sequence."""

    name: str
    n: int
    labels_sha256: str


def check_labels(directory: Path, labels: Any) -> int:
    """Their number. Raises ValueError where they are not those of the dataset that the run trained on."""
    values = np.asarray(labels)
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer) or values.min(initial=0) < 0:
        raise ValueError(f"labels: expected [n] whole numbers from 0 on, not {values.dtype} {list(values.shape)}")
    trained_on = find_dataset(directory)
    if trained_on is None:
        return len(values)
    name = f"dataset {trained_on.name}, which {directory} trained on,"
    if len(values) != trained_on.n:
        raise ValueError(f"this is not {name}: it has {trained_on.n} samples, here are {len(values)}")
    if hashlib.sha256(values.astype("<u4").tobytes()).hexdigest() != trained_on.labels_sha256:
        raise ValueError(f"this is not {name} or is in another sequence: its {trained_on.n} labels are others")
    return len(values)


def find_dataset(directory: Path) -> RecordedDataset | None:
    """As an export says, or as lies in the run's experiment; None where neither is there, as in records of before.

    Raises ValueError where it is there, and damaged.
    """
    exported = directory / "dataset.json"
    path = exported if exported.exists() else dataset_of_run(directory)
    if path is None or not path.exists():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if path == exported:
            return RecordedDataset(said["name"], said["n"], said["labelsSha256"])
        labels = (path.parent / "labels.u32").read_bytes()
        return RecordedDataset(said["name"], len(labels) // 4, hashlib.sha256(labels).hexdigest())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error!r}; export the orders again, or take another run") from None


def dataset_of_run(directory: Path) -> Path | None:
    """`datasets/<first 8 of the data's SHA-256>/dataset.json` of the run's experiment, where run.json names it."""
    try:
        run = json.loads((directory / "run.json").read_text(encoding="utf-8"))
        of_data = str(run["surroundings"]["dataSha256"])[:8]
        return directory.resolve().parents[1] / "datasets" / of_data / "dataset.json"
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{directory / 'run.json'} is damaged: {error!r}; take another run") from None


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
