"""Workers that say when they have begun."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from multiprocessing import Pipe, active_children
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from py_backend.workers import begin_worker


@dataclass
class Telling:
    """In place of `begin_worker`."""

    begun: Connection[int, int]

    def __call__(self, worker: int = 0) -> None:
        begin_worker(worker)
        self.begun.send(os.getpid())


@dataclass
class Begun:
    """Of the workers that are started from now on."""

    others: set[int | None] = field(default_factory=lambda: {process.pid for process in active_children()})
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.receiver, begun = Pipe(duplex=False)
        self.telling = Telling(begun)

    def workers(self) -> list[BaseProcess]:
        """All that are there, once each has begun."""
        workers = [process for process in active_children() if process.pid not in self.others]
        while not self.seen.issuperset(process.pid for process in workers):
            self.seen.add(self.receiver.recv())
        return workers
