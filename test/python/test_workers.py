"""Workers outlive signals to all processes of a job, and end when the backend ends them or is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from py_backend.process_signals import LEFT_TO_CONTROLLER
from py_backend.workers import worker_context

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a job's signals are of POSIX")

SECONDS = 60
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _targets_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


@contextmanager
def worker(target: str) -> Iterator[tuple[BaseProcess, Any]]:
    """One that does this of worker_targets.py, and the connection to it."""
    here, there = Pipe()
    process = worker_context().Process(target=getattr(import_module("worker_targets"), target), args=(there,))
    process.start()
    there.close()
    try:
        yield process, here
    finally:
        process.kill()
        process.join()


@pytest.mark.parametrize("target", ["not_begun", "begun"])
def test_no_signal_to_a_whole_job_ends_a_worker_or_what_it_was_forked_off(target: str) -> None:
    with worker(target) as (_, here):
        pid, server_pid = here.recv()
        for number in LEFT_TO_CONTROLLER:
            os.kill(pid, number)
            os.kill(server_pid, number)
        here.send("still here")
        assert here.recv() == "still here"
        with worker(target) as (_, another):
            assert another.recv()[1] == server_pid


def test_what_an_item_starts_ends_by_sigterm() -> None:
    with worker("starts_another") as (_, here):
        assert here.poll(SECONDS)
        assert here.recv() == -signal.SIGTERM


def test_a_worker_that_hangs_ends_where_the_backend_ends_it() -> None:
    with worker("hangs") as (process, here):
        assert here.recv() == "hangs"
        process.terminate()  # what torch does, and multiprocessing at a program's end
        process.join(SECONDS)
        assert process.exitcode == -signal.SIGKILL


def test_a_worker_that_hangs_goes_with_a_backend_that_is_killed() -> None:
    script = (
        "import time, worker_targets\n"
        "from multiprocessing import Pipe\n"
        "from py_backend.workers import worker_context\n"
        "here, there = Pipe()\n"
        "worker_context().Process(target=worker_targets.hangs, args=(there,)).start()\n"
        "print(here.recv(), flush=True)\n"
        "time.sleep(3600)\n"
    )
    backend = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)])},
    )
    assert backend.stdout is not None
    assert backend.stdout.readline() == "hangs\n"
    backend.kill()
    backend.communicate(timeout=SECONDS)  # its standard output ends: nobody holds it any more
