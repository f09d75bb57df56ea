"""A state on its way back, in parts: put into a learner that was not trained yet, all of it or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .device import naming_out_of_memory
from .errors import BackendError
from .learner import Learner
from .messages import Load
from .restoring import (
    BuildOptimizer,
    bad_state,
    fresh_optimizer_state,
    put_back,
    refuse_other_state,
    state_bytes,
)
from .saving import PART_BYTES
from .state_document import read

ROOM_BYTES = 64 << 20
"""What names, values and the extra state of modules may take beside the tensors that are expected."""


class Loader:
    """Gathers the parts of one state after another."""

    def __init__(self, learner: Learner, build_optimizer: BuildOptimizer) -> None:
        self._learner = learner
        self._build_optimizer = build_optimizer
        self._loading: Loading | None = None

    def take(self, request: Load, content: npt.NDArray[np.uint8], at_step: int) -> Callable[[], None] | None:
        """content: the part's bytes; at_step: where the session stands. With the last part: what puts the state back,
        which cannot fail but for the device or the user's code.

        Raises BackendError (step_conflict, hash_mismatch, bad_state, bad_reference, out_of_memory): nothing was changed
        then, and after hash_mismatch the part may come again.
        """
        loading, self._loading = self._loading, None
        if at_step != 0:
            raise BackendError(
                "step_conflict",
                f"this session stands at step {at_step}; a state is loaded into one that was just opened",
                step=at_step,
            )
        with naming_out_of_memory("the state that is loaded"):
            if loading is None or request.part == 0:
                loading = Loading(self._learner, self._build_optimizer, request)
            try:
                loading.take(request, content)
            except BackendError as error:
                if error.code == "hash_mismatch":
                    self._loading = loading
                raise
            if loading.is_whole:
                return loading.checked()
        self._loading = loading
        return None


class Loading:
    """A state that comes in parts, for a learner that was not trained yet. The learner is changed by `finish` alone."""

    def __init__(self, learner: Learner, build: BuildOptimizer, request: Load) -> None:
        self._learner = learner
        self._fresh = fresh_optimizer_state(learner, build)
        self._most_bytes = state_bytes(learner, self._fresh) + ROOM_BYTES
        self._step, self._parts = request.step, request.parts
        self._came: list[npt.NDArray[np.uint8]] = []

    def take(self, request: Load, content: npt.NDArray[np.uint8]) -> None:
        """Raises BackendError (bad_state, hash_mismatch); the part may come again."""
        if (request.step, request.parts, request.part) != (self._step, self._parts, len(self._came)):
            raise bad_state(
                f"part {request.part} of {request.parts} of step {request.step} came; "
                f"part {len(self._came)} of {self._parts} of step {self._step} was due: send from part 0"
            )
        if len(content) > PART_BYTES:
            raise bad_state(f"a part of {len(content)} bytes; at most {PART_BYTES} are allowed")
        total = sum(map(len, self._came)) + len(content)
        if total > self._most_bytes:
            raise bad_state(f"{total} bytes of it came; a state of this session has {self._most_bytes} at most")
        seen = hashlib.sha256(content.data).hexdigest()
        if seen != request.sha256:
            raise BackendError("hash_mismatch", f"the bytes hash to {seen}, the message says {request.sha256}")
        self._came.append(content)

    @property
    def is_whole(self) -> bool:
        return len(self._came) == self._parts

    def checked(self) -> Callable[[], None]:
        """What puts the state back. Raises BackendError (bad_state) where it is damaged, or not of this session."""
        try:
            state = read(b"".join(part.data for part in self._came))
        except ValueError as error:
            raise bad_state(f"its bytes are damaged: {error}") from None
        if state.step != self._step:
            raise bad_state(f"it is of step {state.step}; the message says {self._step}")
        refuse_other_state(self._learner, state, self._fresh)
        return lambda: put_back(self._learner, state, self._fresh)
