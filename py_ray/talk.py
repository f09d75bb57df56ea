"""What the controller and this program tell each other: a line of JSON each."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import IO, Any

LINE_SHOWN = 200


class RequestError(ValueError):
    """A line that is no request; only our controller writes them."""


@dataclass(frozen=True)
class Demand:
    """What a node has to have free for a backend."""

    cpus: int
    gpus: float
    memory_bytes: int | None


@dataclass(frozen=True)
class Order:
    """How a backend is to be started."""

    client_key: str
    """Public key of the controller, which alone is let in."""
    arguments: list[str]
    """Of `python -m py_backend`, beside where it listens and for whom."""
    start_seconds: float


@dataclass(frozen=True)
class Place:
    id: int
    demand: Demand
    order: Order


@dataclass(frozen=True)
class Release:
    id: int


def read_request(line: str) -> Place | Release:
    """Raises RequestError."""
    match parsed(line):
        case {"type": "release", "id": int(number)}:
            return Release(number)
        case {"type": "place", "id": int(number), "demand": demand, "order": order}:
            return Place(number, read_demand(demand), read_order(order))
    raise RequestError(f"{line[:LINE_SHOWN]!r} is no request")


def read_demand(said: object) -> Demand:
    match said:
        case {"cpus": int(cpus), "gpus": int(gpus) | float(gpus), "memory_bytes": int() | None as memory_bytes}:
            return Demand(cpus, gpus, memory_bytes)
    raise RequestError(f"{said} is no demand")


def read_order(said: object) -> Order:
    match said:
        case {"client_key": str(key), "arguments": list(arguments), "start_seconds": int(seconds) | float(seconds)}:
            if all(isinstance(argument, str) for argument in arguments):
                return Order(key, arguments, seconds)
    raise RequestError(f"{said} is no order")


def parsed(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


class Teller:
    """Tells the controller; from any thread. One that has gone is no matter: standard input tells of that."""

    def __init__(self, channel: IO[str]) -> None:
        self._channel = channel
        self._lock = threading.Lock()

    def tell(self, kind: str, **said: Any) -> None:
        line = json.dumps({"type": kind, **said})
        with self._lock:
            try:
                print(line, file=self._channel, flush=True)
            except (OSError, ValueError):
                return
