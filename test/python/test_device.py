"""device.py with a CUDA that only writes down what it is told: no GPU is needed, and none is tested."""

from __future__ import annotations

import select
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from py_backend import device
from py_backend.device import Download, Stopwatch, upload
from py_backend.endpoints import Endpoints
from py_backend.errors import BackendError
from py_backend.identity import Identity
from py_backend.server import Server

SECONDS = 20
CPU, SECOND = torch.device("cpu"), torch.device("cuda", 1)


class Event:
    """An event that is done when the test says so."""

    def __init__(self, log: list[Any], enable_timing: bool = False, blocking: bool = False) -> None:
        self.log = log
        self.timed = enable_timing
        self.blocking = blocking
        self.done = False
        self.stream: object = None

    def record(self, stream: object = "the current device's") -> None:
        self.stream = stream
        self.log.append(("record", stream))

    def query(self) -> bool:
        return self.done

    def synchronize(self) -> None:
        self.log.append("synchronize")

    def elapsed_time(self, other: Event) -> float:
        assert self.timed
        assert other.timed
        return 1500.0


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A second GPU beside the current first one. `.log` has what was asked of it, `.events` the events made."""
    seen = SimpleNamespace(log=[], events=[], pinned=[])
    real_empty = torch.empty

    def event(*arguments: Any, **options: Any) -> Event:
        seen.events.append(Event(seen.log, *arguments, **options))
        return seen.events[-1]

    def empty(*arguments: Any, pin_memory: bool = False, **options: Any) -> torch.Tensor:
        tensor = real_empty(*arguments, **options)
        seen.pinned += [tensor] if pin_memory else []
        return tensor

    def to(tensor: torch.Tensor, target: torch.device, *, non_blocking: bool = False) -> torch.Tensor:
        is_pinned = any(tensor is pinned for pinned in seen.pinned)
        seen.log.append(("to", target, non_blocking, is_pinned))
        return tensor

    def copy(tensor: torch.Tensor, source: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
        seen.log.append(("copy", non_blocking, any(tensor is pinned for pinned in seen.pinned)))
        tensor.numpy()[...] = source.numpy()
        return tensor

    monkeypatch.setattr(torch.cuda, "Event", event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda of=None: f"stream of {of}")
    monkeypatch.setattr(torch.cuda, "set_device", lambda of: seen.log.append(("set_device", of)))
    monkeypatch.setattr(torch, "empty", empty)
    monkeypatch.setattr(torch.Tensor, "to", to)
    monkeypatch.setattr(torch.Tensor, "copy_", copy)
    return seen


def test_select_makes_the_device_the_threads_own(cuda: SimpleNamespace) -> None:
    device.select(SECOND)
    device.select(CPU)
    assert cuda.log == [("set_device", SECOND)]


@pytest.mark.parametrize(("where", "selected"), [(SECOND, [("set_device", SECOND)]), (CPU, [])])
def test_who_waits_in_another_thread_selects_the_device_there_first(
    cuda: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, where: torch.device, selected: list[Any]
) -> None:
    threads: list[threading.Thread] = []

    def set_device(of: torch.device) -> None:
        threads.append(threading.current_thread())
        cuda.log.append(("set_device", of))

    def wait() -> None:
        threads.append(threading.current_thread())
        cuda.log.append("wait")

    monkeypatch.setattr(torch.cuda, "set_device", set_device)
    endpoints = Endpoints("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
    made = Server(endpoints, replace(Identity.of(CPU, 1), device=where), admission=None)
    waker = made._waker
    for _ in range(2):
        waker.wake_after(wait)
        assert select.select([waker.fd], [], [], SECONDS)[0], "nothing woke"
        waker.take()
    made.stop()
    made.run(end_with_stdin=False)
    assert cuda.log == [*selected, "wait", "wait"]
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()


@pytest.mark.parametrize(("a", "b"), [([1, 2], [1, 3]), ([1, 2], [1]), ([], [1])])
def test_what_must_be_equal_and_is_not_is_told(a: list[int], b: list[int]) -> None:
    device.assert_equal(torch.tensor(a), torch.tensor(a), "mixed up")
    with pytest.raises(RuntimeError, match=r"^mixed up$"):
        device.assert_equal(torch.tensor(a), torch.tensor(b), "mixed up")


@pytest.mark.parametrize("dtype", [None, np.int64, np.float32])
def test_upload_goes_through_pinned_memory_without_waiting(cuda: SimpleNamespace, dtype: Any) -> None:
    array = np.array([3, 0, 7], np.int32)
    array.flags.writeable = False
    seen = upload(array, SECOND, dtype)
    assert cuda.log == [("to", SECOND, True, True)]
    assert seen.numpy().dtype == (dtype or np.int32)
    assert seen.tolist() == [3, 0, 7]


@pytest.mark.parametrize("dtype", [None, np.int32, np.int64])
def test_upload_to_the_cpu_is_one_copy_that_shares_nothing(dtype: Any) -> None:
    array = np.array([3, 0, 7], np.int32)
    seen = upload(array, CPU, dtype)
    array[0] = 9
    assert seen.tolist() == [3, 0, 7]
    assert seen.numpy().dtype == (dtype or np.int32)


def test_download_starts_at_once_and_waits_for_the_stream_of_its_device(cuda: SimpleNamespace) -> None:
    download = Download({"a": torch.tensor([1, 2]), "b": torch.tensor([0.5])}, SECOND)
    assert cuda.log == [("copy", True, True), ("copy", True, True), ("record", "stream of cuda:1")]
    assert not download.ready
    assert cuda.events[0].blocking
    cuda.events[0].done = True
    assert download.ready
    assert "synchronize" not in cuda.log
    assert {name: array.tolist() for name, array in download.arrays().items()} == {"a": [1, 2], "b": [0.5]}
    assert cuda.log[-1] == "synchronize"


def test_the_stopwatch_times_the_stream_of_its_device(cuda: SimpleNamespace) -> None:
    stopwatch = Stopwatch(SECOND)
    stopwatch.stop()
    assert cuda.log == [("record", "stream of cuda:1")] * 2
    assert stopwatch.seconds == 1.5
    assert cuda.log[2:] == ["synchronize"]


@pytest.mark.parametrize("kind", [Download, Stopwatch])
def test_on_the_cpu_no_event_is_made(cuda: SimpleNamespace, kind: type) -> None:
    made = Download({}, CPU) if kind is Download else Stopwatch(CPU)
    assert cuda.events == []
    assert kind is Stopwatch or made.ready


@pytest.mark.parametrize(("mode", "on_cuda"), [(0, False), (1, False), (2, True)])
def test_bits_are_sure_on_the_cpu_and_where_torch_refuses_all_else(
    monkeypatch: pytest.MonkeyPatch, mode: int, on_cuda: bool
) -> None:
    monkeypatch.setattr(torch, "get_deterministic_debug_mode", lambda: mode)
    assert device.is_deterministic(CPU)
    assert device.is_deterministic(SECOND) is on_cuda


@pytest.mark.parametrize(
    ("given", "warned"), [(":4096:8", False), (":16:8", False), (":4096:2:16:8", True), ("", True)]
)
def test_a_workspace_that_costs_equal_bits_is_told_of_on_cuda(
    monkeypatch: pytest.MonkeyPatch, given: str, warned: bool
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", given)
    assert device.workspace_warning(CPU) is None
    warning = device.workspace_warning(SECOND)
    assert (warning is not None) == warned
    assert warning is None or f"CUBLAS_WORKSPACE_CONFIG is {given}:" in warning


@pytest.mark.parametrize(
    ("error", "broken"),
    [
        (torch.AcceleratorError("CUDA error: device-side assert triggered\nSearch for ..."), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("CUDA error: unspecified launch failure"), True),
        (RuntimeError("CUDA error: out of memory"), False),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), False),
        (RuntimeError("CUDA error: invalid argument"), False),
        (ValueError("CUDA error: device-side assert triggered"), False),
        (RuntimeError("device-side assert"), False),
    ],
)
def test_a_broken_device_is_told_from_what_it_only_refuses(error: Exception, broken: bool) -> None:
    assert (device.what_broke(error) is not None) == broken
    try:
        raise BackendError("bad_reference", "code of yours raised it") from error
    except BackendError as wrapped:
        assert (device.what_broke(wrapped) is not None) == broken


def test_most_memory_held_grows_with_what_is_held_and_stays():
    before = device.peak_bytes(CPU)
    held = np.ones(64 * 2**20, dtype=np.uint8)
    with_it = device.peak_bytes(CPU)
    del held
    assert before > 2**24
    assert with_it >= before
    assert device.peak_bytes(CPU) >= with_it
