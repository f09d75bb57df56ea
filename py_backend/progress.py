"""What the control thread and the main thread tell each other: the one piece of state that they share."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Set
from hmac import compare_digest

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
        self._session_works = False
        self._moved_at = time.monotonic()
        self._heard_at = time.monotonic()
        self._controller_heard_at = time.monotonic()
        self._asker: int | None = None
        self._owner: int | None = None

    def moved(self, step: int | None = None) -> None:
        """Work began, or a batch was handed to the device: with training, the step behind it."""
        if step is not None:
            self.step = step
        self._moved_at = time.monotonic()

    def heard_of_session(self) -> None:
        self._heard_at = time.monotonic()

    def heard_of_controller(self) -> None:
        """Whoever was let in has sent a message, also without a session."""
        self._controller_heard_at = time.monotonic()

    @property
    def seconds_of_silence(self) -> float:
        return time.monotonic() - self._controller_heard_at

    def asked_over(self, connection: int | None) -> None:
        """What is begun now was asked for over this connection; None: over one that has ended."""
        self._asker = connection

    def heard_over(self) -> None:
        """It was no stranger who asked: at the other end is the controller whose session is open now. It may have gone
        while it was opened."""
        with self._lock:
            self._owner = self._asker
            if self._owner is None:
                self._heard_at = -math.inf

    def left(self, connection: int) -> None:
        """This connection ended: if the session was its controller's, nobody waits for it any more."""
        with self._lock:
            if connection == self._asker:
                self._asker = None
            if connection != self._owner:
                return
            self._owner = None
            self._heard_at = -math.inf
            if self._session_works:
                self.cancelled.set()

    def enter(self, session: str | None) -> None:
        """Another session is open now, or none: a cancel was not meant for it."""
        with self._lock:
            self.session = session
            self.cancelled.clear()

    def under_way(self, working: bool, sessions: Set[str | None]) -> None:
        """Whether anything is under way or queued, and for which sessions; without any for ours no cancel is left to
        be obeyed."""
        with self._lock:
            self.working = working
            self._session_works = self.session is not None and self.session in sessions
            if not self._session_works:
                self.cancelled.clear()

    def is_named(self, session: str | None) -> bool:
        """Whether this is the open session's id: so much nobody but its controller knows."""
        ours = self.session
        return session is not None and ours is not None and compare_digest(session.encode(), ours.encode())

    def may_end(self, session: str | None) -> bool:
        """Whether nobody else is at work here than who names this session."""
        with self._lock:
            if self.session is None:
                return not self.working
            return self.session_is_idle or self.is_named(session)

    def cancel(self, session: str) -> bool:
        """Stops this session's work at the next batch boundary; False where nothing of it is under way or queued."""
        with self._lock:
            under_way = self._session_works and self.is_named(session)
            if under_way:
                self.cancelled.set()
            return under_way

    @property
    def seconds_since_progress(self) -> float:
        """Since work began or the last batch was handed to the device, whichever was later."""
        return time.monotonic() - self._moved_at

    @property
    def session_is_idle(self) -> bool:
        return time.monotonic() - self._heard_at > SESSION_IDLE_SECONDS

    def should_stop(self) -> bool:
        return self.cancelled.is_set() or self.stopping.is_set()
