"""The server as a process, over real sockets, spoken to with another MessagePack library."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgpack
import numpy as np
import pytest
import torch
import zmq

from py_backend import server
from py_backend.admission import derived
from py_backend.answers import Answer
from py_backend.asked import Asked
from py_backend.codec import Packet
from py_backend.endpoints import Endpoints
from py_backend.errors import BackendError
from py_backend.identity import Identity
from py_backend.messages import PingOk, StatusOk, TrainOk
from py_backend.process_signals import LEFT_TO_CONTROLLER
from py_backend.progress import Progress

ROOT = Path(__file__).parents[2]
SECONDS = 60
LONG = 2000
"""Batches that would take ten seconds: such a chunk is always stopped."""
TOKEN = "0123456789abcdef" * 2
DTYPES = {"u8": "u1", "u32": "<u4", "f32": "<f4", "f64": "<f8"}

Arrays = list[tuple[str, str, Any]]


def test_an_answer_that_cannot_be_encoded_is_answered_by_an_error() -> None:
    context: zmq.Context[Any] = zmq.Context()
    sender, receiver = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    sender.bind("inproc://unencodable")
    receiver.connect("inproc://unencodable")
    packet = Packet(7, StatusOk(state=object(), session_open=False, step=0, seconds_since_progress=0.0, peak_bytes=0))
    nobody = SimpleNamespace(answered=lambda *_: None)
    server.send(sender, nobody, Asked(b"someone", None, 0, 7, packet), packet)
    _, header = receiver.recv_multipart()
    answer = msgpack.unpackb(header)
    assert (answer["id"], answer["type"], answer["code"]) == (7, "error", "internal")
    for socket in (sender, receiver):
        socket.close()
    context.term()


def prove(socket: zmq.Socket[Any], token: str) -> None:
    """Has it say that it knows the token."""
    socket.curve_serverkey = derived(token, "server").public
    socket.curve_publickey, socket.curve_secretkey = derived(token, "client")


class Wire:
    """One DEALER socket."""

    def __init__(self, context: zmq.Context[Any], endpoint: str) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.IPV6, 1)
        if endpoint.startswith("tcp://"):
            prove(self.socket, TOKEN)
        self.socket.connect(endpoint)
        self._ids = itertools.count(1)

    def send(self, kind: str, fields: dict[str, Any], arrays: Arrays = []) -> int:  # noqa: B006
        number = next(self._ids)
        frames = [np.array(values, DTYPES[dtype]).tobytes() for _, dtype, values in arrays]
        headers = [{"name": name, "dtype": dtype, "shape": [len(values)]} for name, dtype, values in arrays]
        header = {"version": 1, "id": number, "type": kind, **fields, "arrays": headers}
        self.send_frames([msgpack.packb(header), *frames])
        return number

    def send_frames(self, frames: list[bytes]) -> None:
        self.socket.send_multipart(frames)

    def receive(self) -> SimpleNamespace:
        assert self.socket.poll(SECONDS * 1000), "no answer"
        header, *frames = self.socket.recv_multipart()
        fields = msgpack.unpackb(header)
        arrays = {
            described["name"]: np.frombuffer(frame, DTYPES[described["dtype"]]).reshape(described["shape"])
            for described, frame in zip(fields["arrays"], frames, strict=True)
        }
        return SimpleNamespace(**{**fields, "arrays": arrays})

    def ask(self, kind: str, fields: dict[str, Any], arrays: Arrays = []) -> SimpleNamespace:  # noqa: B006
        number = self.send(kind, fields, arrays)
        answer = self.receive()
        assert answer.id == number
        return answer


class StubHost:
    """Stands in for the host: chunk n is done when the test calls finish(n). `.events` says what came after what."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int]] = []
        self.refused: set[int] = set()
        self.broken: set[int] = set()
        self.during: dict[int, Callable[[], None]] = {}
        self._finished: set[int] = set()
        self._changed = threading.Condition()

    def handle(self, packet: Packet) -> Answer:
        number = packet.body.first_step
        self._note("started", number)
        if number in self.during:
            self.during[number]()
        if number in self.refused:
            raise BackendError("bad_index", "refused at once")
        return Answer(
            lambda: self._is_ready(number), lambda: self._await(packet.id, number), lambda: self._wait(number)
        )

    def finish(self, *numbers: int) -> None:
        with self._changed:
            self._finished.update(numbers)
            self._changed.notify_all()

    def wait_for(self, what: str, number: int, times: int = 1) -> None:
        """Returns once that has happened so often."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.events.count((what, number)) >= times, SECONDS)

    def _note(self, what: str, number: int) -> None:
        with self._changed:
            self.events.append((what, number))
            self._changed.notify_all()

    def _is_ready(self, number: int) -> bool:
        self._note("asked", number)
        if number in self.broken:
            raise RuntimeError("the device fell off")
        return number in self._finished

    def _await(self, message_id: int, number: int) -> Packet:
        self._note("awaited", number)
        with self._changed:
            assert self._changed.wait_for(lambda: number in self._finished, SECONDS)
        body = TrainOk(session="s", first_step=number, batches_done=1, indices_sha256="0" * 64, seconds=0.0)
        return Packet(message_id, body)

    def _wait(self, number: int) -> None:
        self._note("waited for", number)
        with self._changed:
            assert self._changed.wait_for(lambda: number in self._finished, SECONDS)

    def order(self) -> list[tuple[str, int]]:
        return [event for event in self.events if event[0] not in ("asked", "waited for")]


class Stubbed:
    """A real server, in a thread of this process, over a stub host."""

    def __init__(self, folder: Path) -> None:
        self.server = server.Server(
            Endpoints(f"ipc://{folder}/c", f"ipc://{folder}/c.work"),
            Identity.of(torch.device("cpu"), 1),
            admission=None,
        )
        self.progress = self.server._progress
        self.progress.enter("s")
        self.host = StubHost()
        self.server._host = self.host  # type: ignore[assignment]
        self.error: BaseException | None = None
        self.context: zmq.Context[Any] = zmq.Context()
        self.control = Wire(self.context, self.server.control_endpoint)
        self.work = Wire(self.context, self.server.work_endpoint)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Stubbed:
        self.thread.start()
        return self

    def _run(self) -> None:
        try:
            self.server.run(end_with_stdin=False)
        except BaseException as error:
            self.error = error

    def send(self, number: int, session: str = "s", wire: Wire | None = None) -> int:
        return (wire or self.work).send(*chunk(session, number, 1, size=1))

    def wake_both_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where they wait with a longer limit than they have: from now on with that."""
        monkeypatch.undo()
        self.host.finish(9)
        self.send(9)
        self.work.receive()
        self.control.ask("status", {"session": None})

    def wait_for_message(self) -> None:
        """Within the server's thread: until a work message waits its turn."""
        assert self.server._queue or self.server._work.poll(SECONDS * 1000)

    def end(self) -> None:
        self.server.stop()
        self.host.finish(*range(10))
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()
        self.context.destroy(linger=0)


