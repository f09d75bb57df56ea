"""Answers to control messages, which are given at once, also while torch trains."""

from __future__ import annotations

from . import __version__
from .catalogue import catalogue
from .codec import MAX_FRAMES, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES
from .errors import BackendError
from .identity import Identity
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

    def __init__(self, identity: Identity, progress: Progress, work_endpoint: str) -> None:
        self._identity = identity
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
            return PingOk(instance=self._identity.instance)
        if isinstance(request, Status):
            return StatusOk(
                state="working" if progress.working else "idle",
                session_open=progress.session is not None,
                step=progress.step,
                seconds_since_progress=progress.seconds_since_progress,
            )
        if isinstance(request, Cancel):
            return CancelOk(working=progress.cancel(request.session))
        if isinstance(request, Shutdown):
            return ShutdownOk()
        raise BackendError("unknown_type", f"a {request.type} message does not belong on the control socket")

    def _introduce(self) -> HelloOk:
        here = self._identity
        return HelloOk(
            instance=here.instance,
            backend_version=__version__,
            versions=here.versions,
            platform=here.platform,
            device=str(here.device),
            device_name=here.device_name,
            threads=here.threads,
            work_endpoint=self._work_endpoint,
            limits=Limits(
                header_bytes=MAX_HEADER_BYTES, message_bytes=MAX_MESSAGE_BYTES, frames=MAX_FRAMES, sessions=1
            ),
            catalogue=catalogue(),
        )
