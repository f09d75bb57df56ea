"""All that depends on where tensors live: the one file that knows CUDA.

On CUDA uploads and downloads go through pinned memory without waiting; a `Download` waits once, when its values are
asked for. On the CPU the same calls copy at once. Events are recorded on the stream of the device that they are
about, which need not be the current one. The CUDA branches were not run for this release: no GPU was at hand.
"""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .errors import BackendError
from .machine import bfloat16_on_cpu, processor_flags, processor_name

Array = npt.NDArray[Any]

WORKSPACES = (":4096:8", ":16:8")
"""Values of CUBLAS_WORKSPACE_CONFIG with which cuBLAS gives equal bits."""


TF32_CAPABILITY = (8, 0)
"""Of GPUs: Ampere."""

DRIVER_FILE = Path("/proc/driver/nvidia/version")


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


def select(device: torch.device) -> None:
    """Makes the device that of the calling thread. On CUDA this is where errors of the driver show first."""
    if device.type == "cuda":
        torch.cuda.set_device(device)


def describe(device: torch.device) -> str:
    """The device's name for the record."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor_name()


def cuda_versions() -> dict[str, str]:
    """Of CUDA, cuDNN and the driver, as far as they are known: other ones may give other bits."""
    cudnn = torch.backends.cudnn.version()
    found = {
        "cuda": torch.version.cuda,
        "cudnn": None if cudnn is None else str(cudnn),
        "driver": driver_version(),
    }
    return {name: version for name, version in found.items() if version is not None}


def driver_version() -> str | None:
    """As the kernel's module says it: torch does not."""
    try:
        text = DRIVER_FILE.read_text("utf-8")
    except OSError:
        return None
    found = re.search(r"\b(\d+\.\d+(?:\.\d+)?)\b", text)
    return None if found is None else found[1]


def use_own_stream(device: torch.device) -> None:
    """Makes a stream of its own the calling thread's: work on the default one cannot be recorded, and what torch keeps
    between steps (its gradient accumulators) belongs to the stream of the first."""
    if device.type == "cuda":
        torch.cuda.set_stream(torch.cuda.Stream(device))


Recorder: TypeAlias = Callable[[Callable[[], None]], Callable[[], None]]
"""Takes down the device's work of a call without doing it. What it gives does the work, on the same memory."""


def recorder(device: torch.device) -> Recorder | None:
    """None where nothing can be recorded: on the CPU, where an operation's launch costs little. Each recording has
    memory of its own."""
    if device.type != "cuda":
        return None

    def record(work: Callable[[], None]) -> Callable[[], None]:
        graph, pool, stream = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle(), torch.cuda.current_stream(device)
        try:
            # the threads of a data loader may go on pinning memory meanwhile
            with torch.cuda.graph(graph, pool, stream, capture_error_mode="thread_local"):
                work()
        except BaseException:
            forget_failed_recording(device, pool)
            raise
        return graph.replay

    return record


def forget_failed_recording(device: torch.device, pool: Any) -> None:
    """What torch leaves behind: an allocator that keeps freed memory as if the recording were still made, and a
    generator that is marked likewise and then refuses to draw."""
    with suppress(RuntimeError):  # newer ones end it before they fail
        torch._C._cuda_endAllocateToPool(device.index, pool)
    with suppress(RuntimeError):
        torch._C._cuda_releasePool(device.index, pool)
    generator = torch.cuda.default_generators[device.index]
    generator.graphsafe_set_state(generator.clone_state())


def set_arithmetic(*, refuse_others: bool = False, tf32: bool = False) -> None:
    """Asks for algorithms that give equal bits for equal inputs. An operation on CUDA that has none is refused where
    that is asked for, else told of on standard error and done all the same: see `is_deterministic`.
    CUBLAS_WORKSPACE_CONFIG is set before torch is imported. tf32: whether CUDA may round what it multiplies to TF32."""
    # As use_deterministic_algorithms, which imports the compiler: 1.5 s.
    torch.set_deterministic_debug_mode("error" if refuse_others else "warn")
    # Nothing here reads memory that it has not written; filling it would only cost time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32


