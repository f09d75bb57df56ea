"""What comes over a connection and makes no message, against a peer that speaks ZMTP byte by byte."""

from __future__ import annotations

import os
import re
import resource
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgpack
import pytest
import torch
import zmq

from py_backend import connections
from py_backend.asked import Asked
from py_backend.connections import Allowance, Connections
from py_backend.endpoints import Endpoints
from py_backend.identity import Identity
from py_backend.server import Server, receive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel does not tell what came")

SECONDS = 60
ENOUGH_BYTES = 500 << 20
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\x00") + bytes(32)
READY = b"\x05READY" + b"\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER"
LARGE_FRAME = b"\x03" + (1 << 19).to_bytes(8, "big") + bytes(1 << 19)
EMPTY_FRAMES = b"\x01\x00" * 4096


@pytest.fixture
def serving() -> Iterator[Server]:
    made = Server(
        Endpoints("tcp://127.0.0.1:0", "tcp://127.0.0.1:0"), Identity.of(torch.device("cpu"), 1), admission=None
    )
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
    told = capfd.readouterr().err
    assert re.search(r"cut a connection to tcp://\S+: \d+ bytes are held of it, more than 524288\n", told), told


def greeted(endpoint: str) -> socket.socket:
    """A peer that has shaken hands, and may send what it likes."""
    made = socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])), SECONDS)
    made.sendall(GREETING + bytes([4, len(READY)]) + READY)
    said = b""
    while b"READY" not in said:  # frames that come within the handshake end the connection by themselves
        said += made.recv(1024)
    return made


def memory(of: str) -> int:
    """Bytes of this process, in which the server is a thread: `VmRSS` now, `VmHWM` at most."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(of))
    return int(line.split()[1]) << 10


def most_memory_of(act: Callable[[], None]) -> int:
    """By how much memory grew while this was done."""
    Path("/proc/self/clear_refs").write_text("5")  # the most begins anew
    before = memory("VmRSS")
    act()
    return memory("VmHWM") - before


def send_until_cut(flood: socket.socket, piece: bytes, most_bytes: int) -> int:
    sent = 0
    with suppress(ConnectionError):
        while sent < most_bytes:
            flood.sendall(piece)
            sent += len(piece)
    return sent


@pytest.mark.parametrize("peers", [1, 40])
def test_frames_without_end_are_cut_before_they_fill_memory(serving: Server, peers: int) -> None:
    """30 frames of 20 MiB from a stranger were 600 MiB of memory before they were refused."""
    frame = b"\x03" + (20 << 20).to_bytes(8, "big") + bytes(20 << 20)
    floods = [greeted(serving.work_endpoint) for _ in range(peers)]
    sent: list[int] = []

    def flood() -> None:
        threads = [
            threading.Thread(target=lambda one=one: sent.append(send_until_cut(one, frame, 30 * len(frame))))
            for one in floods
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert most_memory_of(flood) < 256 << 20
    assert max(sent) < 30 * len(frame)
    for one in floods:
        one.close()


def test_whoever_takes_no_answers_is_cut(serving: Server, dealer: zmq.Socket[Any]) -> None:
    with greeted(serving.control_endpoint) as deaf:
        hello = msgpack.packb({"version": 1, "id": 1, "type": "hello", "client": "", "arrays": []})
        assert send_until_cut(deaf, bytes([0, len(hello)]) + hello, 64 << 20) < 64 << 20
    assert ask(dealer, "hello", client="") == "hello_ok"


def test_what_was_read_is_counted_to_the_byte(serving: Server, dealer: zmq.Socket[Any]) -> None:
    """So no connection comes near its limit, however long it lasts."""
    for client in ("", "x" * 300, "y"):
        for _ in range(20):
            assert ask(dealer, "hello", client=client) == "hello_ok"
    (connection,) = serving._control_connections._open.values()
    connection.look()
    assert -connections.HANDSHAKE_BYTES <= connection.taken_bytes - connection._received_bytes <= 0


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
    seen = Connections(bound, Allowance(1000, 1000), Allowance(1000, 1000))
    peer.connect(bound.getsockopt_string(zmq.LAST_ENDPOINT))
    peer.send(bytes(5000))
    assert bound.poll(SECONDS * 1000), "no message"
    asked = receive(bound, seen)
    assert seen.ended() == []
    seen.answered(asked.connection, asked.held_bytes, [])
    assert seen.cut_floods() == []
    (connection,) = seen._open.values()
    connection.look()
    assert -connections.HANDSHAKE_BYTES <= connection.taken_bytes - connection._received_bytes <= 0
    seen.close()


class Events:
    """A socket whose monitor tells this; `told`: what is still to be told."""

    def __init__(self) -> None:
        self.told: list[dict[str, int]] = []
        self._told_by = os.pipe()

    def get_monitor_socket(self, _events: int) -> Events:
        return self

    def poll(self, _milliseconds: int) -> bool:
        return bool(self.told)

    def getsockopt(self, _option: int) -> int:
        return self._told_by[0]


def test_a_file_that_is_used_again_is_another_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end, told later, is not that of the one that came after it."""
    monkeypatch.setattr(connections, "recv_monitor_message", lambda events: events.told.pop(0))
    events, file = Events(), 1 << 20
    seen = Connections(cast("Any", events), Allowance(1000, 1000), Allowance(1000, 1000))
    accepted, gone = ({"event": kind, "value": file} for kind in (zmq.EVENT_ACCEPTED, zmq.EVENT_DISCONNECTED))
    events.told = [accepted]
    first, _ = seen.read(file, [1])
    events.told = [gone, accepted]
    second, _ = seen.read(file, [1])
    assert first is not None and second is not None and first != second
    assert seen.ended() == [first]
    events.told = [gone]
    assert seen.read(file, [1]) == (None, 3)
    assert seen.ended() == [second]


