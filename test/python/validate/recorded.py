"""Writes what a run records of an epoch, after the README's section "What is recorded"."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_epoch(
    run: Path,
    epoch: int,
    indices: Sequence[int],
    offsets: Sequence[int],
    rates: Sequence[float],
    weights: Sequence[float] | None = None,
) -> None:
    """`orders/<epoch>.u32`, `.json` and, with weights, `.weights.f32`."""
    orders = run / "orders"
    orders.mkdir(parents=True, exist_ok=True)
    order = np.array(indices, "<u4").tobytes()
    weight_bytes = b"" if weights is None else np.array(weights, "<f4").tobytes()
    plan = order + np.array(offsets, "<u4").tobytes() + np.array(rates, "<f8").tobytes() + weight_bytes
    (orders / f"{epoch:04}.u32").write_bytes(order)
    if weights is not None:
        (orders / f"{epoch:04}.weights.f32").write_bytes(weight_bytes)
    document = {
        "epoch": epoch,
        "orderSha256": hashlib.sha256(order).hexdigest(),
        "planSha256": hashlib.sha256(plan).hexdigest(),
        "weighted": weights is not None,
        "offsets": list(offsets),
        "learningRates": list(rates),
    }
    (orders / f"{epoch:04}.json").write_text(json.dumps(document) + "\n")


def write_batches(
    run: Path,
    epoch: int,
    batches: Sequence[Sequence[int]],
    rates: Sequence[float],
    weights: Sequence[float] | None = None,
) -> None:
    """The same, of batches."""
    offsets = np.cumsum([0, *map(len, batches)]).tolist()
    write_epoch(run, epoch, [index for batch in batches for index in batch], offsets, rates, weights)
