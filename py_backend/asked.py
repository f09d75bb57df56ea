"""What was asked of the backend, its answer in the making, and the error that stands in for one."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from .answers import Answer
from .codec import Frame, Packet, decode
from .device import let_go, what_broke
from .errors import BackendError, print_cause
from .messages import Error


@dataclass(frozen=True)
class Asked:
    """A message as it came: what could be read of it, or why it could not."""

    sender: bytes
    connection: int | None
    """Over which it came, if that is still there: see connections.py."""
    held_bytes: int
    """That it took on the wire."""
    message_id: int
    asked: Packet | Exception

    @property
    def session(self) -> str | None:
        """The session that it names."""
        return getattr(self.asked.body, "session", None) if isinstance(self.asked, Packet) else None


@dataclass
class Pending:
    """An answer that is still being computed, to what, and the error that was found while looking whether it is."""

    asked: Asked
    answer: Answer
    error: Exception | None = None

    def is_ready(self) -> bool:
        """Whether the answer, or the error in its place, can be had without waiting."""
        try:
            return self.answer.ready()
        except Exception as error:
            self.error = error
            return True

    def packet(self) -> Packet:
        """Waits for the answer; the error that came instead, where one did."""
        try:
            if self.error is not None:
                raise self.error
            return self.answer.packet()
        except Exception as error:
            return error_packet(self.asked.message_id, error)


def read(sender: bytes, connection: int | None, held_bytes: int, frames: Sequence[Frame]) -> Asked:
    """What was asked. A message that cannot be read keeps the id that could be: 0 where none could."""
    try:
        packet = decode(frames)
        return Asked(sender, connection, held_bytes, packet.id, packet)
    except Exception as error:
        message_id = error.details.get("id", 0) if isinstance(error, BackendError) else 0
        return Asked(sender, connection, held_bytes, message_id, error)


def error_packet(message_id: int, error: Exception) -> Packet:
    if (broken := what_broke(error)) is not None:
        traceback.print_exception(error, file=sys.stderr)
        error = BackendError("device_broken", f"the device answers nothing any more, and this backend ends: {broken}")
    if not isinstance(error, BackendError):
        traceback.print_exception(error, file=sys.stderr)
        error = BackendError("internal", f"{type(error).__name__}: {error}")
    print_cause(error)
    if error.code == "out_of_memory":
        let_go(error)
    details = {key: value for key, value in error.details.items() if key != "id"}
    return Packet(
        message_id,
        Error(code=error.code, message=" ".join(error.message.split())[:4096], details=details),
    )
