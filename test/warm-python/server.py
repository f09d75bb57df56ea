"""A Python that has imported what takes seconds. For each client it forks one that goes on as `python ARGUMENTS` would.

    python server.py FOLDER

Puts into the folder a `python`, which is such a client. Says `ready` on standard output once it listens; ends, with all
that it forked, when its standard input closes. A fork has the client's arguments, environment, directory and file
descriptors. It leads a process group of its own, gets the signals that the client passes on, and is killed when the
client is gone.
"""

from __future__ import annotations

import array
import contextlib
import faulthandler
import gc
import importlib
import io
import json
import os
import runpy
import select
import shlex
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import NamedTuple

PRELOADED = {
    "py_report": ("scipy.stats",),
    "py_report.tensorboard_export": ("msgspec", "torch.utils.tensorboard"),
    "": ("msgspec", "scipy.stats", "torch._dynamo", "zmq"),
}
"""By the module or the package that `-m` names, else by `""`: modules of others, as ours must be imported by those that
test them. torch imports `_dynamo` at an optimiser's first step."""
LENGTH = struct.Struct("<I")
STATUS = struct.Struct("<i")
MOST_DESCRIPTORS = 64
MOST_SECONDS_BETWEEN_PARTS = 10
"""All others wait meanwhile."""


class Request(NamedTuple):
    """What a client hands over. `numbers`: what its descriptors are called there, in the order of `descriptors`."""

    arguments: list[str]
    environment: dict[str, str]
    directory: str
    numbers: list[int]
    descriptors: list[int]


def serve(folder: Path) -> Request:
    """Returns in forks alone."""
    path = str(folder / "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(128)
    put_stand_in(folder / "python", path)
    ended, wakeup = socket.socketpair()
    for end in (ended, wakeup):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for those who started us
    signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
    clients: dict[int, socket.socket] = {}
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([0, listener, ended, *clients.values()], [], [])
        if 0 in readable and not os.read(0, 1):
            for pid in clients:
                kill(pid, signal.SIGKILL)
            os.unlink(path)
            sys.exit(0)
        if ended in readable:
            ended.recv(4096)
            tell_ended(clients)
        for pid, client in list(clients.items()):
            if client in readable:
                pass_on(pid, client)
                if client.fileno() < 0:
                    del clients[pid]
        if listener in readable:
            client, _ = listener.accept()
            request = receive(client)
            if request is None:
                client.close()
                continue
            preload(request.arguments)
            pid = os.fork()
            if pid == 0:
                for one in (listener, ended, wakeup, client, *clients.values()):
                    one.close()
                return request
            for descriptor in request.descriptors:
                os.close(descriptor)
            clients[pid] = client


def put_stand_in(path: Path, socket_path: str) -> None:
    client = Path(__file__).with_name("client.py")
    command = [sys.executable, "-I", "-S", str(client), socket_path, sys.executable]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)


def receive(client: socket.socket) -> Request | None:
    """None where the client ends, or falls silent, before it has said all."""
    size = MOST_DESCRIPTORS * array.array("i").itemsize
    descriptors = array.array("i")
    client.settimeout(MOST_SECONDS_BETWEEN_PARTS)
    try:
        head, ancillary, _, _ = client.recvmsg(LENGTH.size, socket.CMSG_LEN(size))
        for _, _, data in ancillary:
            descriptors.frombytes(data)
        body = receive_exactly(client, LENGTH.unpack(head)[0])
        request = Request(**json.loads(body), descriptors=list(descriptors))
    except (OSError, EOFError, struct.error):
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    client.settimeout(None)
    return request


def receive_exactly(client: socket.socket, count: int) -> bytes:
    body = b""
    while len(body) < count:
        part = client.recv(count - len(body))
        if not part:
            raise EOFError
        body += part
    return body


def preload(arguments: list[str]) -> None:
    named = arguments[1] if arguments[0] == "-m" else ""
    modules = PRELOADED.get(named) or PRELOADED.get(named.split(".")[0], PRELOADED[""])
    if all(module in sys.modules for module in modules):
        return
    for module in modules:
        with contextlib.suppress(ImportError):  # who needs it says so
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # so that forks share its memory


def pass_on(pid: int, client: socket.socket) -> None:
    """Signals, a byte each; the end of the client is the end of the fork."""
    try:
        numbers = client.recv(64)
    except ConnectionResetError:
        numbers = b""
    for number in numbers:
        kill(pid, signal.Signals(number))
    if not numbers:
        kill(pid, signal.SIGKILL)
        client.close()


def tell_ended(clients: dict[int, socket.socket]) -> None:
    """The exit code of each that has ended, negative for a signal. Who is left in its process group is killed."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
            client = clients.pop(pid, None)
            if client is None:
                continue
            with contextlib.suppress(OSError):
                client.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))
            client.close()


def kill(pid: int, number: signal.Signals) -> None:
    """To all of its group, but for what asks for a dump of it alone."""
    with contextlib.suppress(OSError):
        (os.kill if number is signal.SIGABRT else os.killpg)(pid, number)


def become(request: Request) -> None:
    """In a fork: from here on it is the client's Python."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    place(request.descriptors, request.numbers)
    os.chdir(request.directory)
    os.environ.clear()
    os.environ.update(request.environment)
    own = [item for item in request.environment.get("PYTHONPATH", "").split(os.pathsep) if item]
    sys.path[0:0] = own
    sys.dont_write_bytecode = bool(request.environment.get("PYTHONDONTWRITEBYTECODE"))
    reopen_standard_streams(unbuffered=bool(request.environment.get("PYTHONUNBUFFERED")))
    if request.environment.get("PYTHONFAULTHANDLER"):
        faulthandler.enable()


def place(descriptors: list[int], numbers: list[int]) -> None:
    """Moves them out of the way first: the one's place may be where another one lies."""
    free = max(*numbers, *descriptors) + 1
    for at, descriptor in enumerate(descriptors):
        os.dup2(descriptor, free + at)
    os.closerange(0, free)
    for at, number in enumerate(numbers):
        os.dup2(free + at, number, inheritable=True)
    os.closerange(free, free + len(numbers))


def reopen_standard_streams(*, unbuffered: bool) -> None:
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    for name, number, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        binary = open(number, "wb", buffering=0 if unbuffered else -1, closefd=False)  # noqa: SIM115
        stream = io.TextIOWrapper(
            binary, encoding="utf-8", errors=errors, line_buffering=number == 2, write_through=unbuffered
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def run(arguments: list[str]) -> None:
    """As Python runs them."""
    kind, *others = arguments
    if kind == "-m":
        sys.argv = others
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(others[0])  # what `python -m` itself calls
    elif kind == "-c":
        sys.argv = ["-c", *others[1:]]
        sys.path.insert(0, "")
        exec(compile(others[0], "<string>", "exec"), vars(sys.modules["__main__"]))
    else:
        sys.argv = arguments
        sys.path.insert(0, os.path.dirname(os.path.realpath(kind)))
        runpy.run_path(kind, run_name="__main__")


if __name__ == "__main__":
    del sys.path[0]
    request = serve(Path(sys.argv[1]))
    become(request)
    run(request.arguments)
