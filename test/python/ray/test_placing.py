"""What becomes of backends on a cluster that pretends."""

from __future__ import annotations

import json
import queue
import threading
from typing import Any

import pytest

from py_backend.exits import SURROUNDINGS_MISSING, WRONG_USAGE
from py_ray.holder import News, Started
from py_ray.placing import LostError, Placing, why_of
from py_ray.resources import Amounts
from py_ray.talk import Demand, Order, Place, Teller

ORDER = Order("key", [], 10)
PLACE = Place(1, Demand(1, 0, None), ORDER)
READY = {"control": "tcp://10.0.0.1:5", "public_key": "server"}


class Told:
    """In place of the controller's pipe."""

    def __init__(self) -> None:
        self.lines: queue.Queue[str] = queue.Queue()

    def write(self, text: str) -> None:
        if text.strip():
            self.lines.put(text)

    def flush(self) -> None:
        pass

    def next(self) -> Any:
        return json.loads(self.lines.get(timeout=60))


class FakeHeld:
    """Has a node after so many looks; then news until it is stopped or lost."""

    def __init__(self, looks: int = 0, started: Started | None = None) -> None:
        self.looks = looks
        self.started = started or Started(ready=READY, why="", code=None, said=[])
        self.news_to_come: queue.Queue[News | LostError] = queue.Queue()
        self.stopped = threading.Event()
        self.killed = threading.Event()

    def node(self, seconds: float) -> str | None:
        self.looks -= 1
        return None if self.looks >= 0 else "10.0.0.1"

    def begin(self, order: Order) -> Started:
        return self.started

    def news(self) -> News:
        news = self.news_to_come.get(timeout=60)
        if isinstance(news, LostError):
            raise news
        return news

    def stop(self) -> None:
        self.stopped.set()

    def kill(self) -> None:
        self.killed.set()


class FakeCluster:
    def __init__(self, held: FakeHeld, nodes: list[Amounts], *, free: Amounts, grows: bool = False) -> None:
        self.held, self._nodes, self._free, self._grows = held, nodes, free, grows

    def nodes(self) -> list[Amounts]:
        return self._nodes

    def free(self) -> Amounts:
        return self._free

    def may_grow(self) -> bool:
        return self._grows

    def hold(self, demand: Demand) -> FakeHeld:
        return self.held


def placing(held: FakeHeld, cpus: float = 2, *, free: float = 2, grows: bool = False) -> tuple[Placing, Told]:
    told = Told()
    cluster = FakeCluster(held, [{"CPU": cpus}], free={"CPU": free}, grows=grows)
    return Placing(cluster, Teller(told)), told  # type: ignore[arg-type]


def test_a_backend_is_placed_says_things_and_is_released() -> None:
    held = FakeHeld()
    places, told = placing(held)
    places.place(PLACE)
    assert told.next() == {"type": "placed", "id": 1, "node": "10.0.0.1", "control": READY["control"], "key": "server"}
    held.news_to_come.put(News(lines=["hello"], ended=None))
    assert told.next() == {"type": "said", "id": 1, "line": "hello"}
    places.release(1)
    assert told.next() == {"type": "released", "id": 1}
    assert held.stopped.is_set()


def test_what_is_waited_for_is_told_once() -> None:
    held = FakeHeld(looks=3)
    places, told = placing(held, free=0)
    places.place(PLACE)
    waiting = told.next()
    assert waiting["type"] == "waiting"
    assert waiting["what"] == "waiting for {CPU: 1}; free in the cluster: {CPU: 0 of 2}"
    assert told.next()["type"] == "placed"


def test_what_no_node_can_have_is_refused() -> None:
    places, told = placing(FakeHeld(), cpus=0.5)
    places.place(PLACE)
    refused = told.next()
    assert (refused["type"], refused["usage"]) == ("refused", False)
    assert "no node of the cluster has {CPU: 1}" in refused["why"]


def test_an_autoscaler_may_bring_a_node_that_has_it() -> None:
    places, told = placing(FakeHeld(looks=1), cpus=0.5, free=0, grows=True)
    places.place(PLACE)
    assert told.next()["type"] == "waiting"
    assert told.next()["type"] == "placed"


