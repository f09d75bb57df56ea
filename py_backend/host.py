"""One session at a time, and data that stays resident between sessions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path
from typing import TypeAlias, TypeVar

from .answers import Answer
from .arithmetic import Arithmetic, ArithmeticUnderWay
from .codec import Packet
from .device import is_out_of_memory, refuse_precision
from .errors import BackendError
from .identity import Identity
from .messages import Close, CloseOk, Evaluate, Images, Load, Message, Open, Relabel, Save, Score, Train, Weights
from .opening import Choices, choose, references
from .progress import SESSION_IDLE_SECONDS, Progress
from .references.importing import forget_own
from .references.own_code import own_code
from .references.whose import INTERRUPTS, RAISED
from .resident import ResidentDataset, reside
from .session import Session
from .torch_state import TorchState

T = TypeVar("T")


SessionWork: TypeAlias = Relabel | Train | Score | Evaluate | Images | Weights | Save | Load | Close
"""What is asked of a session."""


class Host:
    """Answers work messages, one after another."""

    def __init__(self, identity: Identity, progress: Progress) -> None:
        self._identity = identity
        self._progress = progress
        self._session: Session | None = None
        self._resident: tuple[str, ResidentDataset] | None = None
        self._torch = TorchState()
        self._arithmetic = ArithmeticUnderWay(self._torch)

    def handle(self, packet: Packet) -> Answer:
        """Raises BackendError, which the server turns into the one error form."""
        request = packet.body
        self._progress.moved()
        try:
            return self._handle(packet, request)
        except SystemExit as error:  # the user's code may end what it was called for, not the backend
            raise BackendError("bad_reference", f"code of yours called sys.exit({error.code!r})") from None
        except INTERRUPTS:
            raise BackendError("bad_reference", "code of yours raised a KeyboardInterrupt") from None

    def _handle(self, packet: Packet, request: Message) -> Answer:
        if isinstance(request, Open):
            return Answer.now(self._open(packet.id, request))
        if not isinstance(request, SessionWork):
            raise BackendError(
                "unknown_type", f"a {request.type} message does not belong on the work socket", socket="work"
            )
        session = self._find(request.session)
        self._progress.heard_of_session()
        self._arithmetic.take(session.arithmetic)  # an `open` that was refused may have set another one's
        try:
            answer = self._answer(session, packet, request)
            if session.runs_own_code:
                self._refuse_changes_by(session)
            return answer
        except RAISED:
            self._torch.restore_after("code of the run that failed")
            if self._resident is not None:
                self._resident[1].end_workers()
            raise

    def _answer(self, session: Session, packet: Packet, request: SessionWork) -> Answer:
        if isinstance(request, Relabel):
            return Answer.now(session.relabel(packet, request))
        if isinstance(request, Train):
            return session.train(packet, request)
        if isinstance(request, Score | Evaluate):
            return session.look(packet, request)
        if isinstance(request, Images):
            return session.images(packet, request)
        if isinstance(request, Weights):
            return session.weights(packet.id, request)
        if isinstance(request, Save):
            return session.save(packet.id, request)
        if isinstance(request, Load):
            return Answer.now(self._load(session, packet, request))
        self._forget()
        return Answer.now(Packet(packet.id, CloseOk()))

    def _refuse_changes_by(self, session: Session) -> None:
        """Raises BackendError (bad_reference) where code of its run changed what is every run's of torch."""
        try:
            self._torch.refuse_changes("code of this run")
        except BackendError as error:
            session.fail(error)
            raise

    def _load(self, session: Session, packet: Packet, request: Load) -> Packet:
        before = session.id
        answer = session.load(packet, request)
        if session.id != before:
            self._progress.enter(session.id)
            self._progress.moved(request.step)
        return answer

    def _find(self, session_id: str) -> Session:
        if self._session is None or self._session.id != session_id:
            raise BackendError("unknown_session", f"session {session_id} is not open here: it was closed or replaced")
        return self._session

    def _forget(self) -> None:
        self._session = None
        self._progress.enter(None)

    def _open(self, message_id: int, request: Open) -> Packet:
        if not self._may_replace(request.owner):
            raise BackendError(
                "session_busy",
                f"another session is open here and was heard of in the last {SESSION_IDLE_SECONDS:.0f} s: "
                "wait until it ends, or start a backend of your own",
            )
        refuse_precision(self._identity.device, request.precision)
        notices = self._torch.restore_after("a run before this one")
        self._arithmetic.take(Arithmetic.of(request))
        try:
            choices = self._restoring(notices, request, lambda: choose(request))
            self._forget()
            data = self._restoring(notices, request, lambda: self._data(choices, request.data_dir))
            self._session = self._restoring(
                notices, request, lambda: Session(request, choices, data, self._identity, self._progress, self._torch)
            )
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise BackendError("out_of_memory", f"model and data do not fit into memory: {error}") from None
            raise
        self._progress.enter(self._session.id)
        self._progress.heard_of_session()
        self._progress.moved(0)
        return self._session.describe(message_id, notices)

    def _may_replace(self, owner: str | None) -> bool:
        """Whether no session is open that anybody else may be at work with."""
        if self._session is None or self._progress.session_is_idle:
            return True
        ours = self._session.owner
        return owner is not None and ours is not None and compare_digest(owner.encode(), ours.encode())

    def _restoring(self, notices: list[str], request: Open, act: Callable[[], T]) -> T:
        """What it gives; torch's global state is then as it was, and the notices say what was changed. Modules that
        replaced something of torch's are imported anew when they are asked for again."""
        before = set(sys.modules)
        try:
            with own_code.executing_for(references(request)):
                return act()
        finally:
            try:
                notices += self._torch.restore(f"code of {' or '.join(references(request)) or 'the backend'}")
            except BackendError:
                forget_own(set(sys.modules) - before)
                raise

    def _data(self, choices: Choices, data_dir: str | None) -> ResidentDataset:
        definition, options = choices.dataset, choices.dataset_options
        key = repr((definition.name, options, data_dir))
        if self._resident is None or self._resident[0] != key:
            self._resident = None  # make room before the next one comes
            self._resident = (key, reside(definition.load(Path(data_dir or "data"), options), self._identity.device))
        return self._resident[1]
