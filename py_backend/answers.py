"""Answers to work messages, some of them still being computed on the device."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .codec import Array, Packet
from .device import Download
from .messages import Message, Train, TrainOk
from .training import Trained


@dataclass(frozen=True)
class Answer:
    """An answer, perhaps still being computed on the device: `packet()` waits for it, `ready` says if it would. `wait`
    returns when it would not; it may be called in another thread."""

    ready: Callable[[], bool]
    packet: Callable[[], Packet]
    wait: Callable[[], None]

    @staticmethod
    def now(packet: Packet) -> Answer:
        return Answer(lambda: True, lambda: packet, lambda: None)


def train_answer(message_id: int, request: Train, trained: Trained) -> Answer:
    return answer(
        message_id,
        trained.signals,
        lambda indices_sha256: TrainOk(
            session=request.session,
            first_step=request.first_step,
            batches_done=trained.batches_done,
            indices_sha256=indices_sha256,
            seconds=trained.stopwatch.seconds,
        ),
    )


def answer(message_id: int, download: Download, body: Callable[[str], Message]) -> Answer:
    """An answer with what was downloaded, and the hash of the `indices` that came with it."""

    def packet() -> Packet:
        arrays = download.arrays()
        indices_sha256 = hashlib.sha256(arrays["indices"].astype("<u4").tobytes()).hexdigest()
        sent = {name: as_sent(array) for name, array in arrays.items() if name != "indices"}
        return Packet(message_id, body(indices_sha256), sent)

    return Answer(lambda: download.ready, packet, download.wait)


def as_sent(array: Array) -> Array:
    """torch has no full uint32: classes are int32 on the device and u32 on the wire."""
    return array.view(np.uint32) if array.dtype == np.int32 else array