def test_a_node_that_had_it_and_is_lost_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    held = FakeHeld()
    places, told = placing(held)
    places.place(PLACE)
    told.next()
    held.news_to_come.put(LostError("it died"))
    assert told.next()["type"] == "lost"
    held.looks = 1
    monkeypatch.setattr(FakeCluster, "nodes", lambda _: [])
    monkeypatch.setattr(FakeCluster, "free", lambda _: {})
    places.place(Place(2, PLACE.demand, ORDER))
    waiting = told.next()
    assert (waiting["type"], waiting["id"]) == ("waiting", 2)
    assert told.next()["type"] == "placed"


def test_a_node_that_does_not_come_back_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    held = FakeHeld()
    places, told = placing(held)
    places.place(PLACE)
    told.next()
    held.looks = 1_000_000
    monkeypatch.setattr(FakeCluster, "nodes", lambda _: [])
    monkeypatch.setattr(FakeCluster, "free", lambda _: {})
    places.place(Place(2, PLACE.demand, Order("key", [], 0.05)))
    assert told.next()["type"] == "waiting"
    refused = told.next()
    assert (refused["type"], refused["id"]) == ("refused", 2)


def test_a_lost_actor_is_told() -> None:
    held = FakeHeld()
    places, told = placing(held)
    places.place(PLACE)
    told.next()
    held.news_to_come.put(LostError("it died"))
    why = "node 10.0.0.1, or what held the backend there, is lost: it died"
    assert told.next() == {"type": "lost", "id": 1, "why": why}
    assert held.killed.wait(60)


def test_what_fails_otherwise_is_told_in_a_line_for_somebody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    held = FakeHeld()
    places, told = placing(held)

    def fail(_order: Order) -> Started:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(held, "begin", fail)
    places.place(PLACE)
    assert told.next() == {"type": "lost", "id": 1, "why": "Ray failed: RuntimeError: two lines"}
    assert held.killed.wait(60)


def test_one_that_is_released_before_it_has_an_actor_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    held = FakeHeld()
    places, told = placing(held)
    is_released = threading.Event()

    def may_grow() -> bool:
        assert is_released.wait(60)
        return True

    monkeypatch.setattr(FakeCluster, "may_grow", lambda _: may_grow())
    places.place(Place(1, Demand(8, 0, None), ORDER))
    places.release(1)
    assert told.next() == {"type": "released", "id": 1}
    is_released.set()
    assert held.killed.wait(60)
    assert told.lines.empty()


def test_a_backend_that_ends_is_told_and_its_actor_given_back() -> None:
    held = FakeHeld()
    places, told = placing(held)
    places.place(PLACE)
    told.next()
    held.news_to_come.put(News(lines=["the end"], ended="signal SIGKILL"))
    assert told.next()["line"] == "the end"
    assert told.next() == {"type": "lost", "id": 1, "why": "the backend on node 10.0.0.1 ended: signal SIGKILL"}
    assert held.killed.wait(60)


def test_a_backend_that_cannot_start_is_refused_with_its_own_words() -> None:
    started = Started(ready=None, why="", code=WRONG_USAGE, said=["noise", "py_backend: --device cuda: no"])
    held = FakeHeld(started=started)
    places, told = placing(held)
    places.place(PLACE)
    refused = told.next()
    assert refused["usage"] is True
    assert refused["why"] == "the backend cannot start on node 10.0.0.1: --device cuda: no"
    assert held.killed.wait(60)


def test_how_it_ended_is_said_where_it_did_not_say_why() -> None:
    def why(code: int, *said: str) -> str:
        return why_of(Started(ready=None, why="the backend ended: exit code 1", code=code, said=list(said)))

    assert why(SURROUNDINGS_MISSING, "py_backend: torch is missing") == "torch is missing"
    assert why(1, "a", "b", "c", "d") == "the backend ended: exit code 1; its last lines: b | c | d"
    assert why(1) == "the backend ended: exit code 1"
    assert why(1, "x" * 2000) == f"the backend ended: exit code 1; its last lines: {'x' * 200}"


def test_all_that_is_held_can_be_killed() -> None:
    held = FakeHeld()
    places, told = placing(held)
    places.place(PLACE)
    told.next()
    places.kill_all()
    assert held.killed.is_set()


def test_what_is_released_twice_or_was_never_placed_is_gone() -> None:
    places, told = placing(FakeHeld())
    places.release(9)
    assert told.next() == {"type": "released", "id": 9}
