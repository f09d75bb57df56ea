"""What only a GPU can show, on the first one that torch sees. Without one these tests are skipped, with the reason.

What a test in test/python says of the backend, and not of the CPU, is brought here by test_as_on_the_cpu.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from py_backend import device as devices

HERE = Path(__file__).parent
os.environ.setdefault(
    "CUBLAS_WORKSPACE_CONFIG", devices.WORKSPACES[0]
)  # as __main__ does it; read with the first product


def why_no_gpu() -> str | None:
    if torch.version.cuda is None:
        return f"no GPU: torch {torch.__version__} is built without CUDA"
    if not torch.cuda.is_available():
        return f"no GPU: torch {torch.__version__}, built for CUDA {torch.version.cuda}, sees none"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    reason = why_no_gpu() if ours else None
    for item in ours if reason is not None else ():
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def device() -> Iterator[torch.device]:
    """The GPU, in place of the CPU of test/conftest.py; set up as a backend's process does it, and left clean."""
    gpu = torch.device("cuda", 0)
    default = torch.cuda.current_stream(gpu)
    devices.select(gpu)
    devices.use_own_stream(gpu)
    devices.set_arithmetic()
    yield gpu
    torch.cuda.synchronize(gpu)
    torch.cuda.set_sync_debug_mode("default")
    torch.cuda.set_stream(default)
    devices.set_arithmetic()


@pytest.fixture
def no_waiting(device: torch.device) -> Iterator[None]:
    """torch itself refuses whatever waits for the device."""
    torch.cuda.synchronize(device)
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")
