"""Places backends, each in a thread of its own, and tells the controller what becomes of it."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from py_backend.exits import SURROUNDINGS_MISSING, WRONG_USAGE

from .holder import News, Started
from .resources import Amounts, demanded, has, refusal, waiting_for
from .talk import Demand, Order, Place, Teller

LOOK_SECONDS = 1.0
"""How often it is looked whether a node has taken an actor."""
FRAGMENTED_LOOKS = 10
"""So often an actor may be without a node although the cluster has enough in all, before that is told."""
OWN_LINE = "py_backend: "
LINES_TOLD = 3
LAST_CHARACTERS = 200
"""Of each of them, as far as fits into a sentence: the controller reads lines of bounded length."""
LINE_CHARACTERS = 300


class LostError(Exception):
    """The actor is gone, with its node or without it; or cannot be. One line for a person."""


class Held(Protocol):
    """An actor. All but `kill` raise LostError."""

    def node(self, seconds: float) -> str | None:
        """Its node's address; None while it waits for one."""

    def begin(self, order: Order) -> Started: ...

    def news(self) -> News: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...


class Cluster(Protocol):
    def nodes(self) -> list[Amounts]: ...

    def free(self) -> Amounts: ...

    def may_grow(self) -> bool: ...

    def hold(self, demand: Demand) -> Held: ...


class Placing:
    """The backends that were asked for and not released."""

    def __init__(self, cluster: Cluster, teller: Teller) -> None:
        self._cluster = cluster
        self._teller = teller
        self._held: dict[int, Held | None] = {}
        """None: there is no actor yet."""
        self._had_room: list[Amounts] = []
        """What a node was found for: one that has it may come back where it was lost."""
        self._lock = threading.Lock()

    def place(self, asked: Place) -> None:
        with self._lock:
            self._held[asked.id] = None
        threading.Thread(target=self._place_or_lose, args=[asked], name=f"place {asked.id}", daemon=True).start()

    def release(self, number: int) -> None:
        threading.Thread(target=self._release, args=[number], name=f"release {number}", daemon=True).start()

    def kill_all(self) -> None:
        with self._lock:
            held, self._held = list(self._held.values()), {}
        for one in filter(None, held):
            one.kill()

    def _place_or_lose(self, asked: Place) -> None:
        """Whatever comes between is told: somebody waits for it."""
        try:
            self._place(asked)
        except LostError as error:
            self._end(asked.id, "lost", why=str(error))
        except Exception as error:
            self._end(asked.id, "lost", why=f"Ray failed: {type(error).__name__}: {in_one_line(error)}")

    def _place(self, asked: Place) -> None:
        wanted = demanded(asked.demand)
        waits_until = time.monotonic() + (asked.order.start_seconds if wanted in self._had_room else 0)
        if self._is_refused(asked.id, wanted, waits_until):
            return
        held = self._cluster.hold(asked.demand)
        if not self._is_kept(asked.id, held):
            held.kill()
            return
        node = self._wait_for_node(asked.id, held, wanted, waits_until)
        if node is None:
            return
        if wanted not in self._had_room:
            self._had_room.append(wanted)
        try:
            self._serve(asked, held, node)
        except LostError as error:
            raise LostError(f"node {node}, or what held the backend there, is lost: {error}") from None

    def _is_kept(self, number: int, held: Held) -> bool:
        """It may have been released meanwhile."""
        with self._lock:
            if number not in self._held:
                return False
            self._held[number] = held
            return True

    def _is_refused(self, number: int, wanted: Amounts, waits_until: float) -> bool:
        why = refusal(wanted, self._cluster.nodes())
        if why is None or self._cluster.may_grow() or time.monotonic() < waits_until:
            return False
        self._end(number, "refused", usage=False, why=why)
        return True

    def _wait_for_node(self, number: int, held: Held, wanted: Amounts, waits_until: float) -> str | None:
        """None where none will ever have it."""
        looks, is_told = 0, False
        while (node := held.node(LOOK_SECONDS)) is None:
            if self._is_refused(number, wanted, waits_until):
                return None
            looks += 1
            free = self._cluster.free()
            if not is_told and (not has(free, wanted) or looks >= FRAGMENTED_LOOKS):
                is_told = True
                self._teller.tell("waiting", id=number, what=waiting_for(wanted, free, self._cluster.nodes()))
        return node

    def _serve(self, asked: Place, held: Held, node: str) -> None:
        started = held.begin(asked.order)
        ready = started["ready"]
        if ready is None:
            why = f"the backend cannot start on node {node}: {why_of(started)}"
            self._end(asked.id, "refused", usage=started["code"] == WRONG_USAGE, why=why)
            return
        self._teller.tell("placed", id=asked.id, node=node, control=ready["control"], key=ready["public_key"])
        while True:
            news = held.news()
            for line in news["lines"]:
                self._teller.tell("said", id=asked.id, line=line)
            if news["ended"] is not None:
                self._end(asked.id, "lost", why=f"the backend on node {node} ended: {news['ended']}")
                return

    def _release(self, number: int) -> None:
        with self._lock:
            held = self._held.pop(number, None)
        try:
            if held is not None:
                held.stop()
        finally:
            self._teller.tell("released", id=number)

    def _end(self, number: int, kind: str, **said: object) -> None:
        """Gives back its actor, which may be there without a backend."""
        with self._lock:
            held = self._held.pop(number, None)
        self._teller.tell(kind, id=number, **said)
        if held is not None:
            held.kill()


def in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:LINE_CHARACTERS]


def why_of(started: Started) -> str:
    """What a backend that knows why it ends has said of that; else how it ended, with its last lines."""
    own = [line.removeprefix(OWN_LINE) for line in started["said"] if line.startswith(OWN_LINE)]
    if own and started["code"] in (WRONG_USAGE, SURROUNDINGS_MISSING):
        return own[-1]
    last = " | ".join(line.strip()[:LAST_CHARACTERS] for line in started["said"][-LINES_TOLD:])
    return f"{started['why']}; its last lines: {last}" if last else started["why"]
