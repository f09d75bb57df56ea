"""What the control thread and the main thread tell each other: the one piece of state that they share."""

from __future__ import annotations

import threading
import time

SESSION_IDLE_SECONDS = 30.0
"""A session that was not heard of for so long may be replaced."""


class Progress:
    """Single writes of single values, which Python makes atomic; the two flags are events. The lock keeps a cancel that
    comes just as the work ends from stopping the work after it."""

    def __init__(self) -> None:
        self.session: str | None = None
        self.step = 0
        self.working = False
        self.cancelled = threading.Event()
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._moved_at = time.monotonic()
        self._heard_at = time.monotonic()

    def moved(self, step: int) -> None:
        self.step = step
        self._moved_at = time.monotonic()

    def heard_of_session(self) -> None:
        self._heard_at = time.monotonic()

    def cancel(self, session: str) -> bool:
        """Stops this session's work at the next batch boundary; False where nothing is under way."""
        with self._lock:
            under_way = self.working and session == self.session
            if under_way:
                self.cancelled.set()
            return under_way

    def rest(self) -> None:
        """Nothing is under way or queued, so no cancel is left to be obeyed."""
        with self._lock:
            self.working = False
            self.cancelled.clear()

    @property
    def seconds_since_progress(self) -> float:
        return time.monotonic() - self._moved_at

    @property
    def session_is_idle(self) -> bool:
        return time.monotonic() - self._heard_at > SESSION_IDLE_SECONDS

    def should_stop(self) -> bool:
        return self.cancelled.is_set() or self.stopping.is_set()
