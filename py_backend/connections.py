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
from collections import defaultdict
from collections.abc import Iterable

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


class Connections:
    """Those of one bound socket. A connection's number is that of its file: it may be used again by a later one.

    `read` may be called by another thread than the rest.
    """

    def __init__(self, bound: zmq.Socket[bytes], unread_limit_bytes: int) -> None:
        self._limit = unread_limit_bytes
        self._monitor = bound.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        self._sockets: dict[int, socket.socket] = {}
        self._read: defaultdict[int, int] = defaultdict(int)

    def read(self, connection: int, frames_bytes: Iterable[int]) -> None:
        """A message with frames of these sizes was taken from the queue."""
        self._read[connection] += sum(map(wire_bytes, frames_bytes))

    def ended(self) -> list[int]:
        """The connections that ended since this was last asked."""
        numbers = []
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)
            if event["event"] == zmq.EVENT_ACCEPTED:
                self._watch(event["value"])
            elif event["event"] == zmq.EVENT_DISCONNECTED:
                self._forget(event["value"])
                numbers.append(event["value"])
        return numbers

    def cut_floods(self) -> list[int]:
        """Cuts the connections over which more came unread than the limit; returns how many bytes that were of each."""
        floods = [(number, unread) for number in self._sockets if (unread := self._unread(number)) > self._limit]
        for number, _ in floods:
            with contextlib.suppress(OSError):  # it went by itself
                self._sockets[number].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                self._sockets[number].shutdown(socket.SHUT_RDWR)
            self._forget(number)
        return [unread for _, unread in floods]

    def close(self) -> None:
        for number in list(self._sockets):
            self._forget(number)
        self._monitor.close()

    def _watch(self, number: int) -> None:
        """Keeps a handle of our own: zmq's may be closed and its number used again at any time."""
        try:
            handle = socket.socket(fileno=os.dup(number))
        except OSError:
            return  # gone already
        if handle.family == getattr(socket, "AF_UNIX", None) or bytes_received(handle) is None:
            handle.close()
            return
        self._read[number] = 0
        self._sockets[number] = handle

    def _forget(self, number: int) -> None:
        handle = self._sockets.pop(number, None)
        if handle is not None:
            handle.close()
        self._read.pop(number, None)

    def _unread(self, number: int) -> int:
        return (bytes_received(self._sockets[number]) or 0) - self._read[number] - HANDSHAKE_BYTES


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
