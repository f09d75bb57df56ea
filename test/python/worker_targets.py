"""What workers do in test_workers.py: a module that they find."""

from __future__ import annotations

import os
import subprocess
import time
from multiprocessing.connection import Connection

from py_backend.workers import begin_worker


def not_begun(there: Connection) -> None:
    """No code of ours has run in it."""
    there.send((os.getpid(), os.getppid()))
    there.send(there.recv())


def begun(there: Connection) -> None:
    begin_worker()
    not_begun(there)


def starts_another(there: Connection) -> None:
    """Sends how a program that it starts ends by SIGTERM."""
    begin_worker()
    program = subprocess.Popen(["sleep", "3600"])
    program.terminate()
    there.send(program.wait())


def hangs(there: Connection) -> None:
    begin_worker()
    there.send("hangs")
    while True:
        time.sleep(3600)
