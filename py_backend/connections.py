"""Who is connected to a socket, as far as zmq tells: when a connection ends, and how much came that nobody could read.

zmq limits frames, not messages: what has come of a message that is not finished it keeps, however much. The kernel
knows what came over a tcp connection, we know what was read of it; the difference is held to a limit. Of an ipc socket
the kernel does not tell, and only its owner can enter.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

import zmq
from zmq.utils.monitor import recv_monitor_message

BYTES_RECEIVED = struct.Struct("128xQ")
"""tcpi_bytes_received in Linux's struct tcp_info."""
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
"""struct linger: the peer, which waits for room, is told at once."""
HANDSHAKE_BYTES = 256
"""More than greeting and READY command of a connection take."""
SHORT_FRAME_BYTES = 255


def wire_bytes(frame_bytes: int) -> int:
    """What a frame takes on the wire: ZMTP puts flags and a size of 1 or 8 bytes before it."""
    return frame_bytes + (2 if frame_bytes <= SHORT_FRAME_BYTES else 9)


@dataclass
class Connection:
    """handle: one of our own of a tcp socket: zmq's may be closed, and its file's number used again, at any time."""

    number: int
    handle: socket.socket | None
    read_bytes: int = 0

    def unread_bytes(self) -> int:
        """What has come and was not read; 0 where the kernel does not tell."""
        received = None if self.handle is None else bytes_received(self.handle)
        return 0 if received is None else received - self.read_bytes - HANDSHAKE_BYTES

    def let_go(self) -> None:
        if self.handle is not None:
            self.handle.close()
        self.handle = None


class Connections:
    """Those of one bound socket, each under a number that no other gets. May be used by several threads."""

    def __init__(self, bound: zmq.Socket[bytes], unread_limit_bytes: int) -> None:
        self._limit = unread_limit_bytes
        self._monitor = bound.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._open: dict[int, Connection] = {}  # by the number of their file
        self._ended: list[int] = []

    def read(self, file: int, frames_bytes: Iterable[int]) -> int | None:
        """A message with frames of these sizes was taken from the queue. Returns the number of the connection that it
        came over; None where that has ended."""
        with self._lock:
            self._follow()
            connection = self._open.get(file)
            if connection is None:
                return None
            connection.read_bytes += sum(map(wire_bytes, frames_bytes))
            return connection.number

    def ended(self) -> list[int]:
        """The connections that ended since this was last asked."""
        with self._lock:
            self._follow()
            ended, self._ended = self._ended, []
            return ended

    def cut_floods(self) -> list[int]:
        """Cuts the connections over which more came unread than the limit; returns how many bytes that were of each."""
        with self._lock:
            unread = {file: connection.unread_bytes() for file, connection in self._open.items()}
            floods = [file for file, waiting in unread.items() if waiting > self._limit]
            for file in floods:
                self._cut(self._open[file])
            return [unread[file] for file in floods]

    def close(self) -> None:
        with self._lock:
            for connection in self._open.values():
                connection.let_go()
            self._open.clear()
            self._monitor.close()

    def _follow(self) -> None:
        """zmq tells that a connection was accepted before its first message can be taken from the queue, and that it
        ended before its file is closed."""
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)
            file = event["value"]
            if event["event"] == zmq.EVENT_ACCEPTED:
                self._open[file] = Connection(next(self._numbers), handle_of(file))
            elif event["event"] == zmq.EVENT_DISCONNECTED and (connection := self._open.pop(file, None)) is not None:
                connection.let_go()
                self._ended.append(connection.number)

    def _cut(self, connection: Connection) -> None:
        """That it ended is told as of any other."""
        if connection.handle is not None:
            with contextlib.suppress(OSError):  # it went by itself
                connection.handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                connection.handle.shutdown(socket.SHUT_RDWR)
        connection.let_go()


def handle_of(file: int) -> socket.socket | None:
    """None where it is gone already, and where the kernel does not tell what came over it."""
    try:
        handle = socket.socket(fileno=os.dup(file))
    except OSError:
        return None
    if handle.family != getattr(socket, "AF_UNIX", None) and bytes_received(handle) is not None:
        return handle
    handle.close()
    return None


def bytes_received(connection: socket.socket) -> int | None:
    """What has come over a tcp connection so far; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED.size)
    except OSError:
        return None
    received: int | None = BYTES_RECEIVED.unpack(info)[0] if len(info) == BYTES_RECEIVED.size else None
    return received
