"""Who is connected to a socket, as far as zmq tells, and what each may have it hold.

zmq limits frames, not messages: what has come of a message that is not finished it keeps, however much. The kernel
knows what came over a tcp connection, and what of ours its peer has taken; the differences to what was answered and
sent are held to limits, and whoever passes them is cut. Of an ipc socket the kernel does not tell, and only its owner
can enter.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

import zmq
from zmq.utils.monitor import recv_monitor_message

from .arrivals import Arrivals

BYTES_ACKED_AND_RECEIVED = struct.Struct("120xQQ")
"""tcpi_bytes_acked and tcpi_bytes_received in Linux's struct tcp_info."""
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
"""struct linger: the peer, which waits for room, is told at once."""
HANDSHAKE_BYTES = 1024
"""More than greeting and handshake of a connection take."""
SHORT_FRAME_BYTES = 255
CURVE_BYTES = 33
"""What encryption adds to a frame: name and nonce of the command, flags and the code that proves it."""
MOST_CONNECTIONS = 1024
OTHER_FILES = 256
"""What else the process may have open: data, libraries, worker processes."""
FILES_A_CONNECTION = 4
"""zmq's and ours, for each of two sockets."""


@dataclass(frozen=True)
class Allowance:
    """Bytes that came and are not answered, and of answers that were not taken: over one connection, and over all of
    its kind together."""

    each: int
    together: int


@dataclass
class Connection:
    """handle: one of our own of a tcp socket: zmq's may be closed, and its file's number used again, at any time."""

    number: int
    handle: socket.socket | None
    is_known: bool = False
    """Whether a session was opened over it."""
    is_cut: bool = False
    """Which zmq has not yet said to have ended."""
    taken_bytes: int = 0
    """Of messages that were taken from zmq's queue."""
    answered_bytes: int = 0
    sent_bytes: int = 0
    _acked_bytes: int = field(default=0, init=False)
    _received_bytes: int = field(default=0, init=False)

    def look(self) -> None:
        """Asks the kernel what has come and gone by now."""
        told = None if self.handle is None else acked_and_received(self.handle)
        if told is not None:
            self._acked_bytes, self._received_bytes = told

    @property
    def unread_bytes(self) -> int:
        """What has come, and was not yet taken from zmq's queue, or is not finished."""
        return max(0, self._received_bytes - self.taken_bytes - HANDSHAKE_BYTES)

    @property
    def held_bytes(self) -> int:
        untaken_answers = 0 if self.handle is None else max(0, self.sent_bytes - self._acked_bytes)
        return self.unread_bytes + self.taken_bytes - self.answered_bytes + untaken_answers

    def look_again(self) -> int:
        self.look()
        return self.held_bytes

    def let_go(self) -> None:
        if self.handle is not None:
            self.handle.close()
        self.handle = None


