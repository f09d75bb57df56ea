"""Answers to control messages, which are given at once, also while torch trains."""

from __future__ import annotations

import platform

import numpy as np
import torch

from . import __version__
from .catalogue import catalogue
from .codec import MAX_FRAMES, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES
from .device import describe
from .errors import BackendError
from .messages import (
    Cancel,
    CancelOk,
    Hello,
    HelloOk,
    Limits,
    Message,
    Ping,
    PingOk,
    Shutdown,
    ShutdownOk,
    Status,
    StatusOk,
)
from .progress import Progress


class ControlDesk:
    """Says who is here and how far the work is, and passes a cancel on; who asks, it need not know."""

    def __init__(self, device: torch.device, threads: int, progress: Progress, work_endpoint: str) -> None:
        self._device = device
        self._threads = threads
        self._progress = progress
        self._work_endpoint = work_endpoint

    def answer(self, request: Message) -> Message:
        """Raises BackendError (unknown_type)."""
        progress = self._progress
        if isinstance(request, Hello):
            return self._introduce()
        if isinstance(request, Ping):
            if request.session is not None and request.session == progress.session:
                progress.heard_of_session()
            return PingOk()
        if isinstance(request, Status):
            return StatusOk(
                state="working" if progress.working else "idle",
                session=progress.session,
                step=progress.step,
                seconds_since_progress=progress.seconds_since_progress,
            )
        if isinstance(request, Cancel):
            return CancelOk(working=progress.cancel(request.session))
        if isinstance(request, Shutdown):
            return ShutdownOk()
        raise BackendError("unknown_type", f"a {request.type} message does not belong on the control socket")

    def _introduce(self) -> HelloOk:
        return HelloOk(
            backend_version=__version__,
            versions={"python": platform.python_version(), "torch": str(torch.__version__), "numpy": np.__version__},
            platform=platform.platform(),
            device=str(self._device),
            device_name=describe(self._device),
            threads=self._threads,
            work_endpoint=self._work_endpoint,
            limits=Limits(
                header_bytes=MAX_HEADER_BYTES, message_bytes=MAX_MESSAGE_BYTES, frames=MAX_FRAMES, sessions=1
            ),
            catalogue=catalogue(),
        )
