"""Where to listen: names checked before anything is bound."""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

MAX_IPC_PATH_BYTES = 107
"""Length of a Unix socket's path, its end included: sockaddr_un has 108 bytes."""
WORK_SUFFIX = ".work"
LAST_PORT = 65534


class EndpointError(ValueError):
    """An endpoint that must not or cannot be used; one line for a person."""


@dataclass(frozen=True)
class Endpoints:
    control: str
    work: str


def parse(listen: str, *, has_keys: bool = False) -> Endpoints:
    """Both endpoints from `--listen`, of which tcp beyond loopback needs keys. Raises EndpointError. May make the
    directory of an ipc socket, 0700."""
    scheme, separator, rest = listen.partition("://")
    if not separator or scheme not in ("ipc", "tcp"):
        raise EndpointError(f"--listen {listen}: expected ipc://PATH or tcp://HOST:PORT")
    return parse_ipc(rest) if scheme == "ipc" else parse_tcp(rest, has_keys=has_keys)


def parse_ipc(path: str) -> Endpoints:
    if len(os.fsencode(path + WORK_SUFFIX)) > MAX_IPC_PATH_BYTES:
        raise EndpointError(f"--listen ipc://{path}: the path is too long for a socket; use a shorter directory")
    if not path or path[0] in "@*":
        raise EndpointError(f"--listen ipc://{path}: expected a path; anyone can enter other names")
    directory = Path(path).parent
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EndpointError(f"--listen ipc://{path}: {directory} cannot be made: {error}") from None
    if stat.S_IMODE(directory.stat().st_mode) & 0o077:
        raise EndpointError(
            f"--listen ipc://{path}: others may enter {directory}; use a directory of your own (chmod 700)"
        )
    return Endpoints(f"ipc://{path}", f"ipc://{path}{WORK_SUFFIX}")


def is_served(endpoint: str) -> bool:
    """Whether somebody listens at an ipc endpoint: zmq would take its path over without a word."""
    scheme, _, path = endpoint.partition("://")
    if scheme != "ipc" or not Path(path).exists():
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:  # left behind by a backend that died
            return False
    return True


def parse_tcp(address: str, *, has_keys: bool) -> Endpoints:
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > LAST_PORT:
        raise EndpointError(
            f"--listen tcp://{address}: expected HOST:PORT with a port from 0 to {LAST_PORT}; work takes the next one"
        )
    if host == "localhost":
        host = "127.0.0.1"
    if not has_keys and not is_loopback(host.strip("[]")):
        raise EndpointError(
            f"--listen tcp://{address}: beyond loopback (127.0.0.1) keys are needed: `ibatch keys DIR` makes them, "
            "--keys DIR takes them; or reach it through an ssh tunnel of both ports, PORT and PORT+1"
        )
    work_port = int(port) + 1 if int(port) else 0  # known beforehand, so that a tunnel can pass it on
    return Endpoints(f"tcp://{host}:{port}", f"tcp://{host}:{work_port}")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
