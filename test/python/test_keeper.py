"""A backend that hangs is killed once it was told to end, wherever it hangs; one that ends is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from py_backend import keeper, process_signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no keeper")

ROOT = Path(__file__).parents[2]
SECONDS = 60
HANGS = {
    "in Python": "while True: pass",
    "in Python, swallowing every exception": "while True:\n    try: time.sleep(3600)\n    except BaseException: pass",
    "in C, holding Python's lock": "sum(range(10**14))",
    "at its end": "atexit.register(time.sleep, 3600)\nsys.exit(0)",
}


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _leave_nothing() -> Iterator[None]:
    """A test that fails leaves nothing that hangs, either."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def start(code: str, *, child: bool = True, grace_seconds: float = 0.1, first: str = "") -> subprocess.Popen[str]:
    """A process with a keeper that says when it is ready, and then runs this code; `first`: before it has a keeper."""
    script = (
        "import atexit, os, signal, sys, time\n"
        "from py_backend import keeper, process_signals\n"
        f"{first}\n"
        "process_signals.handle_sigterm(lambda *_: None)\n"
        f"if {child}: process_signals.leave_to_controller()\n"
        f"kept = keeper.start(child={child}, grace_seconds={grace_seconds})\n"
        "print('ready', flush=True)\n"
        f"{code}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    STARTED.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def close_stdin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None


@pytest.mark.parametrize("hang", HANGS.values(), ids=HANGS.keys())
@pytest.mark.parametrize(
    ("child", "tell"),
    [(False, subprocess.Popen.terminate), (True, close_stdin)],
    ids=["SIGTERM", "a child, stdin closed"],
)
def test_what_hangs_is_killed_and_says_so(
    hang: str, child: bool, tell: Callable[[subprocess.Popen[str]], None]
) -> None:
    process = start(hang, child=child)
    tell(process)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGKILL
    assert "did not end within 0.1 s of being told to" in said


def test_a_shutdown_is_told_without_a_signal() -> None:
    process = start("kept.ending()\nsum(range(10**14))")
    process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGKILL


def test_no_signal_to_its_group_ends_a_child_or_its_keeper() -> None:
    process = start("print(sys.stdin.readline(), end='', flush=True)\nsum(range(10**14))", grace_seconds=0)
    for number in process_signals.LEFT_TO_CONTROLLER:
        os.killpg(process.pid, number)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("still here\n")
    process.stdin.flush()
    assert process.stdout.readline() == "still here\n"
    close_stdin(process)  # the keeper is still there, too
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGKILL
    assert "did not end within 0 s" in said


BEGUN = {
    "forked": "reading, writing = os.pipe()\npid = os.fork()\nif pid == 0:\n    os.write(writing, b'.')\n"
    "    while True: time.sleep(3600)\nos.read(reading, 1)",
    "executed": "import subprocess\npid = subprocess.Popen(['sleep', '3600']).pid",
}


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN.keys())
def test_a_process_that_a_child_starts_ends_by_sigterm(begun: str) -> None:
    end = "os.kill(pid, signal.SIGTERM)\nprint(os.waitpid(pid, 0)[1])"
    process = start(f"sys.stdin.readline()\n{begun}\n{end}", grace_seconds=3600)
    output, _ = process.communicate("go\n", timeout=SECONDS)  # what came behind `ready` would be lost to it
    assert output == f"{int(signal.SIGTERM)}\n"


def test_what_a_child_of_a_users_leaves_behind_goes_with_it() -> None:
    process = start("import subprocess\nsubprocess.Popen(['sleep', '3600'])\nsum(range(10**14))")
    close_stdin(process)
    process.communicate(timeout=SECONDS)  # its standard error ends: nobody holds it any more
    assert process.returncode == -signal.SIGKILL


STUBBORN = (
    "import subprocess\n"
    "stays = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)'\n"
    "subprocess.Popen([sys.executable, '-I', '-S', '-c', stays])\n"
)


@pytest.mark.parametrize("end", ["sys.stdin.read()\nsys.exit(7)", "os._exit(7)"], ids=["told to", "by itself"])
def test_what_heeds_nothing_goes_with_a_child_that_ends_in_order_though_nobody_is_there_to_end_it(end: str) -> None:
    process = start(STUBBORN + end, grace_seconds=3600)
    close_stdin(process)
    process.communicate(timeout=SECONDS)  # as above: all who hold its standard error are gone
    assert process.returncode == 7


def test_one_that_only_let_go_of_the_pipe_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, _signal: killed.append(group))
    monkeypatch.setattr(keeper, "ENDING_SECONDS", 0)
    monkeypatch.setattr(os, "getpgrp", lambda: 7)
    monkeypatch.setattr(os, "getppid", lambda: 7)
    keeper.end_group(7)
    assert killed == []
    monkeypatch.setattr(os, "getppid", lambda: 1)
    keeper.end_group(8)  # which leads no group
    assert killed == []
    keeper.end_group(7)
    assert killed == [7]


def test_one_that_ends_in_time_is_left_alone_and_the_keeper_goes_too() -> None:
    process = start("sys.stdin.read()\nsys.exit(7)", grace_seconds=3600)
    close_stdin(process)
    _, said = process.communicate(timeout=SECONDS)  # the keeper held standard error
    assert (process.returncode, said) == (7, "")


def test_a_sigterm_for_a_forked_process_of_a_users_is_not_for_the_backend() -> None:
    forked = "reading, writing = os.pipe()\nos.register_at_fork(after_in_child=lambda: os.read(reading, 1))"
    fork = (
        "child = os.fork()\n"
        "if child == 0:\n    time.sleep(3600)\n"
        "os.kill(child, signal.SIGTERM)\nos.write(writing, b'.')\n"  # it comes before any hook of ours has run there
        "print(os.waitpid(child, 0)[1], sys.stdin.readline(), end='')\nsys.exit(7)"
    )
    process = start(fork, child=False, grace_seconds=0, first=forked)
    output, _ = process.communicate("still here\n", timeout=SECONDS)
    assert (process.returncode, output) == (7, f"{int(signal.SIGTERM)} still here\n")


def test_a_kept_process_that_is_killed_takes_its_keeper_along() -> None:
    process = start("time.sleep(3600)", child=False)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGKILL
