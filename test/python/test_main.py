"""The command line, as a process: exit codes and one clear line each."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
import zmq.auth

from py_backend import __main__ as command
from py_backend import device, keeper, process_signals, server
from py_backend.identity import Identity

ROOT = Path(__file__).parents[2]


def start(*arguments: str, path: Path | None = None, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Runs a backend that is not to start. path: where Python looks first."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, filter(None, [path, ROOT])))}
    command = [python, "-m", "py_backend", "--threads", "1", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd="/")


def the_line(ended: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line that it ended with."""
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


def fake_module(folder: Path, name: str, content: str) -> Path:
    (folder / f"{name}.py").write_text(content)
    return folder


def test_help_needs_no_torch(tmp_path: Path) -> None:
    ended = start("--help", path=fake_module(tmp_path, "torch", "raise ImportError('no torch here')"))
    assert ended.returncode == 0
    assert "--listen" in ended.stdout
    assert "example:" in ended.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="passes a file descriptor on")
def test_endpoints_go_to_a_channel_of_their_own_whatever_else_is_printed(tmp_path: Path) -> None:
    fake_module(tmp_path, "sitecustomize", "print('hello from the site')")
    ready, ended = start_and_end(tmp_path)
    assert ready.count("\n") == 1
    assert sorted(json.loads(ready)) == ["control", "pid", "work"]
    assert ended == (0, "hello from the site\n")


@pytest.mark.skipif(sys.platform == "win32", reason="passes a file descriptor on")
def test_its_end_waits_for_no_thread_of_a_users_and_does_what_is_registered(tmp_path: Path) -> None:
    content = (
        "import atexit, threading, time\n"
        "threading.Thread(target=time.sleep, args=[3600]).start()\n"
        "atexit.register(print, 'registered')\n"
    )
    fake_module(tmp_path, "sitecustomize", content)
    _, ended = start_and_end(tmp_path)
    assert ended == (0, "registered\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--client-key=short"], "--client-key short: a public key of 40 characters of Z85 is expected"),
        (["--end-after-silence", "0"], "0 is not a number of seconds above 0"),
        (["--end-after-silence", "inf"], "inf is not a number of seconds above 0"),
        (["--end-after-silence", "long"], "long is not a number of seconds above 0"),
    ],
)
def test_what_is_no_key_and_no_time_is_refused(arguments: list[str], said: str) -> None:
    ended = start("--device", "cpu", "--listen", "tcp://127.0.0.1:0", *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr


def start_and_end(first: Path) -> tuple[str, tuple[int, str]]:
    """What a child says when it is ready; then, its standard input closed, its exit code and standard output.
    first: where Python looks first."""
    path = os.pathsep.join(map(str, [first, ROOT]))
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "py_backend", "--threads", "1", "--device", "cpu", "--listen", "tcp://127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, "--child", "--ready-fd", str(writing)],
        env={**os.environ, "PYTHONPATH": path},
        pass_fds=[writing],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    with os.fdopen(reading) as channel:
        ready = channel.read()  # to its end: it was closed
    try:
        output, _ = process.communicate(timeout=300)
    finally:
        process.kill()
    return ready, (process.returncode, output)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "--listen"),
        (["--listen", "tcp://127.0.0.1:0", "--threads", "0"], "0 is not a number of threads"),
        (["--listen", "tcp://127.0.0.1:0", "--threads", "²"], "² is not a number of threads"),
        (["--listen", "tcp://127.0.0.1:0", "--gpu", "1"], "--gpu"),
        (["--listen", "tcp://127.0.0.1:0", "--ready-fd", "77"], "77 is no file descriptor that is open here"),
        (["--listen", "tcp://127.0.0.1:0", "--ready-fd", "three"], "three is no file descriptor that is open here"),
    ],
)
def test_a_wrong_command_line_is_told_with_its_usage(arguments: list[str], text: str) -> None:
    ended = start(*arguments)
    assert ended.returncode == 2
    assert text in ended.stderr.splitlines()[-1]


def test_beyond_loopback_is_a_wrong_command_line(warm_python: str) -> None:
    line = the_line(start("--listen", "tcp://0.0.0.0:5555", python=warm_python), 2)
    assert "beyond loopback (127.0.0.1) keys are needed: `ibatch keys DIR` makes them" in line


def test_a_path_too_long_for_a_socket_is_a_wrong_command_line(warm_python: str, tmp_path: Path) -> None:
    assert "too long for a socket" in the_line(
        start("--listen", f"ipc://{tmp_path}/{'x' * 100}", python=warm_python), 2
    )


