"""Ends a backend that does not end by itself: a small process beside it, which waits until it was told to end.

A user's code may hang in Python, where the flags that end a backend in order are never read, or in C with Python's lock
held, where no thread of ours runs. But the C part of Python's signal handling always writes the number of a signal that
came to a pipe (signal.set_wakeup_fd): the keeper reads it. It imports nothing of ours, since it runs as a script.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

GRACE_SECONDS = 10.0
"""From the moment a backend was told to end, by whatever means, until it is killed."""
ENDING_SECONDS = 5.0
"""That a process may take to be gone once it lets go of the pipe; one that is there then has closed it otherwise."""
ENDING = 0
"""In the pipe: it was told to end otherwise than by a signal."""
ENDING_SIGNALS = {signal.SIGINT, signal.SIGTERM}
"""Of a process that is no child."""


class Keeper:
    """The backend's end of the pipe."""

    def __init__(self, pipe: int | None) -> None:
        self._pipe = pipe

    def ending(self) -> None:
        """From now on the grace runs. May be called from any thread and from a signal handler."""
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                os.write(self._pipe, bytes([ENDING]))


def start(*, child: bool, grace_seconds: float = GRACE_SECONDS) -> Keeper:
    """Has this process killed some time after a SIGTERM or SIGINT came; a child, which leaves signals to its parent,
    some time after its standard input closed, then with its process group where it leads one. Call it in the main
    thread. Without effect on Windows."""
    if sys.platform == "win32":
        return Keeper(None)
    reading, writing = os.pipe()
    arguments = [str(os.getpid()), str(reading), str(grace_seconds), "child" if child else "-"]
    with blocked({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1}):  # it inherits that, and goes last
        subprocess.Popen(
            [sys.executable, "-I", "-S", os.path.abspath(__file__), *arguments],
            stdin=None if child else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[reading],
        ).returncode = 0  # it outlives us, and is waited for by nobody
    os.close(reading)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    from .process_signals import at_fork  # here, for as a script it has no package

    at_fork(lambda: let_go(writing))
    return Keeper(writing)


@contextlib.contextmanager
def blocked(signals: set[signal.Signals]) -> Iterator[None]:
    """They come when it is over; a process that is started meanwhile never sees them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_go(pipe: int) -> None:
    """In a process that was forked off: what is sent to it is not meant for the backend."""
    signal.set_wakeup_fd(-1)
    with contextlib.suppress(OSError):
        os.close(pipe)


def end_group(kept: int) -> None:
    """Of a child that has ended: what its code started and left goes, too, also where its controller is gone. The group
    has its number for as long as this process is in it."""
    deadline = time.monotonic() + ENDING_SECONDS
    while os.getppid() == kept and time.monotonic() < deadline:  # its end of the pipe closes a moment before it is gone
        time.sleep(0.01)
    if os.getppid() != kept and os.getpgrp() == kept:
        os.killpg(kept, signal.SIGKILL)  # this process goes with it


def keep(kept: int, pipe: int, grace_seconds: float, *, child: bool) -> None:
    """Returns when the kept process has ended, by itself or not."""
    if not wait_until_told(pipe, child=child) or ends_within(pipe, grace_seconds):
        return
    if os.getppid() != kept:
        return
    print(
        f"py_backend: killed, since it did not end within {grace_seconds:g} s of being told to: "
        "code of the model, the loss or the dataset hangs",
        file=sys.stderr,
        flush=True,
    )
    if child and os.getpgid(kept) == kept:
        os.killpg(kept, signal.SIGKILL)
    else:
        os.kill(kept, signal.SIGKILL)


def wait_until_told(pipe: int, *, child: bool) -> bool:
    """False where it ended without being told to."""
    watched = [pipe, 0] if child else [pipe]
    ends = {ENDING} if child else {ENDING, *ENDING_SIGNALS}
    while True:
        ready, _, _ = select.select(watched, [], [])
        if pipe in ready:
            told = os.read(pipe, 4096)
            if not told:
                return False
            if ends.intersection(told):
                return True
        elif not os.read(0, 4096):
            return True


def ends_within(pipe: int, seconds: float) -> bool:
    """Whether the other end of the pipe is closed in time."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([pipe], [], [], left)
        if ready and not os.read(pipe, 4096):
            return True
    return False


if __name__ == "__main__":
    keep(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), child=sys.argv[4] == "child")
    if sys.argv[4] == "child":
        end_group(int(sys.argv[1]))
