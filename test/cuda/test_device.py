"""device.py, where the device is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from py_backend import device as devices
from py_backend.device import BytesDownload, Download, Stopwatch, upload

ROOT = Path(__file__).parents[2]
CYCLES = 500_000_000
"""Of a kernel that only waits: some tenths of a second, in which the host is through long since."""
SECONDS = 300


def test_it_is_found_and_described(device: torch.device) -> None:
    assert devices.resolve("auto") == device
    assert devices.resolve("cuda:0") == device
    assert devices.describe(device) == torch.cuda.get_device_name(0)
    assert {"cuda", "cudnn"} <= devices.cuda_versions().keys()


@pytest.mark.parametrize("dtype", [None, np.int64, np.float32])
def test_what_goes_up_comes_down(device: torch.device, dtype: type | None) -> None:
    array = np.random.default_rng(0).integers(0, 1000, (1000, 3), np.int32)
    tensor = upload(array, device, dtype)
    assert tensor.device == device
    seen = Download({"a": tensor, "half": tensor[::2]}, device).arrays()
    assert np.array_equal(seen["a"], array)
    assert np.array_equal(seen["half"], array[::2])
    assert seen["a"].dtype == (dtype or np.int32)


def test_neither_way_waits(device: torch.device, no_waiting: None) -> None:
    Download({"a": upload(np.arange(1000), device)}, device).wait()  # the first pinned memory takes its time
    torch.cuda._sleep(CYCLES)
    tensor = upload(np.arange(1000), device) + 1
    download = Download({"a": tensor}, device)
    content = BytesDownload(b"head", [tensor], device)
    assert not download.ready
    assert not content.ready
    assert np.array_equal(download.arrays()["a"], np.arange(1, 1001))
    assert content.array().tobytes() == b"head" + np.arange(1, 1001).tobytes()
    assert download.ready


def test_what_is_under_way_is_not_changed_by_later_work(device: torch.device) -> None:
    tensor = upload(np.zeros(1_000_000, np.float32), device)
    torch.cuda._sleep(CYCLES)
    download, content = Download({"a": tensor}, device), BytesDownload(b"", [tensor], device)
    tensor.fill_(1)
    assert not download.arrays()["a"].any()
    assert not content.array().any()


def test_bytes_are_those_of_rows_however_they_lie(device: torch.device) -> None:
    tensor = torch.arange(24, dtype=torch.float32).reshape(2, 3, 2, 2)
    laid_out = tensor.to(device, memory_format=torch.channels_last)
    assert BytesDownload(b"", [laid_out], device).array().tobytes() == tensor.numpy().tobytes()


def test_the_stopwatch_measures_the_device_and_not_the_host(device: torch.device) -> None:
    def seconds(cycles: int) -> float:
        stopwatch = Stopwatch(device)
        if cycles:
            torch.cuda._sleep(cycles)
        stopwatch.stop()
        return stopwatch.seconds

    assert seconds(CYCLES) > seconds(0) >= 0


def test_the_same_seed_gives_the_same_noise(device: torch.device) -> None:
    def noise(seed: int) -> list[float]:
        devices.seed_default_generators(device, seed)
        return torch.rand(4, device=device).tolist()

    assert noise(1) == noise(1) != noise(2)


@pytest.mark.parametrize(("tf32", "least", "most"), [(False, 0.0, 1e-5), (True, 5e-5, 1e-2)])
def test_products_are_made_as_asked(device: torch.device, tf32: bool, least: float, most: float) -> None:
    if tf32 and "tf32" not in devices.precisions(device):
        pytest.skip(f"{devices.describe(device)} has no TF32")
    devices.set_arithmetic(tf32=tf32)
    a, b = (torch.randn(1024, 1024, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    exact = a.double() @ b.double()
    error = ((a.to(device) @ b.to(device)).cpu().double() - exact).abs().max() / exact.abs().max()
    assert least <= float(error) <= most


def test_memory_that_is_not_there_is_out_of_memory(device: torch.device) -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**46, dtype=torch.uint8, device=device)
    assert devices.is_out_of_memory(caught.value)
    assert devices.what_broke(caught.value) is None


BREAKING = """
import torch
from py_backend.device import what_broke

numbers = torch.zeros(3, device="cuda:0")
for attempt in range(2):
    try:
        print(numbers[torch.full((1,), 7, device="cuda:0")].item())
    except RuntimeError as error:
        print(what_broke(error), flush=True)
import os
os._exit(0)
"""


def test_an_assertion_on_the_device_breaks_it_for_good() -> None:
    """In a process of its own, which is of no use any more."""
    ended = subprocess.run(
        [sys.executable, "-c", BREAKING], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=True
    )
    lines = ended.stdout.splitlines()
    assert len(lines) == 2
    assert all("device-side assert" in line for line in lines), ended.stdout
