"""The command line, as a process: exit codes and one clear line each."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def start(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a backend that is not to start. path: where Python looks first."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, filter(None, [path, ROOT])))}
    command = [sys.executable, "-m", "py_backend", "--threads", "1", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd="/")


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


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "--listen"),
        (["--listen", "tcp://127.0.0.1:0", "--threads", "0"], "0 is not a number of threads"),
        (["--listen", "tcp://127.0.0.1:0", "--threads", "²"], "² is not a number of threads"),
        (["--listen", "tcp://127.0.0.1:0", "--gpu", "1"], "--gpu"),
    ],
)
def test_a_wrong_command_line_is_told_with_its_usage(arguments: list[str], text: str) -> None:
    ended = start(*arguments)
    assert ended.returncode == 2
    assert text in ended.stderr.splitlines()[-1]


def test_beyond_loopback_is_a_wrong_command_line() -> None:
    assert "only loopback" in the_line(start("--listen", "tcp://0.0.0.0:5555"), 2)


def test_a_path_too_long_for_a_socket_is_a_wrong_command_line(tmp_path: Path) -> None:
    assert "too long for a socket" in the_line(start("--listen", f"ipc://{tmp_path}/{'x' * 100}"), 2)


def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        line = the_line(start("--listen", endpoint), 4)
    assert f"cannot listen at {endpoint}" in line
    assert "another port" in line


def test_a_socket_path_that_is_taken_is_not_taken_over() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as taken:  # 0700, and a short path
        taken.bind(f"{folder}/c")
        taken.listen()
        line = the_line(start("--listen", f"ipc://{folder}/c"), 4)
    assert "another backend listens there" in line


@pytest.mark.parametrize(
    ("device", "text"), [("cuda:99", "`cuda:99` is not there"), ("tpu", "auto, cpu or cuda:N"), ("cuda:x", "cuda:N")]
)
def test_a_device_that_is_not_there(device: str, text: str) -> None:
    assert text in the_line(start("--listen", "tcp://127.0.0.1:0", "--device", device), 4)


@pytest.mark.parametrize(
    "content",
    ["raise ImportError('no torch\\nat all')", "raise OSError('libcudart.so.12: cannot open shared object file')"],
)
def test_without_torch(tmp_path: Path, content: str) -> None:
    line = the_line(start("--listen", "tcp://127.0.0.1:0", path=fake_module(tmp_path, "torch", content)), 4)
    assert line.startswith("py_backend: torch cannot be imported by")
    assert "--python or IBATCH_PYTHON" in line


def test_a_torch_that_is_too_old(tmp_path: Path) -> None:
    ended = start("--listen", "tcp://127.0.0.1:0", path=fake_module(tmp_path, "torch", "__version__ = '2.7.1+cu126'"))
    assert "torch 2.7.1+cu126" in the_line(ended, 4)


@pytest.mark.parametrize("missing", ["zmq", "msgspec"])
def test_without_another_requirement(tmp_path: Path, missing: str) -> None:
    content = f"raise ImportError('No module named {missing!r}')".replace("'", '"', 1)[:-2] + '")'
    line = the_line(start("--listen", "tcp://127.0.0.1:0", path=fake_module(tmp_path, missing, content)), 4)
    assert missing in line
    assert "pip install -r requirements.txt" in line