class Connections:
    """Those of one bound socket, each under a number that no other gets. May be used by several threads.

    `fd` can be read from when something came over one that was quiet: then, or after a while, `cut_floods`."""

    def __init__(
        self, bound: zmq.Socket[bytes], strangers: Allowance, known: Allowance, most: int = MOST_CONNECTIONS
    ) -> None:
        """most: how many may be open at a time."""
        self._allowances = {False: strangers, True: known}
        self._most = most
        self._sealing_bytes = CURVE_BYTES if bound.getsockopt(zmq.MECHANISM) == zmq.CURVE else 0
        self._monitor = bound.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._open: dict[int, Connection] = {}  # by the number of their file, as zmq has it
        self._numbered: dict[int, Connection] = {}
        self._ended: list[int] = []
        self._why_cut: list[str] = []
        self._arrivals = Arrivals(int(self._monitor.getsockopt(zmq.FD)))
        self.fd = self._arrivals.fd

    def read(self, file: int, frames_bytes: Iterable[int]) -> tuple[int | None, int]:
        """A message with frames of these sizes was taken from the queue. Returns the number of the connection that it
        came over, None where that has ended, and its bytes on the wire: they are held until `answered`."""
        taken = sum(map(self._wire_bytes, frames_bytes))
        with self._lock:
            self._follow()
            connection = self._open.get(file)
            if connection is None:
                return None, taken
            connection.taken_bytes += taken
            return connection.number, taken

    def answered(self, number: int | None, asked_bytes: int, frames_bytes: Iterable[int]) -> None:
        """A message of so many bytes is held no more, and an answer with frames of these sizes was sent."""
        sent = sum(map(self._wire_bytes, frames_bytes))
        with self._lock:
            if (connection := self._numbered.get(number or 0)) is not None:
                connection.answered_bytes += asked_bytes
                connection.sent_bytes += sent
                self._arrivals.mark(connection.number)

    def know(self, number: int | None) -> None:
        """A session is open, and this connection is its controller's."""
        with self._lock:
            if (connection := self._numbered.get(number or 0)) is not None:
                connection.is_known = True

    def ended(self) -> list[int]:
        """The connections that ended since this was last asked."""
        with self._lock:
            self._follow()
            ended, self._ended = self._ended, []
            return ended

    def cut_floods(self) -> list[str]:
        """Looks at those over which something came or went, and cuts who has more held than is allowed; of all together
        those that hold most. Returns why, for each that was cut since this was last asked."""
        with self._lock:
            self._follow()
            for number in self._arrivals.take():
                if (connection := self._numbered.get(number)) is not None:
                    connection.look()
            for is_known, allowance in self._allowances.items():
                self._hold_to(allowance, [one for one in self._open.values() if one.is_known == is_known])
            why, self._why_cut = self._why_cut, []
            return why

    def close(self) -> None:
        with self._lock:
            for connection in self._open.values():
                self._let_go(connection)
            self._open.clear()
            self._numbered.clear()
            self._arrivals.close()
            self._monitor.close()

    def _hold_to(self, allowance: Allowance, connections: Sequence[Connection]) -> None:
        if sum(one.held_bytes for one in connections) <= allowance.each:
            return
        held = {one.number: one.look_again() for one in connections if not one.is_cut}
        together = sum(held.values())
        for number, most in sorted(held.items(), key=lambda item: item[1], reverse=True):
            if most > allowance.each:
                self._cut(self._numbered[number], f"{most} bytes are held of it, more than {allowance.each}")
            elif together > allowance.together:
                why = f"{most} bytes are held of it, of {together} together, more than {allowance.together}"
                self._cut(self._numbered[number], why)
            else:
                return
            together -= most

    def _follow(self) -> None:
        """zmq tells that a connection was accepted before its first message can be taken from the queue, and that it
        ended before its file is closed."""
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)
            file = event["value"]
            if event["event"] == zmq.EVENT_ACCEPTED:
                self._accept(file)
            elif event["event"] == zmq.EVENT_DISCONNECTED and (connection := self._open.pop(file, None)) is not None:
                self._let_go(connection)
                del self._numbered[connection.number]
                self._ended.append(connection.number)

    def _accept(self, file: int) -> None:
        connection = Connection(next(self._numbers), handle_of(file))
        if (before := self._open.pop(file, None)) is not None:  # its end is told only now
            self._let_go(before)
            del self._numbered[before.number]
        self._open[file] = self._numbered[connection.number] = connection
        if connection.handle is not None:
            self._arrivals.watch(connection.number, connection.handle.fileno())
        if len(self._open) > self._most:
            self._make_room()

    def _make_room(self) -> None:
        """Who came first of those that said nothing yet goes; one that was heard of only where all were."""
        there = [one for one in self._open.values() if not one.is_cut]
        may_go = [one for one in there if one.handle is not None and not one.is_known]
        if len(there) > self._most and may_go:
            first = min(may_go, key=lambda one: (one.taken_bytes > 0, one.number))
            self._cut(first, f"more than {self._most} connections are open, and it said least")

    def _cut(self, connection: Connection, why: str) -> None:
        """That it ended is told as of any other. One of an ipc socket stays: only its owner could have made it."""
        if connection.handle is None:
            return
        with contextlib.suppress(OSError):  # it went by itself
            connection.handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            connection.handle.shutdown(socket.SHUT_RDWR)
        self._let_go(connection)
        connection.is_cut = True
        self._why_cut.append(why)

    def _let_go(self, connection: Connection) -> None:
        if connection.handle is not None:
            self._arrivals.forget(connection.handle.fileno())
        connection.let_go()

    def _wire_bytes(self, frame_bytes: int) -> int:
        return wire_bytes(frame_bytes + self._sealing_bytes)


def most_connections() -> int:
    """How many of one socket this process has files for, once it asked for as many as it may have."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OTHER_FILES + FILES_A_CONNECTION * MOST_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    may_have = wanted if soft == resource.RLIM_INFINITY else soft
    return max(1, min(MOST_CONNECTIONS, (may_have - OTHER_FILES) // FILES_A_CONNECTION))


def wire_bytes(frame_bytes: int) -> int:
    """What a frame takes on the wire: ZMTP puts flags and a size of 1 or 8 bytes before it."""
    return frame_bytes + (2 if frame_bytes <= SHORT_FRAME_BYTES else 9)


def handle_of(file: int) -> socket.socket | None:
    """None where it is gone already, and where the kernel does not tell what came over it."""
    try:
        handle = socket.socket(fileno=os.dup(file))
    except OSError:
        return None
    if handle.family != getattr(socket, "AF_UNIX", None) and acked_and_received(handle) is not None:
        return handle
    handle.close()
    return None


def acked_and_received(connection: socket.socket) -> tuple[int, int] | None:
    """How many bytes the peer of a tcp connection has taken, and how many came from it; None where the system does not
    tell."""
    if sys.platform != "linux":
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_ACKED_AND_RECEIVED.size)
    except OSError:
        return None
    if len(info) != BYTES_ACKED_AND_RECEIVED.size:
        return None
    acked, received = BYTES_ACKED_AND_RECEIVED.unpack(info)
    return acked, received
