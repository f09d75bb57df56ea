"""A state on its way to the controller, in parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .answers import Answer
from .codec import Packet
from .device import BytesDownload, naming_out_of_memory
from .errors import BackendError
from .learner import Learner
from .learner_state import kinds, read_state
from .messages import Save, SaveOk
from .state_document import write
from .unsaved import PlainAttributes

PART_BYTES = 64 << 20
"""Of a state that travels in one message."""


@dataclass(frozen=True)
class Snapshot:
    """A state as it was at a step, perhaps still under way to the host. notices: lines for a person."""

    step: int
    download: BytesDownload
    notices: tuple[str, ...]

    @property
    def parts(self) -> int:
        return -(-len(self.download) // PART_BYTES)

    def part(self, request: Save) -> tuple[SaveOk, npt.NDArray[np.uint8]]:
        """Waits for the device."""
        content = self.download.array()[request.part * PART_BYTES : (request.part + 1) * PART_BYTES]
        body = SaveOk(
            session=request.session,
            step=self.step,
            part=request.part,
            parts=self.parts,
            sha256=hashlib.sha256(content.data).hexdigest(),
            total_bytes=len(self.download),
            notices=list(self.notices),
        )
        return body, content


class Saver:
    """Keeps the state that is under way, and knows how the learner was at construction."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._opened = kinds(learner)
        self._plain_attributes = PlainAttributes(learner)
        self._snapshot: Snapshot | None = None

    def answer(self, message_id: int, request: Save, at_step: int) -> Answer:
        """at_step: where the session stands. Nothing in here waits for the device, the answer does. Raises BackendError
        (step_gap, step_conflict, bad_field, bad_reference, out_of_memory)."""
        kept = self._kept(request, at_step)
        if request.part >= kept.parts:
            raise BackendError("bad_field", f"part {request.part} was asked for; the state has {kept.parts}, from 0 on")
        if request.part == kept.parts - 1:
            self._snapshot = None

        def packet() -> Packet:
            body, content = kept.part(request)
            return Packet(message_id, body, {"bytes": content})

        return Answer(lambda: kept.download.ready, packet, kept.download.wait)

    def _kept(self, request: Save, at_step: int) -> Snapshot:
        """The state that the part is of: taken now for part 0."""
        if request.part == 0:
            refuse_other_step(request.step, at_step)
            self._snapshot = None  # make room before the next one comes
            with naming_out_of_memory("the copy of the state that is saved"):
                self._snapshot = self._take(at_step)
        if self._snapshot is None or self._snapshot.step != request.step:
            raise BackendError(
                "step_conflict",
                f"part {request.part} of the state of step {request.step} was asked for, of which none is kept; the "
                f"session stands at step {at_step}: ask for part 0 there",
                step=at_step,
            )
        return self._snapshot

    def _take(self, step: int) -> Snapshot:
        state, notices = read_state(self._learner, step, self._opened)
        return Snapshot(step, write(state, self._learner.device), (*notices, *self._plain_attributes.changed()))


def refuse_other_step(step: int, at_step: int) -> None:
    if step != at_step:
        raise BackendError(
            "step_gap" if step > at_step else "step_conflict",
            f"the state of step {step} was asked for, the session stands at step {at_step}",
            step=at_step,
        )
