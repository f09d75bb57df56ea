"""A thread that waits for the device, so that the one that serves can wait for messages and the device at once."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

Wait: TypeAlias = Callable[[], None]
"""Returns once something is done. What it raises is found again by whoever asks for the thing itself."""

MOST_BYTES = 4096


class Waker:
    """`fd` can be read from once a wait is over, until `take`. `select`: the device, which is each thread's own."""

    def __init__(self, select: Callable[[], None]) -> None:
        self._select = select
        self.fd, self._waking = os.pipe()
        self._waits: queue.SimpleQueue[Wait | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def wake_after(self, wait: Wait) -> None:
        """The thread begins with the first wait: on the CPU there is none."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="waking", daemon=True)
            self._thread.start()
        self._waits.put(wait)

    def take(self) -> None:
        """To be called once `fd` can be read from: the wait may be of no interest any more."""
        os.read(self.fd, MOST_BYTES)

    def close(self, seconds: float) -> None:
        """A thread that waits for a device which never answers is left, with the pipe."""
        self._waits.put(None)
        if self._thread is not None:
            self._thread.join(seconds)
            if self._thread.is_alive():
                return
        os.close(self.fd)
        os.close(self._waking)

    def _serve(self) -> None:
        # CUDA begins with its first device: to wait there could set up a GPU that is not used.
        with contextlib.suppress(Exception):  # the main thread, which has selected it, meets what is wrong with it
            self._select()
        while (wait := self._waits.get()) is not None:
            with contextlib.suppress(Exception):
                wait()
            os.write(self._waking, b"!")
