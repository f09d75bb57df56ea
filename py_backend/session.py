"""The backend's side of a run: model, optimiser, step count, and the answers already given."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .answers import Answer, answer, train_answer
from .arithmetic import Arithmetic, made_in
from .codec import Packet
from .device import Stopwatch, is_deterministic, precisions
from .errors import BackendError
from .evaluation import Place, Samples, evaluate
from .identity import Identity
from .images import gather_images
from .loading import Loader
from .messages import (
    Evaluate,
    EvaluateOk,
    Images,
    ImagesOk,
    Load,
    LoadOk,
    Open,
    OpenOk,
    Part,
    Relabel,
    RelabelOk,
    Save,
    Score,
    ScoreOk,
    Settings,
    Train,
    Weights,
)
from .opening import Choices, build_learner, builder_like, fit_of, laid_out, references, refuse_single_class, steps_of
from .optimizers import fused_device
from .parameters import refuse_other_parameters
from .progress import Progress
from .references.importing import code_of, describe
from .references.own_code import own_code
from .references.whose import RAISED
from .resident import DataPart, ResidentDataset
from .saving import Saver
from .threads import refuse_other_threads, restore_threads
from .torch_state import TorchState
from .training import Chunk, Trained, check_chunk, check_indices, train_chunk
from .weights import weights_answer

T = TypeVar("T")

ANSWERS_KEPT = 4


@dataclass(frozen=True)
class Given:
    """A chunk that was trained on, and how it was asked for: the arrays are in there as their hash."""

    request: Train
    trained: Trained


@dataclass(frozen=True)
class Failure:
    """What left the model in an unknown state, and the first step of the chunk that it came with."""

    first_step: int
    reason: str


class Session:
    """One run; each public method answers one kind of message."""

    def __init__(
        self,
        request: Open,
        choices: Choices,
        data: ResidentDataset,
        identity: Identity,
        progress: Progress,
        torch_state: TorchState,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.owner = request.owner
        self.arithmetic = Arithmetic.of(request)
        self._identity = identity
        self._data = data
        self._trained_on = data.train  # with labels of this session's own, once they came
        self._progress = progress
        refuse_single_class(choices.dataset.name, data.class_names)
        learner, self._dropout = build_learner(request, choices, data, identity.device)
        self._notices = [*precision_notices(request, identity), *restore_threads(identity.threads)]
        self._fit = fit_of(request, choices, learner, data, torch_state)
        refuse_other_threads(identity.threads)
        self._learner = laid_out(learner, self._fit.memory_format)
        self._steps, self._of_steps = steps_of(choices, self._learner, data, torch_state, equal_bits=request.equal_bits)
        self._references = references(request)
        self._imports = [describe(reference) for reference in self._references]
        self._initial_weights_sha256 = weights_sha256(self._learner.model)
        self._step = 0
        self._failure: Failure | None = None
        self._given: OrderedDict[int, Given] = OrderedDict()
        self._saver = Saver(self._learner)
        self._loader = Loader(self._learner, builder_like(choices, self._learner))

    @property
    def runs_own_code(self) -> bool:
        """Whether anything of it is the user's."""
        return bool(self._references)

    def describe(self, message_id: int, notices: Sequence[str]) -> Packet:
        """The answer to `open`. notices: lines for a person, beside the session's own."""
        data, here = self._data, self._identity
        code = code_of(self._references)
        body = OpenOk(
            session=self.id,
            instance=here.instance,
            device=str(here.device),
            device_name=here.device_name,
            threads=torch.get_num_threads(),
            versions=here.versions,
            platform=here.platform,
            n=data.train.size,
            test_count=data.test.size,
            input_shape=list(data.input_shape),
            parameter_count=sum(parameter.numel() for parameter in self._learner.model.parameters()),
            data_sha256=data.sha256,
            initial_weights_sha256=self._initial_weights_sha256,
            settings=Settings(
                memory_format=self._learner.memory_format,
                precision=made_in(self._learner.precision),
                deterministic=is_deterministic(self._learner.device) and self._fit.deterministic,
                fused_updates=fused_device(self._learner.optimizer) is not None,
                recorded_steps=self._steps.records,
                dropout=self._dropout,
                batch_norm_layers=len(self._learner.batch_norms),
            ),
            least_batch_size=self._fit.least_batch_size,
            imports=self._imports,
            code=code,
            edited=own_code.edited(code),
            notices=[*notices, *data.notices, *self._notices, *self._fit.notices, *self._of_steps],
        )
        names = np.frombuffer(json.dumps(data.class_names).encode(), np.uint8)
        return Packet(message_id, body, {"labels": data.labels, "test_labels": data.test_labels, "class_names": names})

    def relabel(self, packet: Packet, _request: Relabel) -> Packet:
        """Answers `relabel`: what is trained on and scored has these labels from now on, and the dataset's elsewhere.
        Raises BackendError (bad_array, bad_index, step_conflict)."""
        self._refuse_if_failed()
        if self._step > 0:
            raise BackendError(
                "step_conflict",
                f"relabel came at step {self._step}; it is taken before the first step only: open another session",
                step=self._step,
            )
        indices, labels = packet.arrays["indices"], packet.arrays["labels"]
        if len(indices) != len(labels):
            raise BackendError("bad_array", f"{len(labels)} labels came for {len(indices)} indices; send one for each")
        check_indices(indices, self._data.train.size)
        if len(np.unique(indices)) != len(indices):
            raise BackendError("bad_index", "an index came twice; send one label for each sample")
        classes = len(self._data.class_names)
        if len(labels) and int(labels.max()) >= classes:
            raise BackendError("bad_index", f"label {int(labels.max())} is outside of 0 … {classes - 1}", n=classes)
        clean = self._data.train
        noisy = clean.labels.clone()
        places, others = (torch.from_numpy(array.astype(np.int64)).to(noisy.device) for array in (indices, labels))
        noisy[places] = others
        self._trained_on = replace(clean, labels=noisy)
        return Packet(packet.id, RelabelOk(session=self.id))

    def train(self, packet: Packet, request: Train) -> Answer:
        """Trains on the chunk, or gives the answer that it got before."""
        self._refuse_if_failed()
        sha256 = hash_arrays(packet, request)
        if sha256 != request.sha256:
            raise BackendError("hash_mismatch", f"the arrays hash to {sha256}, the message says {request.sha256}")
        if request.first_step != self._step:
            return self._train_answer(packet.id, request, self._trained_before(request))
        chunk = Chunk(
            first_step=request.first_step,
            indices=packet.arrays["indices"],
            offsets=packet.arrays["offsets"],
            learning_rates=packet.arrays["learning_rates"],
            weights=packet.arrays.get("weights"),
            micro_batch=request.micro_batch,
            average=request.average,
        )
        check_chunk(chunk, self._data.train.size)
        if (average := request.average) is not None:
            self._learner.averaged.refuse_other(average.from_step, average.decay, self._step)
        trained = self._train(chunk, list(request.signals))
        if trained.batches_done:
            self._given[request.first_step] = Given(request, trained)
            while len(self._given) > ANSWERS_KEPT:
                self._given.popitem(last=False)
        return self._train_answer(packet.id, request, trained)

    def _train(self, chunk: Chunk, signals: list[str]) -> Trained:
        try:
            trained = train_chunk(self._steps, self._trained_on, chunk, signals, self._progress)
            refuse_other_threads(self._identity.threads)
            if self.runs_own_code:
                learner = self._learner
                refuse_other_parameters(learner.model_reference, learner.model, learner.optimizer)
        except RAISED as error:
            self._fail(chunk.first_step, error)
            raise
        self._step += trained.batches_done
        return trained

    def fail(self, error: BackendError) -> None:
        """What was asked for last is found to be worth nothing, whatever came of it."""
        self._fail(self._step, error)

    def _fail(self, first_step: int, error: BaseException) -> None:
        """The model is lost from this chunk on, and with it the answers to what was trained then."""
        if self._failure is None or first_step < self._failure.first_step:
            self._failure = Failure(first_step, str(error))
        for step in [step for step in self._given if step >= self._failure.first_step]:
            del self._given[step]

    def _trained_before(self, request: Train) -> Trained:
        where = f"a chunk from step {request.first_step} came, the session stands at step {self._step}"
        if request.first_step > self._step:
            raise BackendError("step_gap", f"{where}: send from there", step=self._step)
        given = self._given.get(request.first_step)
        if given is None or given.request != request:
            raise BackendError(
                "step_conflict", f"{where} and trained on other batches, or in another way, there", step=self._step
            )
        return given.trained

    def _train_answer(self, message_id: int, request: Train, trained: Trained) -> Answer:
        """The answer to a chunk. An error that the device reports only now fails the session, and the chunks that were
        started behind this one."""
        return self._watched(request.first_step, train_answer(message_id, request, trained))

    def _watched(self, step: int, awaited: Answer) -> Answer:
        """An answer that rests on all that was trained before this step."""

        def watched(ask: Callable[[], T]) -> T:
            if self._failure is not None and self._failure.first_step < step:
                raise session_failed(self._failure)
            try:
                return ask()
            except Exception as error:
                self._fail(step, error)
                raise

        return Answer(lambda: watched(awaited.ready), lambda: watched(awaited.packet), awaited.wait)

    def look(self, packet: Packet, request: Score | Evaluate) -> Answer:
        """Answers `score` and `evaluate`: the model is not changed."""
        self._refuse_if_failed()
        calibration = packet.arrays.get("calibration")
        stopwatch = Stopwatch(self._learner.device)
        download = evaluate(
            self._learner,
            self._part(request.part) if isinstance(request, Evaluate) else self._trained_on,
            packet.arrays["indices"],
            request.batch_size,
            list(request.signals),
            self._progress,
            Place(self._step, request.part if isinstance(request, Evaluate) else "score"),
            request.norm if isinstance(request, Evaluate) else "running",
            None if calibration is None else Samples(self._data.train, calibration),
            request.weights if isinstance(request, Evaluate) else "last",
        )
        stopwatch.stop()
        refuse_other_threads(self._identity.threads)
        kind = EvaluateOk if isinstance(request, Evaluate) else ScoreOk
        return answer(
            packet.id,
            download,
            lambda indices_sha256: kind(session=self.id, indices_sha256=indices_sha256, seconds=stopwatch.seconds),
        )

    def images(self, packet: Packet, request: Images) -> Answer:
        """Answers `images`: nothing is computed, and nothing changed."""
        self._refuse_if_failed()
        download = gather_images(self._part(request.part), packet.arrays["indices"], self._progress)
        return answer(
            packet.id, download, lambda indices_sha256: ImagesOk(session=self.id, indices_sha256=indices_sha256)
        )

    def weights(self, message_id: int, _request: Weights) -> Answer:
        """Answers `weights`: nothing is changed."""
        self._refuse_if_failed()
        return weights_answer(message_id, self.id, self._step, self._learner.model)

    def save(self, message_id: int, request: Save) -> Answer:
        """Answers `save`: nothing of the learner is changed."""
        self._refuse_if_failed()
        return self._watched(request.step, self._saver.answer(message_id, request, self._step))

    def load(self, packet: Packet, request: Load) -> Packet:
        """Answers `load`: with the last part the state is put back, under a fresh session id."""
        self._refuse_if_failed()
        put_back = self._loader.take(request, packet.arrays["bytes"], self._step)
        if put_back is not None:
            self._put_back(put_back, request.step)
        return Packet(packet.id, LoadOk(session=self.id, step=request.step, part=request.part))

    def _put_back(self, put_back: Callable[[], None], step: int) -> None:
        try:
            put_back()
        except RAISED as error:
            self._fail(0, error)
            raise
        self.id = secrets.token_hex(8)
        self._step = step

    def _part(self, part: Part) -> DataPart:
        return self._data.test if part == "test" else self._data.train

    def _refuse_if_failed(self) -> None:
        if self._failure is not None:
            raise session_failed(self._failure)


def precision_notices(request: Open, here: Identity) -> list[str]:
    """What there is to say of the precision that was asked for, on this device: a line, or none."""
    said = precisions(here.device).get(request.precision)
    return [f"precision {request.precision} is {said}"] if said else []


def session_failed(failure: Failure) -> BackendError:
    return BackendError(
        "session_failed", f"an earlier chunk failed ({failure.reason}); close this session and open another"
    )


def hash_arrays(packet: Packet, request: Train) -> str:
    """SHA-256 of the chunk's arrays in the order of the protocol, not of the frames."""
    digest = hashlib.sha256()
    for name in request.arrays:
        if name in packet.arrays:
            digest.update(packet.arrays[name].data)
    return digest.hexdigest()


def weights_sha256(model: nn.Module) -> str:
    """SHA-256 over the bytes of all parameters and buffers, in the order of the state dict, each row-major."""
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        if isinstance(tensor, Tensor):  # a module may keep other things there
            digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
