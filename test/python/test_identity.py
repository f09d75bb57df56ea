"""What a backend says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from py_backend import device
from py_backend.identity import Identity, versions

CPU = torch.device("cpu")


def test_every_start_is_another_instance() -> None:
    assert len({Identity.of(CPU, 1).instance for _ in range(3)}) == 3


def test_on_a_gpu_cuda_cudnn_and_the_driver_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = tmp_path / "version"
    said.write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (builder@host)\n"
        "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
    )
    monkeypatch.setattr(device, "DRIVER_FILE", said)
    monkeypatch.setattr(torch.version, "cuda", "12.6")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
    told = versions(torch.device("cuda", 0))
    assert (told["cuda"], told["cudnn"], told["driver"]) == ("12.6", "91002", "550.54.15")
    assert set(versions(CPU)) == {"python", "torch", "numpy"}


def test_what_is_not_known_of_a_gpu_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(device, "DRIVER_FILE", tmp_path / "not there")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: None)
    assert set(versions(torch.device("cuda", 0))) == {"python", "torch", "numpy"}
