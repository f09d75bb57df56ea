"""The ZeroMQ door: two ROUTER sockets, one thread each (docs/PROTOCOL.md, section "Sockets")."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import zmq

from .admission import Admission, Porter
from .answers import Answer
from .asked import Asked, Pending, error_packet, read
from .codec import MAX_MESSAGE_BYTES, Packet, encode
from .connections import CURVE_BYTES, Allowance, Connections, most_connections
from .control import ControlDesk
from .device import select
from .endpoints import Endpoints, is_served
from .errors import BackendError
from .host import Host
from .identity import Identity
from .messages import Error, ShutdownOk
from .progress import Progress
from .waking import Waker

LINGER_MS = 1000
IDLE_POLL_MS = 100
"""How long either thread waits for a message before it looks whether it should stop."""
JOIN_SECONDS = 2.0
QUEUE_LIMIT = 16
"""Messages taken from ZeroMQ's queue ahead of their turn, to see whose they are."""
LOOK_SECONDS = 0.01
"""From one look at what connections hold to the next, while something comes."""
HANDSHAKE_MS = 10_000
KEEPALIVE = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 60,
    zmq.TCP_KEEPALIVE_INTVL: 15,
    zmq.TCP_KEEPALIVE_CNT: 4,
}
"""In seconds: who vanished with its machine would stay, and as many as may be connected shut all others out."""
MAX_CONTROL_BYTES = 1 << 19
CONTROL_HIGH_WATER_MARK = 64
WORK_HIGH_WATER_MARK = 4
STRANGERS = Allowance(each=MAX_CONTROL_BYTES, together=8 * MAX_CONTROL_BYTES)
"""Whoever has opened no session: no message of theirs needs more than its header."""
CONTROLLERS = Allowance(each=2 * MAX_MESSAGE_BYTES, together=2 * MAX_MESSAGE_BYTES)
"""A message as large as may be and its answer."""
TELL_SECONDS = 1.0
"""Between two lines about connections that were cut."""


class ListenError(Exception):
    """A port or path that is taken, or not ours to use; says which, why, and what to do."""


