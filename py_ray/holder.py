"""On a node: a backend as a child of this process, which Ray's actor is. It is started as anywhere else, ends with this
process, whatever ends that, and keeps what it says until it is asked for."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, TypedDict

import py_backend

from .talk import Order

LINE_CHARACTERS = 2000
WAITING_LINES = 10_000
LAST_LINES = 40
NEWS_SECONDS = 30.0
"""So long a question for news waits at most."""
ENDS_SECONDS = 12.0
"""A backend whose standard input was closed: longer than its keeper's grace."""
DUMP_SECONDS = 2.0
DRAIN_SECONDS = 1.0
"""So long its output is read once it has ended."""
READY_BYTES = 1 << 16


class Started(TypedDict):
    """ready: its one line, once it listens; else why it does not, its exit code where it ended, and its last lines."""

    ready: dict[str, str] | None
    why: str
    code: int | None
    said: list[str]


class News(TypedDict):
    lines: list[str]
    ended: str | None
    """How it ended, when nothing more will come."""


class Holder:
    """One backend. Its methods are called from several threads."""

    def __init__(self) -> None:
        self._backend: subprocess.Popen[bytes] | None = None
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque(maxlen=WAITING_LINES)
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._has_ended = False

    def start(self, order: Order, host: str, python_paths: list[str]) -> Started:
        """Waits until it listens at an address of this host, or does not."""
        reading, writing = os.pipe()
        try:
            self._backend = spawn(command(order, host, python_paths, writing), writing)
        finally:
            os.close(writing)
        listening = threading.Thread(target=self._listen, args=[self._backend], name="output", daemon=True)
        listening.start()
        threading.Thread(target=self._await, args=[self._backend, listening], name="end", daemon=True).start()
        with os.fdopen(reading, "rb") as channel:
            line = first_line(channel, order.start_seconds)
        if line:
            return Started(ready=json.loads(line), why="", code=None, said=[])
        if line is None:
            self._abort(self._backend)
            why = f"the backend did not start within {order.start_seconds:g} s"
            return Started(ready=None, why=why, code=None, said=list(self._last))
        self._wait_for_end()
        code = self._backend.wait()
        return Started(ready=None, why=f"the backend ended: {ending(code)}", code=code, said=list(self._last))

    def news(self) -> News:
        """What it has said since this was last asked; waits a while for some."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._has_ended, NEWS_SECONDS)
            lines = list(self._waiting)
            self._waiting.clear()
            has_ended = self._has_ended
        code = self._backend.wait() if has_ended and self._backend is not None else None
        return News(lines=lines, ended=None if code is None else ending(code))

    def stop(self) -> None:
        """Its standard input closes: it ends at the next batch; then it is killed, with all that it started."""
        backend = self._backend
        if backend is None or backend.stdin is None:
            return
        with contextlib.suppress(OSError):
            backend.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            backend.wait(ENDS_SECONDS)
            return
        kill_group(backend.pid)

    def _listen(self, backend: subprocess.Popen[bytes]) -> None:
        assert backend.stdout is not None
        for raw in backend.stdout:
            line = raw.decode(errors="replace").rstrip("\r\n")[:LINE_CHARACTERS]
            with self._changed:
                self._waiting.append(line)
                self._last.append(line)
                self._changed.notify_all()

    def _await(self, backend: subprocess.Popen[bytes], listening: threading.Thread) -> None:
        """What left its group may hold its output open for ever."""
        backend.wait()
        kill_group(backend.pid)
        listening.join(DRAIN_SECONDS)
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _abort(self, backend: subprocess.Popen[bytes]) -> None:
        """It says where it hangs (PYTHONFAULTHANDLER)."""
        with contextlib.suppress(ProcessLookupError):
            backend.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            backend.wait(DUMP_SECONDS)
        kill_group(backend.pid)
        self._wait_for_end()

    def _wait_for_end(self) -> None:
        """What it left may hold its output open."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_ended, DUMP_SECONDS)


def command(order: Order, host: str, python_paths: list[str], ready_fd: int) -> list[str]:
    address = f"[{host}]" if ":" in host else host
    return [
        *[sys.executable, "-m", "py_backend", "--child", "--ready-fd", str(ready_fd)],
        *["--listen", f"tcp://{address}:0", f"--client-key={order.client_key}"],
        *order.arguments,
        *(part for path in python_paths for part in ("--python-path", path)),
    ]


def spawn(arguments: list[str], ready_fd: int) -> subprocess.Popen[bytes]:
    """At the head of a process group of its own."""
    packages = str(Path(py_backend.__file__).resolve().parent.parent)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }
    return subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[ready_fd],
        start_new_session=True,
        cwd=packages,  # python -m looks there first
        env=environment,
    )


def first_line(channel: IO[bytes], seconds: float) -> bytes | None:
    """b"": it was closed before there was one; None: there was none in time."""
    deadline = time.monotonic() + seconds
    line = b""
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        ready, _, _ = select.select([channel], [], [], max(0.0, left))
        if not ready:
            return None
        more = os.read(channel.fileno(), READY_BYTES)
        if not more:
            return b""
        line += more
    return line


def kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def ending(code: int) -> str:
    """As the controller describes how a child ended."""
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