def test_a_port_that_is_taken(warm_python: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        line = the_line(start("--listen", endpoint, python=warm_python), 4)
    assert f"cannot listen at {endpoint}" in line
    assert "another port" in line


def test_the_port_of_work_that_is_taken_is_the_one_that_is_named(warm_python: str) -> None:
    with socket.socket() as taken:
        port = 0
        while not port:  # one behind a free one
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            try:
                taken.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                port = 0
        taken.listen()
        line = the_line(start("--listen", f"tcp://127.0.0.1:{port}", python=warm_python), 4)
    assert f"cannot listen at tcp://127.0.0.1:{port + 1}: " in line


@pytest.mark.parametrize("host", ["nowhere.invalid", "198.51.100.1"])
def test_a_host_that_is_none_of_this_machine_is_what_is_wrong(warm_python: str, tmp_path: Path, host: str) -> None:
    for name in ("server", "client"):
        zmq.auth.create_certificates(tmp_path, name)
    (tmp_path / "server.key_secret").chmod(0o600)
    line = the_line(start("--listen", f"tcp://{host}:5555", "--keys", str(tmp_path), python=warm_python), 4)
    assert f"cannot listen at tcp://{host}:5555: " in line
    assert line.endswith("; name an address of this machine, which is no name: 127.0.0.1, or 0.0.0.0 for all of them")


def test_a_socket_path_that_is_taken_is_not_taken_over(warm_python: str) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as taken:  # 0700, and a short path
        taken.bind(f"{folder}/c")
        taken.listen()
        line = the_line(start("--listen", f"ipc://{folder}/c", python=warm_python), 4)
    assert line.endswith("another backend listens there; name another path")


@pytest.mark.parametrize(
    ("device", "text"), [("cuda:99", "`cuda:99` is not there"), ("tpu", "auto, cpu or cuda:N"), ("cuda:x", "cuda:N")]
)
def test_a_device_that_is_not_there(device: str, text: str, warm_python: str) -> None:
    assert text in the_line(start("--listen", "tcp://127.0.0.1:0", "--device", device, python=warm_python), 4)


@pytest.mark.parametrize(
    "content",
    ["raise ImportError('no torch\\nat all')", "raise OSError('libcudart.so.12: cannot open shared object file')"],
)
def test_without_torch(tmp_path: Path, content: str) -> None:
    line = the_line(start("--listen", "tcp://127.0.0.1:0", path=fake_module(tmp_path, "torch", content)), 4)
    assert line.startswith("py_backend: torch cannot be imported by")
    assert "--python or IBATCH_PYTHON" in line


def interrupt_and(then: str, *numbers: int) -> str:
    return "import os\n" + "".join(f"os.kill(os.getpid(), {int(number)})\n" for number in numbers) + then


def test_an_interrupt_while_it_starts_ends_it_without_a_word(tmp_path: Path) -> None:
    content = interrupt_and("raise ImportError('not interrupted')", signal.SIGINT)
    ended = start("--listen", "tcp://127.0.0.1:0", path=fake_module(tmp_path, "torch", content))
    assert (ended.returncode, ended.stderr) == (130, "")


def test_signals_while_a_child_starts_are_left_to_the_parent(tmp_path: Path) -> None:
    content = interrupt_and("raise ImportError('not interrupted')", *process_signals.LEFT_TO_CONTROLLER)
    path = fake_module(tmp_path, "torch", content)
    assert "not interrupted" in the_line(start("--listen", "tcp://127.0.0.1:0", "--child", path=path), 4)


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGUSR1")
def test_the_warning_of_a_time_limit_does_not_end_it_while_it_starts(tmp_path: Path) -> None:
    content = interrupt_and("raise ImportError('not interrupted')", signal.SIGUSR1)
    path = fake_module(tmp_path, "torch", content)
    assert "not interrupted" in the_line(start("--listen", "tcp://127.0.0.1:0", path=path), 4)


def test_a_sigterm_while_it_starts_ends_it_with_143(tmp_path: Path) -> None:
    content = interrupt_and("", signal.SIGTERM)
    ended = start("--listen", "tcp://127.0.0.1:0", path=fake_module(tmp_path, "torch", content))
    assert (ended.returncode, ended.stderr) == (143, "")


def test_a_gpu_is_made_the_main_threads_own_before_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    second, seen = torch.device("cuda", 1), []

    class FakeServer:
        def __init__(self, _endpoints: object, identity: Identity, *, admission: object, on_stop: object) -> None:
            seen.append(("server", identity.device))

        def run(self, *, end_with_stdin: bool, ready_fd: int | None, end_after_silence: float | None) -> None:
            seen.append(("run", end_with_stdin, ready_fd, end_after_silence))

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(device, "set_arithmetic", lambda: None)
    monkeypatch.setattr(device, "resolve", lambda _: second)
    monkeypatch.setattr(torch.cuda, "get_device_name", str)
    monkeypatch.setattr(torch.cuda, "set_device", lambda chosen: seen.append(("set_device", chosen)))
    monkeypatch.setattr(torch.cuda, "Stream", lambda chosen: ("stream of", chosen))
    monkeypatch.setattr(torch.cuda, "set_stream", lambda stream: seen.append(("set_stream", stream)))
    monkeypatch.setattr(server, "Server", FakeServer)
    arguments = argparse.Namespace(
        child=False,
        ready_fd=None,
        listen="tcp://127.0.0.1:0",
        keys=None,
        device="cuda:1",
        threads=1,
        allow_import=[],
        python_path=[],
        client_key=None,
        end_after_silence=None,
    )
    assert command.serve(arguments, keeper.Keeper(None)) == 0
    own_stream = ("set_stream", ("stream of", second))
    assert seen == [("set_device", second), own_stream, ("server", second), ("run", False, None, None)]


def test_a_torch_that_is_too_old(tmp_path: Path) -> None:
    ended = start("--listen", "tcp://127.0.0.1:0", path=fake_module(tmp_path, "torch", "__version__ = '2.7.1+cu126'"))
    assert "torch 2.7.1+cu126" in the_line(ended, 4)


@pytest.mark.parametrize("missing", ["zmq", "msgspec"])
def test_without_another_requirement(tmp_path: Path, missing: str) -> None:
    content = f"raise ImportError('No module named {missing!r}')".replace("'", '"', 1)[:-2] + '")'
    line = the_line(start("--listen", "tcp://127.0.0.1:0", path=fake_module(tmp_path, missing, content)), 4)
    assert missing in line
    assert "pip install -r requirements-backend.txt" in line
