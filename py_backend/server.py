"""The ZeroMQ door: two ROUTER sockets, one thread each (docs/PROTOCOL.md, section "Sockets")."""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
import traceback
from dataclasses import dataclass

import numpy as np
import torch
import zmq

from . import __version__
from .catalogue import catalogue
from .codec import MAX_FRAMES, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, Packet, decode, encode
from .device import describe
from .endpoints import Endpoints, is_served
from .errors import BackendError
from .host import Host
from .messages import (
    Cancel,
    CancelOk,
    Error,
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
from .session import Answer

WAKE = "inproc://wake"
LINGER_MS = 1000
HIGH_WATER_MARK = 64


@dataclass(frozen=True)
class Pending:
    """An answer that is still being computed, and who asked."""

    sender: bytes
    message_id: int
    answer: Answer


class ListenError(Exception):
    """A port or path that is taken, or not ours to use; says why."""


class Server:
    """Binds both sockets at construction; `run` serves until it is told to stop."""

    def __init__(self, endpoints: Endpoints, device: torch.device, threads: int) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._device = device
        self._threads = threads
        self._progress = Progress()
        self._host = Host(device, self._progress)
        self._control = self._bind(endpoints.control)
        self._work = self._bind(endpoints.work)
        self._wake = self._context.socket(zmq.PULL)
        self._wake.bind(WAKE)
        self.control_endpoint = self._control.getsockopt_string(zmq.LAST_ENDPOINT)
        self.work_endpoint = self._work.getsockopt_string(zmq.LAST_ENDPOINT)

    def _bind(self, endpoint: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, LINGER_MS)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        if "[" in endpoint:  # tcp://[::1]
            socket.setsockopt(zmq.IPV6, 1)
        try:
            if is_served(endpoint):
                raise ListenError("another backend listens there")
            socket.bind(endpoint)
        except zmq.ZMQError as error:
            raise ListenError(str(error)) from None
        return socket

    def run(self, *, end_with_stdin: bool) -> None:
        """Says where it listens in one line of JSON on standard output, then serves."""
        control = threading.Thread(target=self._serve_control, name="control", daemon=True)
        control.start()
        if end_with_stdin:
            threading.Thread(target=self._watch_stdin, name="stdin", daemon=True).start()
        ready = {"control": self.control_endpoint, "work": self.work_endpoint, "pid": os.getpid()}
        print(json.dumps(ready), flush=True)
        try:
            self._serve_work()
        finally:
            self._progress.stopping.set()
            control.join(timeout=2)
            for socket in (self._work, self._wake, self._control):
                socket.close()
            self._context.term()

    # --- work: the main thread

    def _serve_work(self) -> None:
        pending: Pending | None = None
        while not self._progress.stopping.is_set():
            received = self._next_work(wait=pending is None)
            self._progress.working = received is not None or pending is not None
            if received is None:
                if pending is not None:
                    self._send_answer(pending, last=True)
                    pending = None
                continue
            started = self._start(*received)
            if pending is not None:  # the next chunk is on the device's queue by now: wait for the last one's losses
                self._send_answer(pending, last=False)
            pending = started
            if pending.answer.ready():
                self._send_answer(pending, last=True)
                pending = None
        if pending is not None:
            self._send_answer(pending, last=True)
        self._refuse_queued()

    def _next_work(self, *, wait: bool) -> tuple[bytes, list[bytes | memoryview]] | None:
        """A work message, or None: nothing there and not to be waited for, or woken up to stop."""
        if self._work.poll(0) == 0:
            if not wait:
                return None
            self._progress.rest()
            poller = zmq.Poller()
            poller.register(self._work, zmq.POLLIN)
            poller.register(self._wake, zmq.POLLIN)
            if self._work not in dict(poller.poll()):
                return None
        return receive(self._work)

    def _start(self, sender: bytes, frames: list[bytes | memoryview]) -> Pending:
        """Starts the work; what fails at once has its answer: the error."""
        message_id = 0
        self._progress.working = True
        try:
            packet = decode(frames)
            message_id = packet.id
            return Pending(sender, message_id, self._host.handle(packet))
        except Exception as error:
            return Pending(sender, message_id, Answer.now(error_packet(message_id, error)))

    def _send_answer(self, pending: Pending, *, last: bool) -> None:
        """last: nothing else was started. Who has the last answer may send at once: no old cancel may hit that."""
        try:
            packet = pending.answer.packet()
        except Exception as error:
            packet = error_packet(pending.message_id, error)
        if last and self._work.poll(0) == 0:
            self._progress.rest()
        send(self._work, pending.sender, packet)

    def _refuse_queued(self) -> None:
        while self._work.poll(0):
            sender, frames = receive(self._work)
            try:
                message_id = decode(frames).id
            except BackendError as error:
                message_id = error.details.get("id", 0)
            refusal = BackendError("shutting_down", "this backend is going; start another one")
            send(self._work, sender, error_packet(message_id, refusal))

    # --- control: a thread of its own

    def _serve_control(self) -> None:
        wake = self._context.socket(zmq.PUSH)
        wake.setsockopt(zmq.LINGER, 0)
        wake.connect(WAKE)
        while not self._progress.stopping.is_set():
            if not self._control.poll(200):
                continue
            sender, frames = receive(self._control)
            message_id = 0
            try:
                packet = decode(frames)
                message_id = packet.id
                answer = Packet(packet.id, self._answer_control(packet.body))
            except Exception as error:
                answer = error_packet(message_id, error)
            send(self._control, sender, answer)
            if isinstance(answer.body, ShutdownOk):
                self._progress.stopping.set()
        wake.send(b"")
        wake.close()

    def _answer_control(self, request: Message) -> Message:
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
            work_endpoint=self.work_endpoint,
            limits=Limits(
                header_bytes=MAX_HEADER_BYTES, message_bytes=MAX_MESSAGE_BYTES, frames=MAX_FRAMES, sessions=1
            ),
            catalogue=catalogue(),
        )

    def _watch_stdin(self) -> None:
        """Ends with the parent: its end of the pipe closes however it dies."""
        while sys.stdin.buffer.read(4096):
            pass
        self._progress.stopping.set()


def receive(socket: zmq.Socket[bytes]) -> tuple[bytes, list[bytes | memoryview]]:
    """Sender and frames of one message; large frames are not copied."""
    sender, *frames = socket.recv_multipart(copy=False)
    return sender.bytes, [frame.buffer for frame in frames]


def send(socket: zmq.Socket[bytes], receiver: bytes, packet: Packet) -> None:
    """Whoever asked gets an answer, be it that there is none. zmq copies the arrays, so they may change afterwards."""
    try:
        frames = encode(packet)
    except Exception as error:
        frames = encode(error_packet(packet.id, error))
    socket.send_multipart([receiver, *frames])


def error_packet(message_id: int, error: Exception) -> Packet:
    if not isinstance(error, BackendError):
        traceback.print_exception(error, file=sys.stderr)
        error = BackendError("internal", f"{type(error).__name__}: {error}")
    details = {key: value for key, value in error.details.items() if key != "id"}
    return Packet(
        message_id or error.details.get("id", 0),
        Error(code=error.code, message=" ".join(error.message.split())[:4096], details=details),
    )
