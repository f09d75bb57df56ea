"""Signals to this process. Those that a terminal or a job's scheduler sends to all processes of a job reach the
controller, too, which may want a last checkpoint: a child of it leaves them to the controller."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

Handler = Callable[[int, FrameType | None], object]

LEFT_TO_CONTROLLER = [
    signal.SIGINT,  # Ctrl-C
    signal.SIGTERM,  # the job is cancelled
    *(() if sys.platform == "win32" else (signal.SIGHUP, signal.SIGUSR1)),  # no terminal; the time limit is near
]


def leave_to_controller() -> None:
    """From now on this process ends by none of them, nor do processes that it starts: but for SIGTERM, by which
    processes of a user's are ended."""
    for number in LEFT_TO_CONTROLLER:
        if number == signal.SIGTERM:
            handle_sigterm(lambda *_: None)
        else:
            signal.signal(number, signal.SIG_IGN)


def outlive_time_limit_warning() -> None:
    """From now on neither this process nor one that it starts ends by a SIGUSR1: with it a scheduler warns all
    processes of a job, and the controller, which may be elsewhere, decides what follows."""
    if sys.platform != "win32":
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def handle_sigterm(handler: Handler) -> None:
    """In this process: one that is forked off ends by a SIGTERM, unless it has a handler of its own."""

    def reset() -> None:
        if signal.getsignal(signal.SIGTERM) is handler:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, handler)
    if sys.platform != "win32":
        at_fork(reset)


def at_fork(act: Callable[[], object]) -> None:
    """Does this in each process that is forked off, before a signal that ends can come to it: until then it would be
    taken for one to this process."""
    held = threading.local()

    def hold() -> None:
        held.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, held.before)

    def begin() -> None:
        act()
        release()

    os.register_at_fork(before=hold, after_in_parent=release, after_in_child=begin)
