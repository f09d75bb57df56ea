"""A loop under way: what it was trained on is read off it, step by step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from py_backend.errors import BackendError

from .data import Pictures
from .steps import Steps
from .textbook import Step


class Loop:
    """Steps of `training`, done when they are asked for."""

    def __init__(self, steps: Steps, dataset: Pictures, training: Iterator[Step]) -> None:
        self._steps = steps
        self._dataset = dataset
        self._training = training
        self._done: list[Step] = []

    def train(self, batches: int, losses_path: Path) -> dict[str, int]:
        """Goes on by so many batches; appends their losses, float32, to the file. Raises BackendError (bad_field)."""
        left = len(self._steps) - len(self._done)
        if batches > left:
            raise BackendError("bad_field", f"{batches} batches were asked for, {left} are left of {len(self._steps)}")
        samples = 0
        with losses_path.open("ab") as file:
            for _ in range(batches):
                step = next(self._training)
                self._refuse_unread(len(self._done))
                file.write(step.losses.cpu().numpy().astype("<f4").tobytes())
                samples += len(step.losses)
                self._done.append(step)
        return {"batches_done": batches, "samples": samples}

    def _refuse_unread(self, step: int) -> None:
        """Raises BackendError (bad_reference) where nobody can say which samples a step was trained on."""
        if len(self._dataset.reads) != step + 1 or not self._dataset.reads[step]:
            raise BackendError(
                "bad_reference",
                f"the training loop: it gave the losses of step {step} without reading that step's samples from the "
                "dataset in this process: go through `batch_sampler` once, batch by batch, with num_workers=0",
            )

    def seen(self) -> list[dict[str, Any]]:
        """For each epoch that was begun the hashes of what was used: see `orders/*.json` in the README."""
        done = list(zip(self._steps.epochs, self._dataset.reads, self._done, strict=False))
        epochs = dict.fromkeys(epoch for epoch, _, _ in done)
        return [hashes(epoch, [(reads, step) for of, reads, step in done if of == epoch]) for epoch in epochs]


def hashes(epoch: int, done: list[tuple[list[int], Step]]) -> dict[str, Any]:
    """order_sha256: of the indices as the Dataset was asked for them; plan_sha256: of these, offsets (by the losses
    that came), rates and weights."""
    indices = np.array([index for reads, _ in done for index in reads], np.int64).astype("<u4")
    offsets = np.cumsum([0, *(len(step.losses) for _, step in done)]).astype("<u4")
    rates = np.array([step.learning_rate for _, step in done], "<f8")
    weights = [step.weights.cpu() for _, step in done if step.weights is not None]
    weight_bytes = torch.cat(weights).numpy().astype("<f4").tobytes() if weights else b""
    plan = indices.tobytes() + offsets.tobytes() + rates.tobytes() + weight_bytes
    return {"epoch": epoch, "order_sha256": sha256(indices.tobytes()), "plan_sha256": sha256(plan)}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
