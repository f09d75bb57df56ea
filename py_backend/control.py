"""Answers to control messages, which are given at once, also while torch trains."""

from __future__ import annotations

from . import __version__
from .catalogue import catalogue
from .codec import MAX_FRAMES, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES
from .device import peak_bytes, precisions
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
    """Says who is here and how far the work is, and passes a cancel on. Who may ask for more than that is who names the
    session: its id is told to nobody but who opened it."""

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
            if progress.is_named(request.session):
                progress.heard_of_session()
            return PingOk(instance=self._identity.instance)
        if isinstance(request, Status):
            is_theirs = progress.is_named(request.session)
            return StatusOk(
                state="working" if progress.working else "idle",
                session_open=is_theirs,
                step=progress.step if is_theirs else 0,
                seconds_since_progress=progress.seconds_since_progress,
                peak_bytes=peak_bytes(self._identity.device),
            )
        if isinstance(request, Cancel):
            return CancelOk(working=progress.cancel(request.session))
        if isinstance(request, Shutdown):
            if not progress.may_end(request.session):
                raise BackendError(
                    "session_busy",
                    "another controller is at work here, whose session a shutdown has to name: wait until it ends",
                )
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
            precisions=precisions(here.device),
            work_endpoint=self._work_endpoint,
            limits=Limits(
                header_bytes=MAX_HEADER_BYTES, message_bytes=MAX_MESSAGE_BYTES, frames=MAX_FRAMES, sessions=1
            ),
            catalogue=catalogue(),
        )
