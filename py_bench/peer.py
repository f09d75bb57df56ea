"""A loop that `ibatch bench` holds ours against, an epoch at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from msgspec import Struct

from py_backend.device import peak_bytes, resolve, select, synchronize
from py_backend.errors import BackendError
from py_backend.freed_memory import keep_freed_memory

from .bare import bare
from .pictures import take
from .task import MEMORY_FORMATS, Epoch, Task
from .textbook import textbook

LOOPS: dict[str, Callable[[Task], Epoch]] = {"bare": bare, "textbook": textbook}


class Prepare(Struct, forbid_unknown_fields=True, kw_only=True, tag_field="do", tag="prepare"):
    """dataset, data_dir: None for images that are made up; image_shape: (H, W, C); keeps_freed_memory: as our backend
    does, which no script does by itself."""

    loop: str
    model: str
    dataset: str | None
    data_dir: str | None
    samples: int
    image_shape: tuple[int, int, int]
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    precision: str
    memory_format: str
    augments: bool
    workers: int
    device: str
    threads: int
    keeps_freed_memory: bool


class Train(Struct, forbid_unknown_fields=True, tag_field="do", tag="train"):
    """An epoch."""


class Measure(Struct, forbid_unknown_fields=True, tag_field="do", tag="measure"):
    """The device: asked for last, for what counts operations takes memory of its own."""


Question = Prepare | Train | Measure


class Peer:
    def __init__(self) -> None:
        self._task: Task | None = None
        self._epoch: Epoch = lambda: 0.0

    def answer(self, question: Question) -> dict[str, Any]:
        if isinstance(question, Prepare):
            return self._prepare(question)
        assert self._task is not None, "nothing is prepared"
        if isinstance(question, Measure):
            from .device_rate import operations_of_sample, product_rate

            return {"operations": operations_of_sample(self._task), "rate": product_rate(self._task)}
        return self._train(self._task)

    def _prepare(self, asked: Prepare) -> dict[str, Any]:
        if asked.keeps_freed_memory and not keep_freed_memory():
            raise BackendError("bad_field", "glibc alone can be told to keep freed memory: leave out the -kept loops")
        torch.set_num_threads(asked.threads)
        device = resolve(asked.device)
        select(device)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = asked.precision == "tf32"
        task = Task(
            model=asked.model,
            pictures=take(asked.dataset, asked.data_dir, asked.samples, asked.image_shape),
            batch_size=asked.batch_size,
            learning_rate=asked.learning_rate,
            momentum=asked.momentum,
            weight_decay=asked.weight_decay,
            precision=asked.precision,
            memory_format=MEMORY_FORMATS[asked.memory_format],
            augments=asked.augments,
            workers=asked.workers,
            device=device,
        )
        self._task = task
        self._epoch = LOOPS[asked.loop](task)
        return {"parameters": sum(parameter.numel() for parameter in task.net().parameters())}

    def _train(self, task: Task) -> dict[str, Any]:
        synchronize(task.device)
        started = time.perf_counter()
        loss = self._epoch()
        synchronize(task.device)
        return {"seconds": time.perf_counter() - started, "loss": loss, "peak_bytes": peak_bytes(task.device)}