def makes_tf32() -> bool:
    """Whether CUDA rounds what it multiplies to TF32, as the switches stand."""
    return torch.backends.cudnn.allow_tf32 and torch.backends.cuda.matmul.allow_tf32


def precisions(device: torch.device) -> dict[str, str]:
    """Those that the device has, each with what there is to say of it there, in a line: nothing where that is empty."""
    if device.type == "cpu":
        return {"float32": "", "bfloat16": bfloat16_on_cpu(processor_flags())}
    if torch.cuda.get_device_capability(device) < TF32_CAPABILITY:
        return {"float32": "", "bfloat16": "slow: this GPU is of a generation before Ampere, and only emulates it"}
    return {"float32": "", "tf32": "", "bfloat16": ""}


def refuse_precision(device: torch.device, precision: str) -> None:
    """Raises BackendError (bad_option) where the device has no such products."""
    if precision not in precisions(device):
        raise BackendError(
            "bad_option",
            f"precision {precision} is of NVIDIA GPUs from Ampere on (compute capability 8.0), and this backend has "
            f"{device} ({describe(device)}): take precision float32, which would be computed there, or another device",
        )


def is_deterministic(device: torch.device) -> bool:
    """Whether equal bits are sure: always on the CPU, and on CUDA only where torch refuses all that might differ."""
    return device.type == "cpu" or torch.get_deterministic_debug_mode() == 2


def workspace_warning(device: torch.device) -> str | None:
    """What to tell the user whose own CUBLAS_WORKSPACE_CONFIG costs equal bits."""
    given = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    if device.type != "cuda" or given in WORKSPACES:
        return None
    return f"CUBLAS_WORKSPACE_CONFIG is {given}: bits may differ from run to run; unset it, or set {WORKSPACES[0]}"


def synchronize(device: torch.device) -> None:
    """Waits until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes(device: torch.device) -> int:
    """The most memory that this process has held: of the GPU in tensors, of the host where it computes there."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def seed_default_generators(device: torch.device, seed: int) -> None:
    """For modules that we did not write: their noise, too, follows from the step."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index].manual_seed(seed)


def upload(array: Array, device: torch.device, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The array as a tensor on the device, of its own dtype or this one; copied once, never sharing its memory."""
    if device.type != "cuda":
        return torch.from_numpy(np.array(array, dtype))
    kind = torch.from_numpy(np.empty(0, dtype or array.dtype)).dtype
    pinned = torch.empty(array.shape, dtype=kind, pin_memory=True)
    pinned.numpy()[...] = array
    return pinned.to(device, non_blocking=True)


def assert_equal(a: Tensor, b: Tensor, otherwise: str) -> None:
    """Raises RuntimeError where they are not: at once on the CPU. On CUDA nobody waits: the device breaks then, and no
    work that came after is answered. For what only a mistake of ours can make unequal."""
    if a.shape != b.shape:
        raise RuntimeError(otherwise)
    torch._assert_async((a == b).all(), otherwise)


class Download:
    """Tensors on their way to the host: started at once, waited for in `arrays`."""

    def __init__(self, tensors: Mapping[str, Tensor], device: torch.device) -> None:
        self._done: torch.cuda.Event | None = None
        if device.type == "cuda":
            self._host = {
                name: torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)
                for name, tensor in tensors.items()
            }
            self._done = torch.cuda.Event(blocking=True)  # who waits for it leaves its core to others
            self._done.record(torch.cuda.current_stream(device))
        else:
            self._host = dict(tensors)

    @property
    def ready(self) -> bool:
        """Whether `arrays` would return without waiting."""
        return self._done is None or self._done.query()

    def wait(self) -> None:
        if self._done is not None:
            self._done.synchronize()

    def arrays(self) -> dict[str, Array]:
        self.wait()
        return {name: tensor.numpy() for name, tensor in self._host.items()}


