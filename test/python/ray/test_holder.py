"""A backend as a child, as an actor of Ray holds it; without Ray."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
import zmq

from py_backend.exits import SURROUNDINGS_MISSING
from py_ray.holder import Holder, command, ending
from py_ray.talk import Order

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="passes a file descriptor on")

CLIENT_KEY = zmq.curve_keypair()[0].decode()


def order(*arguments: str, seconds: float = 120) -> Order:
    return Order(CLIENT_KEY, ["--threads", "1", "--device", "cpu", *arguments], seconds)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_listens_with_a_key_of_its_own_and_ends_when_it_is_stopped() -> None:
    holder = Holder()
    ready = holder.start(order(), "127.0.0.1", [])["ready"]
    assert ready is not None
    assert ready["control"].startswith("tcp://127.0.0.1:")
    assert len(ready["public_key"]) == 40
    assert ready["public_key"] != CLIENT_KEY
    assert is_there(int(ready["pid"]))
    holder.stop()
    assert not is_there(int(ready["pid"]))
    assert holder.news()["ended"] == "exit code 0"


def test_one_that_cannot_start_says_why() -> None:
    started = Holder().start(order("--device", "cuda:99"), "127.0.0.1", [])
    assert started["ready"] is None
    assert started["code"] == SURROUNDINGS_MISSING
    assert any(line.startswith("py_backend: ") for line in started["said"])


def test_one_that_no_controller_asks_ends_by_itself() -> None:
    holder = Holder()
    assert holder.start(order("--end-after-silence", "0.5"), "127.0.0.1", [])["ready"] is not None
    lines: list[str] = []
    while (news := holder.news())["ended"] is None:
        lines += news["lines"]
    lines += news["lines"]
    assert news["ended"] == "exit code 0"
    assert lines == ["py_backend: ends, since no controller was heard of in 0.5 s"]


def test_one_that_does_not_start_in_time_says_where_it_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import time\nprint('hangs')\ntime.sleep(3600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started = Holder().start(order(seconds=2), "127.0.0.1", [])
    assert started["why"] == "the backend did not start within 2 s"
    assert any("sitecustomize.py" in line for line in started["said"])


def test_its_end_is_told_though_what_it_left_holds_its_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / "left"
    (tmp_path / "sitecustomize.py").write_text(
        "import subprocess\n"
        "process = subprocess.Popen(['sleep', '3600'], start_new_session=True)\n"
        f"open({str(left)!r}, 'w').write(str(process.pid))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    holder = Holder()
    ready = holder.start(order(), "127.0.0.1", [])["ready"]
    try:
        assert ready is not None
        os.kill(int(ready["pid"]), signal.SIGKILL)
        assert holder.news()["ended"] == "signal SIGKILL"
    finally:
        os.kill(int(left.read_text()), signal.SIGKILL)


def test_its_command_says_where_and_for_whom_it_listens() -> None:
    arguments = command(order(), "fd00::1", ["/code"], 7)
    assert arguments[arguments.index("--listen") + 1] == "tcp://[fd00::1]:0"
    assert f"--client-key={CLIENT_KEY}" in arguments
    assert arguments[-2:] == ["--python-path", "/code"]


def test_how_it_ended_is_told_as_of_any_child() -> None:
    assert (ending(3), ending(-9)) == ("exit code 3", "signal SIGKILL")