class Server:
    """Binds both sockets at construction; `run` serves until it is told to stop."""

    def __init__(
        self,
        endpoints: Endpoints,
        identity: Identity,
        *,
        admission: Admission | None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """admission: None where nobody else can reach the endpoints."""
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._on_stop = on_stop
        self._is_broken = False
        self._admission = admission
        self._porter = None if admission is None else Porter(self._context, admission)
        self._progress = Progress()
        self._host = Host(identity, self._progress)
        self._queue: deque[Asked] = deque()
        self._control_error: BaseException | None = None
        self._end_after_silence = math.inf
        self._cuts: list[str] = []
        self._tell_cuts_at = 0.0
        self._control = self._made(MAX_CONTROL_BYTES, CONTROL_HIGH_WATER_MARK)
        self._work = self._made(MAX_MESSAGE_BYTES, WORK_HIGH_WATER_MARK)
        most = most_connections()
        self._control_connections = Connections(self._control, STRANGERS, CONTROLLERS, most)
        self._work_connections = Connections(self._work, STRANGERS, CONTROLLERS, most)
        bind(self._control, endpoints.control)
        bind(self._work, endpoints.work)
        self._waker = Waker(lambda: select(identity.device))
        self._work_or_ready: zmq.Poller = zmq.Poller()
        self._work_or_ready.register(self._work, zmq.POLLIN)
        self._work_or_ready.register(self._waker.fd, zmq.POLLIN)
        self.control_endpoint = self._control.getsockopt_string(zmq.LAST_ENDPOINT)
        self.work_endpoint = self._work.getsockopt_string(zmq.LAST_ENDPOINT)
        self._asked, self._asked_or_moved = zmq.Poller(), zmq.Poller()
        for poller in (self._asked, self._asked_or_moved):
            poller.register(self._control, zmq.POLLIN)
            if self._porter is not None:
                poller.register(self._porter.socket, zmq.POLLIN)
        for connections in (self._control_connections, self._work_connections):
            if connections.fd is not None:
                self._asked_or_moved.register(connections.fd, zmq.POLLIN)
        self._desk = ControlDesk(identity, self._progress, self.work_endpoint)

    def _made(self, frame_bytes: int, messages: int) -> zmq.Socket[bytes]:
        """A ROUTER that takes frames of at most this size, and queues so many messages a peer."""
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, LINGER_MS)
        socket.setsockopt(zmq.MAXMSGSIZE, frame_bytes + self._sealed_bytes)
        socket.setsockopt(zmq.RCVHWM, messages)
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        for option, value in KEEPALIVE.items():
            socket.setsockopt(option, value)
        if self._admission is not None:
            self._admission.guard(socket)
        return socket

    @property
    def _sealed_bytes(self) -> int:
        """What a frame on the wire has more than we see."""
        return 0 if self._admission is None else CURVE_BYTES

    def stop(self) -> None:
        """Ends `run` at the next batch boundary. May be called from any thread and from a signal handler."""
        self._progress.stopping.set()
        self._on_stop()

    def run(self, *, end_with_stdin: bool, ready_fd: int | None = None, end_after_silence: float | None = None) -> bool:
        """Says where it listens in one line of JSON, on standard output or to this file descriptor, then serves.
        end_after_silence: seconds in which no controller was heard of. Returns whether it ends because the device is of
        no use any more."""
        self._end_after_silence = math.inf if end_after_silence is None else end_after_silence
        self._progress.heard_of_controller()
        control = threading.Thread(target=self._serve_control, name="control", daemon=True)
        control.start()
        if end_with_stdin:
            threading.Thread(target=self._watch_stdin, name="stdin", daemon=True).start()
        ready: dict[str, str | int] = {"control": self.control_endpoint, "work": self.work_endpoint, "pid": os.getpid()}
        if self._admission is not None and self._admission.is_new:
            ready["public_key"] = self._admission.server.public.decode()
        announce(json.dumps(ready), ready_fd)
        try:
            self._serve_work()
        finally:
            self.stop()
            control.join(JOIN_SECONDS)
            self._work.close()
            self._waker.close(JOIN_SECONDS)
            if not control.is_alive():  # a socket belongs to the thread that uses it
                self._control.close()
                if self._porter is not None:
                    self._porter.close()
                self._control_connections.close()
                self._work_connections.close()
                self._context.term()
            for endpoint in (self.control_endpoint, self.work_endpoint):
                remove_socket_file(endpoint)
        if self._control_error is not None:
            raise self._control_error
        return self._is_broken

    # --- work: the main thread

    def _serve_work(self) -> None:
        pending: Pending | None = None
        while not self._progress.stopping.is_set():
            asked = self._next_work(pending)
            started = None if asked is None else self._start(asked)
            if pending is not None:  # what came next is on the device's queue by now: wait for the answer before it
                self._send_answer(pending, behind=started)
            pending = started
            if pending is not None and pending.is_ready():
                self._send_answer(pending, behind=None)
                pending = None
        if pending is not None:
            self._send_answer(pending, behind=None)
        self._refuse_queued()

    def _next_work(self, pending: Pending | None) -> Asked | None:
        """The next work message; None once the pending answer is ready, or when told to stop."""
        self._receive_queued()
        is_awaited = False
        while not self._queue and not self._progress.stopping.is_set():
            if pending is not None and pending.is_ready():
                return None
            if pending is not None and not is_awaited:
                self._waker.wake_after(pending.answer.wait)
                is_awaited = True
            if (self._waker.fd, zmq.POLLIN) in self._work_or_ready.poll(IDLE_POLL_MS):
                self._waker.take()
            self._receive_queued()
        return self._queue.popleft() if self._queue and not self._progress.stopping.is_set() else None

    def _receive_queued(self) -> None:
        """Takes what ZeroMQ has queued: who is answered next may send at once, and must find only older work here."""
        while len(self._queue) < QUEUE_LIMIT and self._work.poll(0):
            self._queue.append(receive(self._work, self._work_connections))

    def _start(self, asked: Asked) -> Pending:
        """Starts the work; what fails at once has its answer: the error."""
        self._tell_progress(asked)
        try:
            if isinstance(asked.asked, Exception):
                raise asked.asked
            self._progress.asked_over(asked.connection)
            answer = self._host.handle(asked.asked)
            self._progress.heard_over()
            self._work_connections.know(asked.connection)
            return Pending(asked, answer)
        except Exception as error:
            return Pending(asked, Answer.now(error_packet(asked.message_id, error)))

    def _send_answer(self, pending: Pending, *, behind: Pending | None) -> None:
        """behind: what was started after it."""
        packet = pending.packet()
        self._receive_queued()
        self._tell_progress(None if behind is None else behind.asked)
        send(self._work, self._work_connections, pending.asked, packet)
        if isinstance(packet.body, Error) and packet.body.code == "device_broken":
            self._is_broken = True
            self.stop()

    def _tell_progress(self, started: Asked | None) -> None:
        """What is under way and queued; a cancel ends with the last of it that its session asked for."""
        left = [*self._queue] if started is None else [started, *self._queue]
        self._progress.under_way(bool(left), {asked.session for asked in left})

    def _refuse_queued(self) -> None:
        self._receive_queued()
        while self._queue:
            asked = self._queue.popleft()
            refusal = BackendError("shutting_down", "this backend is going; start another one")
            send(self._work, self._work_connections, asked, error_packet(asked.message_id, refusal))
            self._receive_queued()

    # --- control: a thread of its own

    def _serve_control(self) -> None:
        look_at = 0.0
        try:
            while not self._progress.stopping.is_set():
                until_look = look_at - time.monotonic()
                if until_look > 0:
                    asking = dict(self._asked.poll(math.ceil(1000 * until_look)))
                else:
                    asking = dict(self._asked_or_moved.poll(IDLE_POLL_MS))
                if self._porter is not None and self._porter.socket in asking:
                    self._porter.answer()
                if self._control in asking:
                    self._answer_next_control()
                if until_look <= 0:
                    self._look_after_connections()
                    look_at = time.monotonic() + LOOK_SECONDS
                self._end_where_silent()
        except BaseException as error:
            self._control_error = error
        finally:
            self.stop()

    def _look_after_connections(self) -> None:
        """Frees the session of a controller that is gone, and cuts who has us hold more than is allowed."""
        for connection in self._work_connections.ended():
            self._progress.left(connection)
        self._control_connections.ended()
        for connections, endpoint in (
            (self._control_connections, self.control_endpoint),
            (self._work_connections, self.work_endpoint),
        ):
            self._cuts += [f"cut a connection to {endpoint}: {why}" for why in connections.cut_floods()]
        self._tell_cuts()

    def _tell_cuts(self) -> None:
        """A line now and then: who is cut may come again at once, and often."""
        if not self._cuts or time.monotonic() < self._tell_cuts_at:
            return
        first, *others = self._cuts
        more = f" (and {len(others)} more)" if others else ""
        print(f"py_backend: {first}{more}", file=sys.stderr, flush=True)
        self._cuts.clear()
        self._tell_cuts_at = time.monotonic() + TELL_SECONDS

    def _end_where_silent(self) -> None:
        """Who asked for us may be gone with all of its machine."""
        if self._progress.seconds_of_silence <= self._end_after_silence:
            return
        print(
            f"py_backend: ends, since no controller was heard of in {self._end_after_silence:g} s",
            file=sys.stderr,
            flush=True,
        )
        self.stop()

    def _answer_next_control(self) -> None:
        asked = receive(self._control, self._control_connections)
        self._progress.heard_of_controller()
        try:
            if isinstance(asked.asked, Exception):
                raise asked.asked
            answer = Packet(asked.message_id, self._desk.answer(asked.asked.body))
        except Exception as error:
            answer = error_packet(asked.message_id, error)
        send(self._control, self._control_connections, asked, answer)
        if isinstance(answer.body, ShutdownOk):
            self.stop()

    def _watch_stdin(self) -> None:
        """Ends with the parent: its end of the pipe closes however it dies."""
        while os.read(0, 4096):  # not sys.stdin: its lock, held here, is a fatal error when Python ends
            pass
        self.stop()


def announce(line: str, fd: int | None) -> None:
    """To the file descriptor, which is closed then, or on standard output."""
    if fd is None:
        print(line, flush=True)
        return
    with os.fdopen(fd, "w") as channel:
        print(line, file=channel)


def remove_socket_file(endpoint: str) -> None:
    """ZeroMQ leaves the file of an ipc socket behind."""
    scheme, _, path = endpoint.partition("://")
    if scheme == "ipc":
        Path(path).unlink(missing_ok=True)


def bind(socket: zmq.Socket[bytes], endpoint: str) -> None:
    """Raises ListenError."""
    if "[" in endpoint:  # tcp://[::1]
        socket.setsockopt(zmq.IPV6, 1)
    try:
        if is_served(endpoint):
            raise ListenError(f"{endpoint}: another backend listens there; name another path")
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise ListenError(f"{endpoint}: {error}; {instead(endpoint, error.errno)}") from None


def instead(endpoint: str, number: int | None) -> str:
    """What to do where the system says no with this error number."""
    if endpoint.startswith("ipc://"):
        return "name another path"
    if number in (errno.ENODEV, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL):
        return "name an address of this machine, which is no name: 127.0.0.1, or 0.0.0.0 for all of them"
    if number == errno.EACCES:
        return "name a port above 1023"
    return "name another port"


def receive(socket: zmq.Socket[bytes], connections: Connections) -> Asked:
    """The next message. Large frames are not copied."""
    sender, *frames = socket.recv_multipart(copy=False)
    connection, held_bytes = connections.read(sender.get(zmq.SRCFD), map(len, frames))
    return read(sender.bytes, connection, held_bytes, [frame.buffer for frame in frames])


def send(socket: zmq.Socket[bytes], connections: Connections, asked: Asked, packet: Packet) -> None:
    """Whoever asked gets an answer, be it that there is none. zmq copies the arrays, so they may change afterwards."""
    try:
        frames = encode(packet)
    except Exception as error:
        frames = encode(error_packet(packet.id, error))
    socket.send_multipart([asked.sender, *frames])
    connections.answered(asked.connection, asked.held_bytes, map(len, frames))
