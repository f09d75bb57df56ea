"""Where a backend may listen, and what is refused before anything is bound."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from py_backend.endpoints import EndpointError, Endpoints, parse


def test_ipc_makes_its_directory_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "control"
    assert parse(f"ipc://{path}") == Endpoints(f"ipc://{path}", f"ipc://{path}.work")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_ipc_in_a_directory_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    for mode in (0o755, 0o710, 0o701):
        tmp_path.chmod(mode)
        with pytest.raises(EndpointError, match="chmod 700"):
            parse(f"ipc://{tmp_path}/control")
    tmp_path.chmod(0o700)
    assert parse(f"ipc://{tmp_path}/control").control


def test_ipc_paths_are_as_long_as_a_socket_allows(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    room = 107 - len(os.fsencode(f"{tmp_path}/.work"))
    assert parse(f"ipc://{tmp_path}/{'x' * room}").control
    with pytest.raises(EndpointError, match="too long"):
        parse(f"ipc://{tmp_path}/{'x' * (room + 1)}")
    with pytest.raises(EndpointError, match="too long"):  # bytes, not characters
        parse(f"ipc://{tmp_path}/{'ä' * (room // 2 + 1)}")


@pytest.mark.parametrize("name", ["", "@abstract", "*"])
def test_ipc_names_outside_of_a_directory_are_refused(name: str) -> None:
    with pytest.raises(EndpointError, match="expected a path"):
        parse(f"ipc://{name}")


def test_ipc_where_no_directory_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EndpointError, match="cannot be made"):
        parse(f"ipc://{tmp_path}/file/control")


@pytest.mark.parametrize(
    ("given", "control", "work"),
    [
        ("127.0.0.1:5555", "tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556"),
        ("127.0.0.1:0", "tcp://127.0.0.1:0", "tcp://127.0.0.1:0"),
        ("127.8.9.1:65534", "tcp://127.8.9.1:65534", "tcp://127.8.9.1:65535"),
        ("localhost:1", "tcp://127.0.0.1:1", "tcp://127.0.0.1:2"),
        ("[::1]:7", "tcp://[::1]:7", "tcp://[::1]:8"),
    ],
)
def test_tcp_on_loopback(given: str, control: str, work: str) -> None:
    assert parse(f"tcp://{given}") == Endpoints(control, work)


BEYOND = ["0.0.0.0", "192.168.1.5", "*", "example.org", "[::]", "128.0.0.1", "eth0"]


@pytest.mark.parametrize("host", BEYOND)
def test_tcp_beyond_loopback_wants_keys(host: str) -> None:
    with pytest.raises(EndpointError, match=r"beyond loopback.*`ibatch keys DIR`.*ssh tunnel.*PORT\+1"):
        parse(f"tcp://{host}:5555")
    assert parse(f"tcp://{host}:5555", has_keys=True) == Endpoints(f"tcp://{host}:5555", f"tcp://{host}:5556")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65535",
        "127.0.0.1:x",
        "127.0.0.1:-1",
        "127.0.0.1:*",
        "127.0.0.1:²",
        "",
        ":5555",
    ],
)
def test_tcp_without_a_port_is_refused(address: str) -> None:
    with pytest.raises(EndpointError, match="HOST:PORT"):
        parse(f"tcp://{address}")


@pytest.mark.parametrize("listen", ["", "5555", "http://127.0.0.1:1", "inproc://x", "ipc:/tmp/x", "TCP://127.0.0.1:1"])
def test_other_schemes_are_refused(listen: str) -> None:
    with pytest.raises(EndpointError, match="expected ipc://PATH or tcp://HOST:PORT"):
        parse(listen)