@pytest.fixture
def stubbed() -> Iterator[Stubbed]:
    with tempfile.TemporaryDirectory() as folder:  # a short path
        made = Stubbed(Path(folder))
        yield made
        made.end()


def test_nobody_waits_for_an_answer_that_is_not_ready_and_the_next_chunk_is_started_first(stubbed: Stubbed) -> None:
    stubbed.start()
    ids = [stubbed.send(0)]
    stubbed.host.wait_for("asked", 0)
    ids.append(stubbed.send(1))
    stubbed.host.wait_for("started", 1)
    stubbed.host.finish(1)  # the later one first: answered in order all the same
    stubbed.host.wait_for("awaited", 0)
    stubbed.host.finish(0)
    assert [stubbed.work.receive().id for _ in ids] == ids
    assert stubbed.host.order() == [("started", 0), ("started", 1), ("awaited", 0), ("awaited", 1)]


def test_an_answer_is_sent_when_it_is_ready_though_nothing_else_comes(
    stubbed: Stubbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the server looks again: it is woken."""
    monkeypatch.setattr(server, "IDLE_POLL_MS", 60_000)
    stubbed.start()
    number = stubbed.send(0)
    stubbed.host.wait_for("waited for", 0)
    assert stubbed.control.ask("status", {"session": None}).state == "working"
    stubbed.host.finish(0)
    assert stubbed.work.receive().id == number
    assert stubbed.control.ask("status", {"session": None}).state == "idle"
    assert [event for event, _ in stubbed.host.events].count("asked") <= 3  # at the start, before the wait, after it
    stubbed.wake_both_threads(monkeypatch)


def test_a_wait_for_what_was_answered_since_wakes_nobody_for_long(
    stubbed: Stubbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote is read away: the poll behind it waits."""
    monkeypatch.setattr(server, "IDLE_POLL_MS", 60_000)
    stubbed.start()
    ids = [stubbed.send(0)]
    stubbed.host.wait_for("waited for", 0)
    ids.append(stubbed.send(1))
    stubbed.host.wait_for("awaited", 0)
    stubbed.host.finish(0)
    assert stubbed.work.receive().id == ids[0]
    stubbed.host.wait_for("waited for", 1)
    for _ in range(100):
        assert stubbed.control.ask("status", {"session": None}).state == "working"
    stubbed.host.finish(1)
    assert stubbed.work.receive().id == ids[1]
    asked = stubbed.host.events.count(("asked", 1))
    assert asked <= 4  # at the start, before the wait, after that for the first one, and after its own
    stubbed.wake_both_threads(monkeypatch)


def test_an_error_from_ready_is_the_answer_and_the_server_lives(stubbed: Stubbed) -> None:
    stubbed.start()
    stubbed.host.broken = {0}
    stubbed.host.finish(1)
    ids = [stubbed.send(0), stubbed.send(1)]
    answers = [stubbed.work.receive() for _ in ids]
    assert [answer.id for answer in answers] == ids
    assert (answers[0].type, answers[0].code, answers[1].type) == ("error", "internal", "train_ok")
    assert "fell off" in answers[0].message


def test_an_error_at_once_is_answered_after_what_was_asked_before(stubbed: Stubbed) -> None:
    stubbed.host.refused = {1}
    stubbed.start()
    ids = [stubbed.send(0), stubbed.send(1)]
    stubbed.host.wait_for("started", 1)
    stubbed.host.finish(0)
    answers = [stubbed.work.receive() for _ in ids]
    assert [(answer.id, answer.type) for answer in answers] == [(ids[0], "train_ok"), (ids[1], "error")]


def test_a_cancel_holds_for_what_was_queued_and_for_nothing_later(stubbed: Stubbed) -> None:
    stops: dict[int, bool] = {}

    def cancel() -> None:
        stubbed.wait_for_message()
        assert stubbed.progress.cancel("s")

    def look(number: int) -> Callable[[], None]:
        return lambda: stops.update({number: stubbed.progress.should_stop()})

    stubbed.host.during = {0: cancel, 1: look(1), 2: look(2)}
    stubbed.host.finish(0, 1, 2)
    stubbed.start()
    stubbed.send(0)
    stubbed.send(1)
    assert [stubbed.work.receive().first_step for _ in range(2)] == [0, 1]
    stubbed.send(2)
    assert stubbed.work.receive().first_step == 2
    assert stops == {1: True, 2: False}


def test_a_cancel_does_not_outlive_its_answers_though_another_client_has_work_queued(stubbed: Stubbed) -> None:
    other = Wire(stubbed.context, stubbed.server.work_endpoint)
    stops: list[bool] = []

    def cancel() -> None:
        stubbed.send(1, "another", other)
        stubbed.wait_for_message()
        assert stubbed.progress.cancel("s")

    stubbed.host.during = {
        0: cancel,
        1: stubbed.wait_for_message,  # until the chunk sent after the cancelled one's answer is there
        2: lambda: stops.append(stubbed.progress.should_stop()),
    }
    stubbed.host.finish(0, 1, 2)
    stubbed.start()
    stubbed.send(0)
    assert stubbed.work.receive().first_step == 0
    assert not stubbed.progress.cancel("s"), "nothing of the session is left that could be cancelled"
    stubbed.send(2)
    assert stubbed.work.receive().first_step == 2
    assert other.receive().first_step == 1
    assert stops == [False]


def test_a_cancel_is_not_for_the_session_opened_after_it() -> None:
    progress = Progress()
    progress.enter("s")
    progress.under_way(True, {"s"})
    assert progress.cancel("s")
    progress.enter("t")
    assert not progress.should_stop()


def test_an_error_of_the_control_thread_ends_the_server(stubbed: Stubbed, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no more memory for frames")

    monkeypatch.setattr(server, "send", fail)
    stubbed.start()
    stubbed.control.send("ping", {"session": None})
    stubbed.thread.join(SECONDS)
    assert "no more memory" in str(stubbed.error)
    assert stubbed.server._control.closed
    assert stubbed.server._work.closed


def test_a_socket_is_not_closed_under_a_thread_that_lives(stubbed: Stubbed, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go = threading.Event(), threading.Event()

    def answer(_request: object) -> PingOk:
        entered.set()
        assert go.wait(SECONDS)
        return PingOk(instance="one")

    monkeypatch.setattr(server, "JOIN_SECONDS", 0)
    monkeypatch.setattr(stubbed.server._desk, "answer", answer)
    stubbed.start()
    stubbed.control.send("ping", {"session": None})
    assert entered.wait(SECONDS)
    stubbed.server.stop()
    stubbed.thread.join(SECONDS)
    assert stubbed.server._work.closed
    assert not stubbed.server._control.closed
    go.set()
    assert stubbed.control.receive().type == "ping_ok"


def test_the_session_of_a_controller_that_is_gone_is_free_at_once_and_its_work_ends(stubbed: Stubbed) -> None:
    gone = Wire(stubbed.context, stubbed.server.work_endpoint)
    stubbed.start()
    stubbed.progress.heard_of_session()
    stubbed.send(0, wire=gone)
    stubbed.host.wait_for("asked", 0)
    assert not stubbed.progress.session_is_idle
    gone.socket.close()
    while not stubbed.progress.session_is_idle:
        assert stubbed.control.ask("ping", {"session": None}).type == "ping_ok"
    assert stubbed.progress.cancelled.is_set()


def test_a_stranger_who_goes_leaves_the_session_to_its_controller() -> None:
    progress = Progress()
    progress.enter("s")
    progress.asked_over(5)
    progress.heard_over()
    progress.asked_over(6)  # and refused
    progress.left(6)
    assert not progress.session_is_idle
    progress.left(5)
    assert progress.session_is_idle


def test_a_controller_that_goes_while_its_session_is_opened_does_not_keep_it() -> None:
    progress = Progress()
    progress.asked_over(5)
    progress.left(5)  # while data are loaded
    progress.enter("s")
    progress.heard_of_session()
    progress.heard_over()
    assert progress.session_is_idle
    progress.heard_of_session()  # its ping comes over another connection: it is there after all
    assert not progress.session_is_idle


def test_each_socket_holds_frames_and_queues_to_its_limits(stubbed: Stubbed) -> None:
    stubbed.start()
    assert stubbed.server._control.getsockopt(zmq.MAXMSGSIZE) == 2**19
    assert stubbed.server._work.getsockopt(zmq.MAXMSGSIZE) == 2**30
    assert stubbed.server._work.getsockopt(zmq.RCVHWM) == 4


class Backend:
    """A backend's process and both sockets."""

    def __init__(self, listen: str, *flags: str, python: str = sys.executable) -> None:
        self.process = subprocess.Popen(
            [python, "-m", "py_backend", "--listen", listen, "--threads", "1", "--device", "cpu", *flags],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "IBATCH_TOKEN": TOKEN},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session="--child" in flags,  # as the controller starts it
        )
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())
        self.context: zmq.Context[Any] = zmq.Context()
        self.control = self.connect(self.ready["control"])
        self.work = self.connect(self.ready["work"])

    def connect(self, endpoint: str) -> Wire:
        return Wire(self.context, endpoint)

    def open_digits(self, **changes: Any) -> str:
        """A session on the digits with the small network; its id."""
        fields = {
            "dataset": {"origin": "catalogue", "name": "digits", "options": {}},
            "data_dir": None,
            "model": {"origin": "catalogue", "name": "mnist-cnn", "options": {}},
            "loss": None,
            "optimizer": {"name": "sgd", "options": {"momentum": 0.9}},
            "augmentation": {"crop": 0, "flip": False},
            "precision": "float32",
            "channels_last": "auto",
            "equal_bits": False,
            "fast": True,
            "owner": None,
            "seed": 0,
            "model_seed": None,
            **changes,
        }
        self.opened = self.work.ask("open", fields)
        assert self.opened.type == "open_ok", vars(self.opened)
        return str(self.opened.session)

    def end(self) -> None:
        self.context.destroy(linger=0)
        self.process.kill()
        self.process.communicate()


def chunk(session: str, first_step: int, batches: int, size: int = 32) -> tuple[str, dict[str, Any], Arrays]:
    """A `train` of this many batches."""
    arrays: Arrays = [
        ("indices", "u32", [index % 1437 for index in range(batches * size)]),
        ("offsets", "u32", list(range(0, batches * size + 1, size))),
        ("learning_rates", "f64", [0.02] * batches),
    ]
    digest = hashlib.sha256(b"".join(np.array(values, DTYPES[dtype]).tobytes() for _, dtype, values in arrays))
    fields = {
        "session": session,
        "first_step": first_step,
        "sha256": digest.hexdigest(),
        "signals": ["loss"],
        "micro_batch": None,
        "average": None,
    }
    return "train", fields, arrays


def close(backend: Backend, session: str) -> None:
    assert backend.work.ask("close", {"session": session}).type == "close_ok"


def test_peers_that_vanished_with_their_machines_are_let_go(stubbed: Stubbed) -> None:
    stubbed.start()
    asked = (zmq.TCP_KEEPALIVE, zmq.TCP_KEEPALIVE_IDLE, zmq.TCP_KEEPALIVE_INTVL, zmq.TCP_KEEPALIVE_CNT)
    for socket in (stubbed.server._control, stubbed.server._work):
        assert [socket.getsockopt(option) for option in asked] == [1, 60, 15, 4]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One process for all tests here that leave it running."""
    folder = tmp_path_factory.mktemp("s")
    folder.chmod(0o700)
    made = Backend(f"ipc://{folder}/control")
    yield made
    made.end()


@pytest.fixture
def session(backend: Backend) -> Iterator[str]:
    pytest.importorskip("sklearn")
    opened = backend.open_digits()
    yield opened
    close(backend, opened)


def test_the_first_line_says_where_it_listens(backend: Backend) -> None:
    assert set(backend.ready) == {"control", "work", "pid"}
    assert backend.ready["pid"] == backend.process.pid
    assert backend.ready["work"] == backend.ready["control"] + ".work"


def test_hello_introduces_it(backend: Backend) -> None:
    told = backend.control.ask("hello", {"client": "a test"})
    assert told.type == "hello_ok"
    assert (told.device, told.threads, told.work_endpoint) == ("cpu", 1, backend.ready["work"])
    assert told.limits == {"header_bytes": 262144, "message_bytes": 2**30, "frames": 17, "sessions": 1}
    assert set(told.versions) == {"python", "torch", "numpy"}
    assert [entry["name"] for entry in told.catalogue["models"]] == ["mnist-cnn", "fashion-mnist-cnn", "resnet18"]


def test_it_trains_and_evaluates_the_digits(backend: Backend, session: str) -> None:
    assert (backend.opened.n, backend.opened.test_count) == (1437, 360)
    before = backend.work.ask(
        "evaluate",
        {
            "session": session,
            "part": "test",
            "norm": "running",
            "weights": "last",
            "signals": ["loss", "correct"],
            "batch_size": 360,
        },
        [("indices", "u32", range(360))],
    )
    for step in (0, 45):
        trained = backend.work.ask(*chunk(session, step, 45))
        assert (trained.type, trained.batches_done, trained.first_step) == ("train_ok", 45, step)
        assert trained.arrays["loss"].shape == (45 * 32,)
    after = backend.work.ask(
        "evaluate",
        {
            "session": session,
            "part": "test",
            "norm": "running",
            "weights": "last",
            "signals": ["loss", "correct"],
            "batch_size": 100,
        },
        [("indices", "u32", range(360))],
    )
    assert after.arrays["loss"].mean() < 0.7 * before.arrays["loss"].mean()
    assert after.arrays["correct"].mean() > 0.6
    expected = hashlib.sha256(np.arange(360, dtype="<u4").tobytes()).hexdigest()
    assert before.indices_sha256 == after.indices_sha256 == expected


def ask_images(backend: Backend, session: str, part: str, indices: Any) -> SimpleNamespace:
    return backend.work.ask("images", {"session": session, "part": part}, [("indices", "u32", indices)])


def test_it_sends_the_pixels_of_the_digits(backend: Backend, session: str) -> None:
    """All of them, with the labels, are what `data_sha256` is of: images and labels of train, then of test."""
    opened = backend.opened
    train = ask_images(backend, session, "train", range(1437)).arrays["images"]
    test = ask_images(backend, session, "test", range(360)).arrays["images"]
    assert (train.shape, test.shape) == ((1437, 28, 28, 1), (360, 28, 28, 1))
    frames = (train, opened.arrays["labels"], test, opened.arrays["test_labels"])
    assert hashlib.sha256(b"".join(part.tobytes() for part in frames)).hexdigest() == opened.data_sha256

    indices = [1436, 3, 3, 0]
    some = ask_images(backend, session, "train", indices)
    assert some.type == "images_ok"
    assert some.indices_sha256 == hashlib.sha256(np.array(indices, "<u4").tobytes()).hexdigest()
    assert some.arrays["images"].tobytes() == b"".join(train[index].tobytes() for index in indices)


def test_images_that_are_not_there_or_too_many_are_refused_and_survived(backend: Backend, session: str) -> None:
    beyond = ask_images(backend, session, "test", [0, 360])
    assert (beyond.code, beyond.details) == ("bad_index", {"n": 360})
    fit = (2**30 - 2**18) // 784
    many = ask_images(backend, session, "test", np.zeros(fit + 1))
    assert (many.code, many.details["images_that_fit"]) == ("too_large", fit)
    assert ask_images(backend, "another", "test", [0]).code == "unknown_session"
    assert ask_images(backend, session, "validation", [0]).code == "bad_field"
    assert ask_images(backend, session, "test", [359]).arrays["images"].shape == (1, 28, 28, 1)


def wait_until_working(backend: Backend) -> None:
    limit = time.monotonic() + SECONDS
    while backend.control.ask("status", {"session": None}).state != "working":
        assert time.monotonic() < limit, "the work ended before it was seen, or never began"


def test_control_answers_while_work_trains(backend: Backend, session: str) -> None:
    chunk_id = backend.work.send(*chunk(session, 0, LONG))
    wait_until_working(backend)
    assert backend.control.ask("ping", {"session": session}).type == "ping_ok"
    told = backend.control.ask("status", {"session": session})
    assert (told.state, told.session_open) == ("working", True)
    assert backend.work.socket.poll(0) == 0, "the chunk was answered before the ping"
    backend.control.ask("cancel", {"session": session})
    assert backend.work.receive().id == chunk_id


def test_a_state_goes_out_between_chunks_and_another_process_goes_on_from_it(
    backend: Backend, warm_python: str, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    noisy = {
        "model": {"origin": "catalogue", "name": "mnist-cnn", "options": {"conv_dropout": 0.25, "fc_dropout": 0.5}},
        "optimizer": {"name": "adam", "options": {}},
        "augmentation": {"crop": 2, "flip": True},
    }
    session = backend.open_digits(**noisy)
    backend.work.send(*chunk(session, 0, 3))
    backend.work.send("save", {"session": session, "step": 3, "part": 0})
    backend.work.send(*chunk(session, 3, 5))
    _, saved, expected = (backend.work.receive() for _ in range(3))
    content = saved.arrays["bytes"]
    assert (saved.type, saved.step, saved.parts, saved.total_bytes) == ("save_ok", 3, 1, len(content))
    close(backend, session)

    tmp_path.chmod(0o700)
    other = Backend(f"ipc://{tmp_path}/control", python=warm_python)
    try:
        opened = other.open_digits(**noisy)
        fields = {"session": opened, "step": 3, "part": 0, "parts": 2}
        half = len(content) // 2
        for part, cut in enumerate((content[:half], content[half:])):
            sent = {**fields, "part": part, "sha256": hashlib.sha256(cut.tobytes()).hexdigest()}
            loaded = other.work.ask("load", sent, [("bytes", "u8", cut)])
            assert (loaded.type, loaded.step, loaded.part) == ("load_ok", 3, part)
        assert loaded.session != opened
        assert other.control.ask("status", {"session": loaded.session}).step == 3
        assert other.work.ask(*chunk(opened, 3, 5)).code == "unknown_session"
        resumed = other.work.ask(*chunk(loaded.session, 3, 5))
        assert resumed.arrays["loss"].tobytes() == expected.arrays["loss"].tobytes()
    finally:
        other.end()


def test_the_owner_of_a_session_takes_over_what_it_left(backend: Backend) -> None:
    pytest.importorskip("sklearn")
    session = backend.open_digits(owner="ours")
    with pytest.raises(AssertionError, match="session_busy"):
        backend.open_digits(owner="another's")
    again = backend.open_digits(owner="ours")
    assert backend.work.ask(*chunk(session, 0, 1)).code == "unknown_session"
    close(backend, again)


def test_cancel_stops_at_a_batch_boundary_and_what_is_queued_behind(backend: Backend, session: str) -> None:
    backend.work.send(*chunk(session, 0, LONG))
    backend.work.send(*chunk(session, LONG, 5))
    wait_until_working(backend)
    assert backend.control.ask("cancel", {"session": "another"}).working is False
    assert backend.control.ask("cancel", {"session": session}).working is True
    stopped, behind = backend.work.receive(), backend.work.receive()
    assert (stopped.type, stopped.batches_done < LONG) == ("train_ok", True)
    assert stopped.arrays["loss"].shape == (stopped.batches_done * 32,)
    assert (behind.type, behind.code, behind.details) == ("error", "step_gap", {"step": stopped.batches_done})
    on = backend.work.ask(*chunk(session, stopped.batches_done, 3))
    assert on.batches_done == 3


def test_cancel_of_an_evaluation_is_an_error_and_nothing_stays_cancelled(backend: Backend, session: str) -> None:
    look = {"session": session, "signals": ["loss"], "batch_size": 1}
    for _ in range(10):
        backend.work.send("score", look, [("indices", "u32", [0] * 100_000)])
        wait_until_working(backend)
        assert backend.control.ask("cancel", {"session": session}).working is True
        assert backend.work.receive().code == "cancelled"
        assert backend.work.ask("score", look, [("indices", "u32", [0])]).type == "score_ok"
    assert backend.control.ask("cancel", {"session": session}).working is False


def test_a_pass_over_50_000_samples_in_one_message_tells_its_progress_and_gives_way_to_a_cancel(
    backend: Backend, session: str
) -> None:
    assert backend.work.ask(*chunk(session, 0, 3)).batches_done == 3
    many = [("indices", "u32", np.arange(50_000) % 1437)]
    look = {"session": session, "signals": ["loss", "margin", "entropy", "el2n"], "batch_size": 50}
    backend.work.send("score", look, many)
    wait_until_working(backend)
    started, told = time.monotonic(), []
    while backend.work.socket.poll(20) == 0:
        told.append(backend.control.ask("status", {"session": session}))
        assert backend.control.ask("ping", {"session": session}).type == "ping_ok"
    answer = backend.work.receive()
    took = time.monotonic() - started
    assert {name: array.shape for name, array in answer.arrays.items()} == dict.fromkeys(look["signals"], (50_000,))
    np.testing.assert_allclose(answer.arrays["loss"][1437:], answer.arrays["loss"][:-1437], rtol=1e-4, atol=1e-5)
    assert len(told) >= 2, "too quick to be watched"
    # The heartbeat sees a batch handed over time and again, and the step where training stands.
    assert {(status.session_open, status.step) for status in told} == {(True, 3)}
    assert max(status.seconds_since_progress for status in told) < took / 2

    for _ in range(3):
        number = backend.work.send("score", look, many)
        wait_until_working(backend)
        assert backend.control.ask("cancel", {"session": session}).working is True
        stopped = backend.work.receive()
        assert (stopped.id, stopped.type, stopped.code) == (number, "error", "cancelled")
        assert re.fullmatch(r"cancelled after \d+ of 50000 samples", stopped.message)
    assert backend.work.ask(*chunk(session, 3, 2)).first_step == 3


@pytest.mark.parametrize("socket", ["control", "work"])
def test_garbage_is_answered_and_survived(backend: Backend, socket: str) -> None:
    wire: Wire = getattr(backend, socket)
    hello = {"version": 1, "id": 99, "type": "hello", "arrays": []}
    for frames, code, number in (
        ([b""], "bad_message", 0),
        ([b"\xc1\xff"], "bad_message", 0),
        ([b"\x81\xa1\xff\xc0"], "bad_message", 0),
        ([b"\x81\xa1x" + b"\x91" * 100_000], "bad_message", 0),
        ([b"x"] * 40, "too_large", 0),
        ([b"\xc0" * 300_000], "too_large", 0),
        ([msgpack.packb({**hello, "version": 9})], "bad_version", 99),
        ([msgpack.packb({**hello, "type": "?"})], "unknown_type", 99),
        ([msgpack.packb(hello)], "bad_field", 99),
        ([msgpack.packb({**hello, "client": ""}), b"frame"], "bad_array", 99),
    ):
        wire.send_frames(frames)
        answer = wire.receive()
        assert (answer.type, answer.code, answer.id) == ("error", code, number)
        assert "\n" not in answer.message
        assert "id" not in answer.details
    assert backend.control.ask("ping", {"session": None}).type == "ping_ok"


def test_a_frame_above_the_limit_of_control_cuts_the_connection(backend: Backend) -> None:
    large = backend.connect(backend.ready["control"])
    monitor = large.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    large.send_frames([bytes(2**21)])
    assert monitor.poll(SECONDS * 1000), "the connection was kept"
    large.socket.disable_monitor()
    monitor.close()
    large.socket.close()
    assert backend.control.ask("ping", {"session": None}).type == "ping_ok"


def test_one_instance_answers_everywhere_and_says_what_a_session_computes_with(backend: Backend, session: str) -> None:
    told, opened = backend.control.ask("hello", {"client": "a test"}), backend.opened
    pinged = backend.control.ask("ping", {"session": session})
    assert told.instance
    assert told.instance == pinged.instance == opened.instance
    for name in ("device", "device_name", "threads", "versions", "platform"):
        assert getattr(opened, name) == getattr(told, name), name


def test_no_peer_is_told_the_session_that_another_may_close(backend: Backend, session: str) -> None:
    stranger = backend.connect(backend.ready["control"])
    told = [stranger.ask("status", {"session": None}), stranger.ask("hello", {"client": "stranger"})]
    told.append(stranger.ask("ping", {"session": None}))
    assert session not in str(told)


def test_a_stranger_hears_of_no_session_and_ends_nothing(backend: Backend, session: str) -> None:
    assert backend.work.ask(*chunk(session, 0, 3)).batches_done == 3
    stranger = backend.connect(backend.ready["control"])
    for name in (None, "", session[:-1], session.upper() + "x", "é"):
        told = stranger.ask("status", {"session": name})
        assert (told.state, told.session_open, told.step) == ("idle", False, 0)
        assert stranger.ask("shutdown", {"session": name}).code == "session_busy"
    assert stranger.ask("cancel", {"session": "another"}).working is False
    told = backend.control.ask("status", {"session": session})
    assert (told.session_open, told.step) == (True, 3)
    stranger.socket.close()


def test_nobody_ends_a_backend_that_opens_a_session(stubbed: Stubbed) -> None:
    """Whose it will be is not known yet."""
    stubbed.progress.enter(None)
    stubbed.start()
    stubbed.send(1)
    stubbed.host.wait_for("started", 1)
    assert stubbed.control.ask("shutdown", {"session": None}).code == "session_busy"
    stubbed.host.finish(1)
    assert stubbed.work.receive().type == "train_ok"
    assert stubbed.control.ask("shutdown", {"session": None}).type == "shutdown_ok"


def test_a_session_that_nobody_was_heard_of_keeps_no_backend(stubbed: Stubbed) -> None:
    stubbed.start()
    assert stubbed.control.ask("shutdown", {"session": None}).code == "session_busy"
    stubbed.progress._heard_at = -math.inf
    assert stubbed.control.ask("shutdown", {"session": None}).type == "shutdown_ok"


def test_bits_on_the_cpu_are_said_to_be_sure(backend: Backend, session: str) -> None:
    assert backend.opened.settings["deterministic"] is True


def test_messages_on_the_other_socket_are_refused(backend: Backend) -> None:
    for wire, kind, other in ((backend.control, "close", "control"), (backend.work, "cancel", "work")):
        answer = wire.ask(kind, {"session": "s"})
        assert (answer.type, answer.code) == ("error", "unknown_type")
        assert f"the {other} socket" in answer.message
    answer = backend.work.ask("shutdown_ok", {})
    assert (answer.type, answer.code) == ("error", "unknown_type")


def test_answers_go_to_who_asked(backend: Backend) -> None:
    other = backend.connect(backend.ready["control"])
    mine, theirs = backend.control.send("status", {"session": None}), other.send("ping", {"session": None})
    assert (backend.control.receive().type, other.receive().type) == ("status_ok", "ping_ok")
    assert (mine, theirs) != (0, 0)


def test_an_error_is_one_line_with_its_facts(backend: Backend, session: str) -> None:
    answer = backend.work.ask(
        "score", {"session": session, "signals": ["loss"], "batch_size": 5}, [("indices", "u32", [1437])]
    )
    assert (answer.code, answer.details) == ("bad_index", {"n": 1437})
    assert answer.message == "index 1437 is outside of 0 … 1436"


# --- how it ends: a process each


BREAKING = """
import os
import torch
from torch import nn

class Breaking(nn.Sequential):
    def __init__(self, flag):
        super().__init__(nn.Flatten(), nn.Linear(784, 10))
        self.flag = flag
    def forward(self, images):
        if os.path.exists(self.flag):
            kind, text = open(self.flag).read().split(" ", 1)
            raise getattr(torch, kind, RuntimeError)(text)
        return super().forward(images)
"""


@pytest.mark.parametrize("kind", ["AcceleratorError", "RuntimeError"])
def test_a_broken_device_is_answered_and_ends_the_backend_with_5(kind: str, tmp_path: Path) -> None:
    (tmp_path / "breaking.py").write_text(BREAKING)
    flag = tmp_path / "flag"
    allowed = ["--allow-import", "breaking", "--python-path", str(tmp_path)]
    backend = Backend("tcp://127.0.0.1:0", *allowed)
    try:
        args = json.dumps({"flag": str(flag)})
        model = {"origin": "import", "name": "breaking:Breaking", "options": {"args": args}}
        session = backend.open_digits(model=model)
        flag.write_text(f"{kind} CUDA error: device-side assert triggered\nSearch for `cudaErrorAssert' in ...")
        first, _behind = [backend.work.send(*chunk(session, step, 1)) for step in (0, 1)]
        answer = backend.work.receive()
        assert (answer.id, answer.code) == (first, "device_broken")
        assert answer.message.endswith("this backend ends: CUDA error: device-side assert triggered")
        assert backend.process.wait(30) == 5
    finally:
        backend.end()


def test_shutdown_answers_what_is_under_way_refuses_what_is_queued_and_ends_with_0(warm_python: str) -> None:
    pytest.importorskip("sklearn")
    ending = Backend("tcp://127.0.0.1:0", python=warm_python)
    try:
        assert ending.ready["work"].startswith("tcp://127.0.0.1:")
        session = ending.open_digits()
        ending.work.send(*chunk(session, 0, LONG))
        queued = [ending.work.send(*chunk(session, LONG, 1)), ending.work.send("close", {"session": session})]
        wait_until_working(ending)
        assert ending.control.ask("shutdown", {"session": session}).type == "shutdown_ok"
        under_way = ending.work.receive()
        assert under_way.type == "train_ok"
        assert under_way.batches_done < LONG
        for number in queued:
            answer = ending.work.receive()
            assert (answer.id, answer.code) == (number, "shutting_down")
        assert ending.process.wait(SECONDS) == 0
    finally:
        ending.end()


def test_a_child_ends_when_its_standard_input_closes_and_by_no_signal_to_its_group() -> None:
    child = Backend("tcp://[::1]:0" if ipv6_is_there() else "tcp://127.0.0.1:0", "--child")
    try:
        for number in LEFT_TO_CONTROLLER:
            os.killpg(child.process.pid, number)
        assert child.control.ask("ping", {"session": None}).type == "ping_ok"
        assert child.process.stdin is not None
        child.process.stdin.close()
        assert child.process.wait(SECONDS) == 0
    finally:
        child.process.stdin = None
        child.end()


def test_a_child_told_to_shut_down_while_its_standard_input_is_open_ends_with_0(warm_python: str) -> None:
    child = Backend("tcp://127.0.0.1:0", "--child", python=warm_python)
    try:
        assert child.control.ask("shutdown", {"session": None}).type == "shutdown_ok"
        assert child.process.wait(SECONDS) == 0
    finally:
        child.end()


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGUSR1")
def test_the_warning_of_a_time_limit_ends_no_backend_that_was_started_by_hand(warm_python: str) -> None:
    backend = Backend("tcp://127.0.0.1:0", python=warm_python)
    try:
        backend.process.send_signal(signal.SIGUSR1)
        assert backend.control.ask("ping", {"session": None}).type == "ping_ok"
        assert backend.control.ask("shutdown", {"session": None}).type == "shutdown_ok"
        assert backend.process.wait(SECONDS) == 0
    finally:
        backend.end()


@pytest.mark.parametrize("working", [False, True])
def test_a_sigterm_ends_it_with_143_and_leaves_no_socket(working: bool, warm_python: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ending = Backend(f"ipc://{folder}/c", python=warm_python if working else sys.executable)
        try:
            if working:
                pytest.importorskip("sklearn")
                ending.work.send(*chunk(ending.open_digits(), 0, LONG))
                wait_until_working(ending)
            ending.process.send_signal(signal.SIGTERM)
            if working:
                assert ending.work.receive().batches_done < LONG
            assert ending.process.wait(SECONDS) == 143
            assert os.listdir(folder) == []
        finally:
            ending.end()


def ipv6_is_there() -> bool:
    import socket

    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