KB = 1000


@pytest.fixture
def peers(router: tuple[zmq.Socket[bytes], zmq.Socket[bytes]]) -> Iterator[Callable[[], zmq.Socket[bytes]]]:
    """Makes another peer of the ROUTER."""
    bound, first = router
    made: list[zmq.Socket[bytes]] = []

    def make() -> zmq.Socket[bytes]:
        peer = first.context.socket(zmq.DEALER)
        peer.connect(bound.getsockopt_string(zmq.LAST_ENDPOINT))
        made.append(peer)
        return peer

    yield make
    for peer in made:
        peer.close(linger=0)


def take(bound: zmq.Socket[bytes], seen: Connections, peer: zmq.Socket[bytes], size: int) -> Asked:
    peer.send(bytes(size))
    assert bound.poll(SECONDS * 1000), "no message"
    return receive(bound, seen)


def numbers_of(seen: Connections) -> dict[int, bool]:
    """Number → whether it was cut."""
    return {one.number: one.is_cut for one in [*seen._open.values()]}


def test_a_message_is_held_until_it_is_answered(
    router: tuple[zmq.Socket[bytes], zmq.Socket[bytes]], peers: Callable[[], zmq.Socket[bytes]]
) -> None:
    bound, _ = router
    seen = Connections(bound, Allowance(10 * KB, 1000 * KB), Allowance(1000 * KB, 1000 * KB))
    peer, other = peers(), peers()
    for _ in range(5):
        asked = take(bound, seen, other, 6 * KB)
        seen.answered(asked.connection, asked.held_bytes, [])
    first = take(bound, seen, peer, 6 * KB)
    assert seen.cut_floods() == []
    second = take(bound, seen, peer, 6 * KB)
    (why,) = seen.cut_floods()
    assert why == "12018 bytes are held of it, more than 10000"
    assert first.connection == second.connection != asked.connection
    assert numbers_of(seen).get(first.connection or 0, True)
    assert numbers_of(seen)[asked.connection or 0] is False
    seen.close()


def test_of_all_together_those_that_hold_most_are_cut_and_a_controller_is_not_among_strangers(
    router: tuple[zmq.Socket[bytes], zmq.Socket[bytes]], peers: Callable[[], zmq.Socket[bytes]]
) -> None:
    bound, _ = router
    seen = Connections(bound, Allowance(10 * KB, 20 * KB), Allowance(1000 * KB, 1000 * KB))
    controller_peer = peers()
    controller = take(bound, seen, controller_peer, 100)
    seen.know(controller.connection)
    take(bound, seen, controller_peer, 900 * KB)
    strangers = [take(bound, seen, peers(), size * KB).connection or 0 for size in (9, 5, 8, 4)]
    assert seen.cut_floods() == ["9009 bytes are held of it, of 26036 together, more than 20000"]
    there = numbers_of(seen)
    assert [there.get(number, True) for number in strangers] == [True, False, False, False]
    assert there[controller.connection or 0] is False
    seen.close()


def test_where_too_many_are_connected_the_first_that_said_nothing_goes(
    router: tuple[zmq.Socket[bytes], zmq.Socket[bytes]], peers: Callable[[], zmq.Socket[bytes]]
) -> None:
    bound, _ = router
    plenty = Allowance(1000 * KB, 1000 * KB)
    seen = Connections(bound, plenty, plenty, most=3)
    talking = [take(bound, seen, peers(), 100)]
    silent = greeted(bound.getsockopt_string(zmq.LAST_ENDPOINT))
    talking += [take(bound, seen, peers(), 100) for _ in range(2)]
    assert seen.cut_floods() == ["more than 3 connections are open, and it said least"]
    with suppress(ConnectionError):
        assert silent.recv(1) == b""
    assert not any(numbers_of(seen)[asked.connection or 0] for asked in talking)
    silent.close()
    seen.close()


@pytest.mark.parametrize(
    ("soft", "hard", "most", "soft_then"),
    [
        (1024, 20_000, 1024, 4352),
        (1024, 1024, 192, 1024),
        (1024, 2048, 448, 2048),
        (200, 200, 1, 200),
        (20_000, 20_000, 1024, 20_000),
        (-1, -1, 1024, -1),
    ],
)
def test_there_are_files_for_all_connections(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, most: int, soft_then: int
) -> None:
    limits = [soft, hard]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: limits.__setitem__(slice(None), wanted))
    assert connections.most_connections() == most
    assert limits == [soft_then, hard]