class BytesDownload:
    """A head and behind it the bytes of tensors, each row-major, on their way to the host. They are copied in the
    sequence of the device's work: what changes the tensors afterwards does not change the copy, and waits for it on
    the device alone."""

    def __init__(self, head: bytes, tensors: Sequence[Tensor], device: torch.device) -> None:
        is_cuda = device.type == "cuda"
        size = len(head) + sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        self._host = torch.empty(size, dtype=torch.uint8, pin_memory=is_cuda)
        self._host.numpy()[: len(head)] = np.frombuffer(head, np.uint8)
        at = len(head)
        for tensor in tensors:
            raw = raw_bytes(tensor)
            self._host[at : at + len(raw)].copy_(raw, non_blocking=True)
            at += len(raw)
        self._done: torch.cuda.Event | None = None
        if is_cuda:
            self._done = torch.cuda.Event(blocking=True)  # who waits for it leaves its core to others
            self._done.record(torch.cuda.current_stream(device))

    def __len__(self) -> int:
        return len(self._host)

    @property
    def ready(self) -> bool:
        """Whether `array` would return without waiting."""
        return self._done is None or self._done.query()

    def wait(self) -> None:
        if self._done is not None:
            self._done.synchronize()

    def array(self) -> npt.NDArray[np.uint8]:
        self.wait()
        return self._host.numpy()


def raw_bytes(tensor: Tensor) -> Tensor:
    """uint8 [bytes], row-major, where the tensor is: a view where it lies so."""
    return tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1).view(torch.uint8)


class Stopwatch:
    """Seconds that the device spent between construction and `stop`; reading them waits for the device."""

    def __init__(self, device: torch.device) -> None:
        self._events: tuple[torch.cuda.Event, torch.cuda.Event] | None = None
        self._seconds = 0.0
        if device.type == "cuda":
            self._stream = torch.cuda.current_stream(device)
            self._events = (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
            self._events[0].record(self._stream)
        self._start = time.perf_counter()

    def stop(self) -> None:
        if self._events is not None:
            self._events[1].record(self._stream)
        self._seconds = time.perf_counter() - self._start

    @property
    def seconds(self) -> float:
        if self._events is None:
            return self._seconds
        self._events[1].synchronize()
        milliseconds: float = self._events[0].elapsed_time(self._events[1])
        return milliseconds / 1000


OUT_OF_MEMORY_TEXTS = (
    "can't allocate memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


BROKEN_TEXTS = (
    "device-side assert",
    "illegal memory access",
    "illegal instruction",
    "misaligned address",
    "invalid program counter",
    "hardware stack error",
    "operation not supported on global/shared address space",
    "unspecified launch failure",
    "launch timed out",
    "uncorrectable",
    "context is destroyed",
    "CUDA error: unknown error",
)
"""Of CUDA's errors those after which the process can do nothing on the device any more, whatever is asked."""


def what_broke(error: BaseException) -> str | None:
    """What CUDA said where the device is of no use to this process any more, also where code of the user's met it."""
    seen: BaseException | None = error
    while seen is not None:
        text = str(seen).partition("\n")[0]
        # torch.AcceleratorError is one of these; who passes it on, as a data loader does, may have made another of it
        if isinstance(seen, RuntimeError) and "CUDA error:" in text and any(part in text for part in BROKEN_TEXTS):
            return text
        seen = seen.__cause__ or seen.__context__
    return None


def let_go(error: BaseException) -> None:
    """Frees what the frames hold that the error came through, whoever keeps the error, and gives back what the device
    holds for nobody."""
    seen: BaseException | None = error
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


@contextmanager
def naming_out_of_memory(what: str) -> Iterator[None]:
    """Raises BackendError (out_of_memory) where there is no room for it."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise BackendError("out_of_memory", f"{what} does not fit into memory: {error}") from None
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the host, had no memory left: torch says so in several ways."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY_TEXTS)
