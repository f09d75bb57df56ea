"""What comes over a connection and makes no message, against a peer that speaks ZMTP byte by byte."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any, cast

import msgpack
import pytest
import torch
import zmq

from py_backend import connections
from py_backend.connections import Connections
from py_backend.endpoints import Endpoints
from py_backend.identity import Identity
from py_backend.server import Server, receive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel does not tell what came")

SECONDS = 60
ENOUGH_BYTES = 500 << 20
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\x00") + bytes(32)
READY = b"\x05READY" + b"\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER"
LARGE_FRAME = b"\x03" + (1 << 20).to_bytes(8, "big") + bytes(1 << 20)
EMPTY_FRAMES = b"\x01\x00" * 4096


@pytest.fixture
def serving() -> Iterator[Server]:
    made = Server(Endpoints("tcp://127.0.0.1:0", "tcp://127.0.0.1:0"), Identity.of(torch.device("cpu"), 1))
    thread = threading.Thread(target=lambda: made.run(end_with_stdin=False), daemon=True)
    thread.start()
    yield made
    made.stop()
    thread.join(SECONDS)
    assert not thread.is_alive()


@pytest.fixture
def dealer(serving: Server) -> Iterator[zmq.Socket[Any]]:
    context: zmq.Context[Any] = zmq.Context()
    made = context.socket(zmq.DEALER)
    made.connect(serving.control_endpoint)
    yield made
    context.destroy(linger=0)


def ask(dealer: zmq.Socket[Any], kind: str, **fields: Any) -> str:
    """The type of the answer."""
    dealer.send(msgpack.packb({"version": 1, "id": 1, "type": kind, **fields, "arrays": []}))
    assert dealer.poll(SECONDS * 1000), "no answer"
    return str(msgpack.unpackb(dealer.recv())["type"])


@pytest.mark.parametrize("frames", [LARGE_FRAME, EMPTY_FRAMES], ids=["large frames", "empty frames"])
def test_a_message_without_end_is_cut_off_early(
    frames: bytes, serving: Server, dealer: zmq.Socket[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    port = int(serving.control_endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), SECONDS) as flood:
        flood.sendall(GREETING + bytes([4, len(READY)]) + READY)
        said = b""
        while b"READY" not in said:  # frames that come within the handshake end the connection by themselves
            said += flood.recv(1024)
        sent = 0
        with pytest.raises(ConnectionError):
            while sent < ENOUGH_BYTES:
                flood.sendall(frames)
                sent += len(frames)
    assert ask(dealer, "ping", session=None) == "ping_ok"
    assert "bytes came over it that were not read, more than may wait\n" in capfd.readouterr().err


def test_what_was_read_is_counted_to_the_byte(serving: Server, dealer: zmq.Socket[Any]) -> None:
    """So no connection comes near its limit, however long it lasts."""
    for client in ("", "x" * 300, "y"):
        for _ in range(20):
            assert ask(dealer, "hello", client=client) == "hello_ok"
    (connection,) = serving._control_connections._open.values()
    assert -connections.HANDSHAKE_BYTES <= connection.unread_bytes() <= 0


@pytest.fixture
def router() -> Iterator[tuple[zmq.Socket[bytes], zmq.Socket[bytes]]]:
    """A bound ROUTER, and a DEALER that is connected to it."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    bound, peer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    bound.bind("tcp://127.0.0.1:0")
    yield bound, peer
    context.destroy(linger=0)


def test_what_was_read_before_anybody_asked_who_is_there_is_counted_too(
    router: tuple[zmq.Socket[bytes], zmq.Socket[bytes]],
) -> None:
    """A message may be read by the one thread before the other hears that its connection was accepted."""
    bound, peer = router
    seen = Connections(bound, unread_limit_bytes=1000)
    peer.connect(bound.getsockopt_string(zmq.LAST_ENDPOINT))
    peer.send(bytes(5000))
    assert bound.poll(SECONDS * 1000), "no message"
    receive(bound, seen)
    assert seen.ended() == []
    assert seen.cut_floods() == []
    (connection,) = seen._open.values()
    assert -connections.HANDSHAKE_BYTES <= connection.unread_bytes() <= 0
    seen.close()


class Events:
    """A socket whose monitor tells this; `told`: what is still to be told."""

    def __init__(self) -> None:
        self.told: list[dict[str, int]] = []

    def get_monitor_socket(self, _events: int) -> Events:
        return self

    def poll(self, _milliseconds: int) -> bool:
        return bool(self.told)


def test_a_file_that_is_used_again_is_another_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end, told later, is not that of the one that came after it."""
    monkeypatch.setattr(connections, "recv_monitor_message", lambda events: events.told.pop(0))
    events, file = Events(), 1 << 20
    seen = Connections(cast("Any", events), unread_limit_bytes=1000)
    accepted, gone = ({"event": kind, "value": file} for kind in (zmq.EVENT_ACCEPTED, zmq.EVENT_DISCONNECTED))
    events.told = [accepted]
    first = seen.read(file, [1])
    events.told = [gone, accepted]
    second = seen.read(file, [1])
    assert first is not None and second is not None and first != second
    assert seen.ended() == [first]
    events.told = [gone]
    assert seen.read(file, [1]) is None
    assert seen.ended() == [second]
