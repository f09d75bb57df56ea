"""Over which tcp connections something came: Linux tells at once, so that quiet ones cost nothing, however many."""

from __future__ import annotations

import select
import sys
from contextlib import suppress


class Arrivals:
    """`fd` can be read from when something came, or when `waking` can be; None where the system has no such thing."""

    def __init__(self, waking: int) -> None:
        self.fd: int | None = None
        self._numbers: dict[int, int] = {}  # by file
        self._marked: set[int] = set()
        if sys.platform == "linux":
            self._epoll = select.epoll()
            self._epoll.register(waking, select.EPOLLIN)
            self.fd = self._epoll.fileno()

    def watch(self, number: int, file: int) -> None:
        """Once for what comes, not for as long as it lies there: who reads it is zmq."""
        if sys.platform == "linux":
            self._numbers[file] = number
            self._epoll.register(file, select.EPOLLIN | select.EPOLLET)

    def mark(self, number: int) -> None:
        """As if something had come."""
        self._marked.add(number)

    def forget(self, file: int) -> None:
        """To be called before the file is closed."""
        if sys.platform == "linux" and self._numbers.pop(file, None) is not None:
            with suppress(OSError):
                self._epoll.unregister(file)

    def take(self) -> set[int]:
        """Those over which something came since this was last asked."""
        came, self._marked = self._marked, set()
        if sys.platform == "linux":
            files = (file for file, _ in self._epoll.poll(0))
            came |= {self._numbers[file] for file in files if file in self._numbers}
        return came

    def close(self) -> None:
        if sys.platform == "linux":
            self._epoll.close()
