"""All that depends on where tensors live: the one file that knows CUDA.

On CUDA uploads and downloads go through pinned memory without waiting; a `Download` waits once, when its values are
asked for. On the CPU the same calls copy at once. The CUDA branches were not run for this release: no GPU was at hand.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from .errors import BackendError

Array = npt.NDArray[Any]


def resolve(name: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda:N`. Raises BackendError (no_device)."""
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number or "0").isdecimal():
        raise BackendError("no_device", f"device `{name}` is not known; use auto, cpu or cuda:N")
    count = torch.cuda.device_count()
    if int(number or 0) >= count:
        raise BackendError("no_device", f"device `{name}` is not there: torch {torch.__version__} sees {count} GPUs")
    return torch.device("cuda", int(number or 0))


def describe(device: torch.device) -> str:
    """The device's name for the record."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor_name()


def processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        import platform

        return platform.processor() or platform.machine()


def make_deterministic() -> None:
    """Equal inputs, equal bits, on one kind of device. CUBLAS_WORKSPACE_CONFIG is set before torch is imported."""
    torch.set_deterministic_debug_mode("warn")  # as use_deterministic_algorithms, which imports the compiler: 1.5 s
    # Nothing here reads memory that it has not written; filling it would only cost time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def seed_default_generators(device: torch.device, seed: int) -> None:
    """For modules that we did not write: their noise, too, follows from the step."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index].manual_seed(seed)


def upload(array: Array, device: torch.device) -> Tensor:
    """The array as a tensor on the device. Never shares memory with the array."""
    tensor = torch.from_numpy(array.copy())
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor


class Download:
    """Tensors on their way to the host: started at once, waited for in `arrays`."""

    def __init__(self, tensors: Mapping[str, Tensor], device: torch.device) -> None:
        self._done: torch.cuda.Event | None = None
        if device.type == "cuda":
            self._host = {
                name: torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)
                for name, tensor in tensors.items()
            }
            self._done = torch.cuda.Event()
            self._done.record()
        else:
            self._host = dict(tensors)

    @property
    def ready(self) -> bool:
        """Whether `arrays` would return without waiting."""
        return self._done is None or self._done.query()

    def arrays(self) -> dict[str, Array]:
        if self._done is not None:
            self._done.synchronize()
        return {name: tensor.numpy() for name, tensor in self._host.items()}


class Stopwatch:
    """Seconds that the device spent between construction and `stop`; reading them waits for the device."""

    def __init__(self, device: torch.device) -> None:
        self._events: tuple[torch.cuda.Event, torch.cuda.Event] | None = None
        self._seconds = 0.0
        if device.type == "cuda":
            self._events = (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
            self._events[0].record()
        self._start = time.perf_counter()

    def stop(self) -> None:
        if self._events is not None:
            self._events[1].record()
        self._seconds = time.perf_counter() - self._start

    @property
    def seconds(self) -> float:
        if self._events is None:
            return self._seconds
        self._events[1].synchronize()
        milliseconds: float = self._events[0].elapsed_time(self._events[1])
        return milliseconds / 1000


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device, or the host for the CPU's tensors, had no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
