"""What this process is: an id that no other one has, and what the bits that it computes depend on."""

from __future__ import annotations

import platform
import secrets
from dataclasses import dataclass

import numpy as np
import torch

from .device import cuda_versions, describe


@dataclass(frozen=True)
class Identity:
    """instance: another one after every start. threads: those of torch that the process was started with."""

    instance: str
    device: torch.device
    device_name: str
    threads: int
    versions: dict[str, str]
    platform: str

    @staticmethod
    def of(device: torch.device, threads: int) -> Identity:
        """This process, with a fresh id."""
        return Identity(
            instance=secrets.token_hex(8),
            device=device,
            device_name=describe(device),
            threads=threads,
            versions=versions(device),
            platform=platform.platform(),
        )


def versions(device: torch.device) -> dict[str, str]:
    """Of Python, torch and numpy; on a GPU of CUDA, cuDNN and the driver, too, as far as they are known."""
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        **(cuda_versions() if device.type == "cuda" else {}),
    }
