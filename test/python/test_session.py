"""Sessions and the host: the step table of docs/PROTOCOL.md row by row, and who may be here when."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from py_backend import datasets, training
from py_backend import progress as progress_module
from py_backend import session as session_module
from py_backend.asked import error_packet
from py_backend.choice import NoOptions
from py_backend.codec import Packet
from py_backend.datasets.contract import DatasetDefinition, Part
from py_backend.errors import BackendError
from py_backend.host import Host
from py_backend.identity import Identity
from py_backend.messages import Augmentation, Average, Chosen, Evaluate, Images, Named, Open, Ping, Relabel, Score
from py_backend.progress import SESSION_IDLE_SECONDS, Progress
from py_backend.signals import SignalBuffer

HERE = Identity.of(torch.device("cpu"), 1)


def refusal(ask: Callable[[], Any]) -> BackendError:
    with pytest.raises(BackendError) as refused:
        ask()
    return refused.value


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- open


def test_open_describes_what_is_there(open_run: Callable[..., Any], tiny: SimpleNamespace) -> None:
    model = Named(name="mnist-cnn", options={"conv_dropout": 0.3, "fc_dropout": 0.5})
    opened = open_run(model=model).opened
    body = opened.body
    assert (body.n, body.test_count, body.input_shape) == (64, 20, [1, 12, 12])
    assert opened.arrays["class_names"].tobytes() == b'["a", "b", "c"]'
    assert opened.arrays["labels"].tolist() == tiny.grey.train.labels.tolist()
    assert opened.arrays["test_labels"].tolist() == tiny.grey.test.labels.tolist()
    parts = (tiny.grey.train, tiny.grey.test)
    assert body.data_sha256 == sha256(b"".join(part.images.tobytes() + part.labels.tobytes() for part in parts))
    assert body.parameter_count == 64 * 5 + (64 * 4 * 32 + 32) + 32 * 2 * 2 * 3 + 3
    assert msgspec.to_builtins(body.settings) == {
        "memory_format": "channels_last",
        "precision": "float32",
        "deterministic": True,
        "dropout": [77 / 256, 77 / 256, 0.5],
        "batch_norm_layers": 0,
        "recorded_steps": False,
        "fused_updates": False,
    }


def test_a_model_of_ours_is_the_same_in_either_memory_format(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    auto, off = open_run(), open_run(channels_last="off")
    assert off.opened.body.settings.memory_format == "contiguous"
    assert off.opened.body.initial_weights_sha256 == auto.opened.body.initial_weights_sha256
    convolutions = [p for p in off.model.parameters() if p.dim() == 4]
    assert convolutions != []
    assert all(parameter.is_contiguous() for parameter in convolutions)
    assert np.allclose(off.losses(batches), auto.losses(batches), rtol=1e-4)
    assert np.allclose(*(run.look("test", [1, 2, 3], ["loss"]).arrays["loss"] for run in (off, auto)), rtol=1e-4)


SMOOTH = Chosen(origin="catalogue", name="cross-entropy", options={"label_smoothing": 0.2})


def test_label_smoothing_gives_part_of_the_target_to_all_classes(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    run = open_run(loss=SMOOTH)
    learner, data = run.host._session._learner, run.host._session._data.train
    rows = torch.tensor(batches[0])
    with torch.no_grad():
        log_p = run.model(data.batch(rows)).log_softmax(1)
    own = -log_p.gather(1, data.labels[rows].unsqueeze(1)).squeeze(1)
    expected = 0.8 * own - 0.2 * log_p.mean(1)
    assert np.allclose(run.losses(batches[:1]), expected.numpy(), rtol=1e-5)
    assert (learner.loss_reference, learner.is_own, run.opened.body.imports) == (None, False, [])


def test_smoothing_by_nothing_gives_the_bits_of_plain_cross_entropy(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    none = Chosen(origin="catalogue", name="cross-entropy", options={})
    assert open_run(loss=none).losses(batches).tolist() == open_run().losses(batches).tolist()
    assert open_run(loss=SMOOTH).losses(batches).tolist() != open_run().losses(batches).tolist()


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("focal", {}, "no loss `focal`; there are: cross-entropy"),
        ("cross-entropy", {"label_smoothing": 1.0}, "loss cross-entropy: .*less than 1|loss cross-entropy: .*< 1"),
        ("cross-entropy", {"label_smoothing": -0.1}, "`label_smoothing` is -0.1; expected at least 0"),
        ("cross-entropy", {"smoothing": 0.1}, "loss cross-entropy: .*smoothing"),
    ],
)
def test_a_loss_that_there_is_not_is_refused_before_anything_is_loaded(
    open_run: Callable[..., Any], tiny: SimpleNamespace, name: str, options: dict[str, float], says: str
) -> None:
    with pytest.raises(BackendError, match=says):
        open_run(loss=Chosen(origin="catalogue", name=name, options=options))
    assert tiny.loads == []


def test_open_counts_the_layers_with_batch_statistics(open_run: Callable[..., Any]) -> None:
    """ResNet-18: one behind the stem, two in each of 8 blocks, one in each of 3 shortcuts."""
    assert open_run(model=Named(name="resnet18", options={})).opened.body.settings.batch_norm_layers == 1 + 2 * 8 + 3
    group = Named(name="resnet18", options={"norm": "group"})
    assert open_run(model=group).opened.body.settings.batch_norm_layers == 0


def test_a_dataset_of_a_single_class_is_refused(
    tiny: SimpleNamespace, make_open: Callable[..., Open], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [Part(part.images, np.zeros_like(part.labels)) for part in (tiny.grey.train, tiny.grey.test)]
    alike = replace(tiny.grey, class_names=("a",), train=parts[0], test=parts[1])
    definition = DatasetDefinition("alike", "", "", "", NoOptions, lambda _dir, _options: alike)
    monkeypatch.setitem(datasets.DATASETS, "alike", definition)
    host = Host(HERE, Progress())
    refused = refusal(lambda: host.handle(Packet(1, make_open(dataset=Named(name="alike", options={})))))
    assert refused.code == "bad_option"
    assert "dataset alike has 1 class; 2 at least are needed" in refused.message
    assert host.handle(Packet(2, make_open())).packet().body.n == 64  # and lives on


def test_the_initial_weights_follow_the_seed_alone(open_run: Callable[..., Any]) -> None:
    torch.manual_seed(5)
    first = open_run(seed=1)
    torch.manual_seed(6)
    again, other = open_run(seed=1), open_run(seed=2)
    assert first.opened.body.initial_weights_sha256 == again.opened.body.initial_weights_sha256
    assert first.opened.body.initial_weights_sha256 != other.opened.body.initial_weights_sha256
    weights = b"".join(tensor.contiguous().numpy().tobytes() for tensor in first.state().values())
    assert first.opened.body.initial_weights_sha256 == sha256(weights)


def test_the_initial_weights_do_not_move_torchs_generator(open_run: Callable[..., Any]) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    open_run()
    assert torch.equal(torch.rand(3), expected)


def test_data_stays_resident_between_sessions(open_run: Callable[..., Any], tiny: SimpleNamespace) -> None:
    run = open_run()
    for seed in range(3):
        run.close()
        run = open_run(beside=run, seed=seed)
    assert tiny.loads == [("tiny1", Path("data"))]
    run.close()
    open_run(beside=run, data_dir="/elsewhere")
    assert tiny.loads[1:] == [("tiny1", Path("/elsewhere"))]


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"dataset": Named(name="imagenet", options={})}, "unknown_name", "imagenet"),
        ({"model": Named(name="lenet", options={})}, "unknown_name", "no model `lenet`; there are: mnist-cnn"),
        ({"optimizer": Named(name="lion", options={})}, "unknown_name", "no optimizer `lion`; there are: sgd"),
        ({"dataset": Named(name="tiny1", options={"side": 3})}, "bad_option", "dataset tiny1: .*side"),
        ({"model": Named(name="mnist-cnn", options={"padding": "full"})}, "bad_option", "model mnist-cnn: .*padding"),
        ({"model": Named(name="mnist-cnn", options={"fc_dropout": 1.0})}, "bad_option", "fc_dropout"),
        ({"model": Named(name="mnist-cnn", options={"fc_dropout": "0.5"})}, "bad_option", "fc_dropout"),
        ({"model": Named(name="resnet18", options={"depth": 50})}, "bad_option", "depth"),
        ({"optimizer": Named(name="sgd", options={"momentum": 1.0})}, "bad_option", "optimizer sgd: .*momentum"),
        ({"optimizer": Named(name="sgd", options={"nesterov": True})}, "bad_option", "`nesterov` needs `momentum`"),
        ({"optimizer": Named(name="adam", options={"eps": 0.0})}, "bad_option", "eps"),
        ({"optimizer": Named(name="adamw", options={"momentum": 0.9})}, "bad_option", "momentum"),
        ({"optimizer": Named(name="adamw", options={"weight_decay": float("nan")})}, "bad_option", "weight_decay"),
        ({"optimizer": Named(name="adamw", options={"weight_decay": float("inf")})}, "bad_option", "weight_decay"),
    ],
)
def test_open_refuses_what_it_does_not_know(
    tiny: SimpleNamespace, make_open: Callable[..., Open], changes: dict[str, Any], code: str, text: str
) -> None:
    host = Host(HERE, Progress())
    with pytest.raises(BackendError, match=text) as refused:
        host.handle(Packet(1, make_open(**changes)))
    assert refused.value.code == code
    assert host.handle(Packet(2, make_open())).packet().body.n == 64  # and lives on


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": Named(name="imagenet", options={})},
        {"dataset": Named(name="tiny3", options={}), "model": Named(name="lenet", options={})},
        {"dataset": Named(name="tiny3", options={}), "model": Named(name="mnist-cnn", options={"depth": 3})},
        {"dataset": Named(name="tiny3", options={}), "optimizer": Named(name="lion", options={})},
        {"dataset": Named(name="tiny3", options={}), "optimizer": Named(name="sgd", options={"momentum": 1.0})},
        {"dataset": Named(name="tiny3", options={}), "optimizer": Named(name="sgd", options={"nesterov": True})},
    ],
)
def test_a_refused_open_costs_neither_the_idle_session_nor_the_data(
    clock: SimpleNamespace,
    open_run: Callable[..., Any],
    make_open: Callable[..., Open],
    tiny: SimpleNamespace,
    changes: dict[str, Any],
) -> None:
    run = open_run()
    clock.seconds += SESSION_IDLE_SECONDS + 1
    refusal(lambda: run.host.handle(Packet(1, make_open(**changes))))
    assert run.progress.session == run.session
    assert run.train([[0]]).body.batches_done == 1
    run.close()
    open_run(beside=run)
    assert [name for name, _ in tiny.loads] == ["tiny1"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA error: out of memory")])
def test_each_way_of_having_no_memory_at_open_is_out_of_memory(
    make_open: Callable[..., Open], tiny: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("py_backend.host.reside", fail)
    assert refusal(lambda: Host(HERE, Progress()).handle(Packet(1, make_open()))).code == "out_of_memory"


def test_data_that_does_not_fit_is_out_of_memory(
    tiny: SimpleNamespace, make_open: Callable[..., Open], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    monkeypatch.setattr("py_backend.host.reside", fail)
    assert refusal(lambda: Host(HERE, Progress()).handle(Packet(1, make_open()))).code == "out_of_memory"


def test_a_control_message_does_not_belong_here(tiny: SimpleNamespace) -> None:
    refused = refusal(lambda: Host(HERE, Progress()).handle(Packet(1, Ping(session=None))))
    assert (refused.code, refused.details) == ("unknown_type", {"socket": "work"})


# --- one session at a time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that only the test moves."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now.seconds)
    return now


def test_a_second_controller_is_refused_while_the_first_is_heard_of(
    clock: SimpleNamespace, open_run: Callable[..., Any], make_open: Callable[..., Open]
) -> None:
    run = open_run()
    for _ in range(3):  # each thing that is heard keeps it for as long again
        clock.seconds += SESSION_IDLE_SECONDS
        refused = refusal(lambda: run.host.handle(Packet(1, make_open())))
        assert refused.code == "session_busy"
        assert run.session not in refused.message, "whoever asks is not told what suffices to close it"
        run.train([[0]])
    clock.seconds += SESSION_IDLE_SECONDS - 1
    run.progress.heard_of_session()  # what a ping does
    clock.seconds += SESSION_IDLE_SECONDS - 1
    assert refusal(lambda: run.host.handle(Packet(1, make_open()))).code == "session_busy"


def test_the_owner_of_a_session_replaces_it_at_once(
    clock: SimpleNamespace, open_run: Callable[..., Any], make_open: Callable[..., Open]
) -> None:
    run = open_run(owner="secret")
    for other in (None, "another"):
        assert refusal(lambda owner=other: run.host.handle(Packet(1, make_open(owner=owner)))).code == "session_busy"
    run.train([[0]])
    opened = run.host.handle(Packet(2, make_open(owner="secret"))).packet()
    assert refusal(lambda: run.train([[0]])).code == "unknown_session"
    run.session, run.step = opened.body.session, 0
    run.train([[0]])


def test_nobody_owns_a_session_that_was_opened_without_an_owner(
    clock: SimpleNamespace, open_run: Callable[..., Any], make_open: Callable[..., Open]
) -> None:
    run = open_run()
    for owner in (None, "secret"):
        assert refusal(lambda owner=owner: run.host.handle(Packet(1, make_open(owner=owner)))).code == "session_busy"


def test_a_session_that_was_not_heard_of_is_given_up(
    clock: SimpleNamespace, open_run: Callable[..., Any], make_open: Callable[..., Open]
) -> None:
    run = open_run()
    clock.seconds += SESSION_IDLE_SECONDS + 1
    opened = run.host.handle(Packet(1, make_open())).packet()
    assert opened.body.session != run.session
    assert refusal(lambda: run.train([[0]])).code == "unknown_session"


def test_a_refused_open_leaves_the_session_alone(
    open_run: Callable[..., Any], make_open: Callable[..., Open], batches: list[list[int]]
) -> None:
    run, undisturbed = open_run(), open_run()
    refusal(lambda: run.host.handle(Packet(1, make_open())))
    assert np.array_equal(run.losses(batches), undisturbed.losses(batches))


def test_a_closed_session_is_unknown_and_another_may_be_opened(
    open_run: Callable[..., Any], make_open: Callable[..., Open]
) -> None:
    run = open_run()
    assert run.close().body.type == "close_ok"
    for ask in (lambda: run.train([[0]]), lambda: run.look("test", [0], ["loss"]), run.close):
        assert refusal(ask).code == "unknown_session"
    assert run.progress.session is None
    assert run.host.handle(Packet(1, make_open())).packet().body.session != run.session


def test_progress_is_told(open_run: Callable[..., Any], clock: SimpleNamespace) -> None:
    run = open_run()
    assert (run.progress.session, run.progress.step, run.progress.seconds_since_progress) == (run.session, 0, 0)
    clock.seconds += 5
    assert run.progress.seconds_since_progress == 5
    run.train([[0], [1]])
    assert (run.progress.step, run.progress.seconds_since_progress) == (2, 0)


@pytest.mark.parametrize("how", ["train", "score"])
def test_progress_is_told_at_the_start_and_with_each_batch(
    open_run: Callable[..., Any], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    run = open_run()
    seen: list[tuple[int, float]] = []
    real = SignalBuffer.write

    def write(*arguments: Any) -> None:
        seen.append((run.progress.step, run.progress.seconds_since_progress))
        clock.seconds += 7  # each batch takes so long
        real(*arguments)

    monkeypatch.setattr(SignalBuffer, "write", write)
    clock.seconds += 100
    if how == "train":
        run.train([[0], [1], [2]])
    else:
        run.look("score", [0, 1, 2], ["loss"], batch_size=1)
    steps = [0, 1, 2] if how == "train" else [0, 0, 0]
    assert seen == [(step, 0) for step in steps]
    assert run.progress.seconds_since_progress == 0


# --- steps


def same(answer: Packet, other: Packet) -> bool:
    arrays = {name: array.tobytes() for name, array in answer.arrays.items()}
    return answer.body == other.body and arrays == {name: array.tobytes() for name, array in other.arrays.items()}


def test_a_chunk_at_the_sessions_step_is_trained(open_run: Callable[..., Any]) -> None:
    run = open_run()
    answer = run.train([[3, 1], [2]])
    assert (answer.id, answer.body.session, answer.body.first_step) == (7, run.session, 0)
    assert answer.body.batches_done == 2
    assert answer.body.indices_sha256 == sha256(np.array([3, 1, 2], "<u4").tobytes())
    assert answer.body.seconds > 0
    assert run.train([[0]]).body.first_step == 2


def test_the_last_four_answers_are_given_again_without_training(open_run: Callable[..., Any]) -> None:
    run = open_run()
    packets, answers = [], []
    for batch in range(5):
        packets.append(run.train_packet([[batch], [batch + 1]], first_step=2 * batch))
        answers.append(run.ask(packets[-1]))
    state = run.state()
    for packet, answer in zip(packets[1:], answers[1:], strict=True):
        assert same(run.ask(packet), answer)
    assert all(torch.equal(state[key], tensor) for key, tensor in run.state().items())
    forgotten = refusal(lambda: run.ask(packets[0]))
    assert (forgotten.code, forgotten.details["step"]) == ("step_conflict", 10)
    run.step = 10
    assert run.train([[0]]).body.batches_done == 1


def test_other_batches_at_an_earlier_step_are_a_conflict(open_run: Callable[..., Any]) -> None:
    run = open_run()
    run.train([[0], [1]])
    for other in (
        run.train_packet([[0], [2]], first_step=0),
        run.train_packet([[0], [1]], 0.06, first_step=0),
        run.train_packet([[0], [1]], weights=[1.0, 1.0], first_step=0),
        run.train_packet([[1]], first_step=1),  # within a chunk
    ):
        refused = refusal(lambda other=other: run.ask(other))
        assert (refused.code, refused.details["step"]) == ("step_conflict", 2)


def test_a_later_step_is_a_gap(open_run: Callable[..., Any]) -> None:
    run = open_run()
    refused = refusal(lambda: run.ask(run.train_packet([[0]], first_step=1)))
    assert (refused.code, refused.details["step"]) == ("step_gap", 0)
    assert "step 1" in refused.message
    assert "step 0" in refused.message


def test_a_refused_chunk_fails_those_queued_behind_it(open_run: Callable[..., Any]) -> None:
    run = open_run()
    assert refusal(lambda: run.ask(run.train_packet([[0], [64]], first_step=0))).code == "bad_index"
    assert refusal(lambda: run.ask(run.train_packet([[0]], first_step=2))).code == "step_gap"
    assert run.train([[0]]).body.batches_done == 1


def test_a_cancelled_chunk_says_how_far_it_came_and_can_be_gone_on_from(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, batches: list[list[int]]
) -> None:
    whole, run = open_run(), open_run()
    expected = whole.losses(batches)
    asked = iter([False, False, True])
    monkeypatch.setattr(run.progress, "should_stop", lambda: next(asked))
    first = run.train(batches)
    assert first.body.batches_done == 2
    assert first.body.indices_sha256 == sha256(np.array(batches[0] + batches[1], "<u4").tobytes())
    monkeypatch.setattr(run.progress, "should_stop", lambda: False)
    behind = run.train_packet([[0]], first_step=len(batches))
    assert refusal(lambda: run.ask(behind)).details == {"step": 2}
    rest = run.losses(batches[2:])
    assert np.array_equal(np.concatenate([first.arrays["loss"], rest]), expected)


def test_a_chunk_cancelled_before_it_began_may_be_sent_again(open_run: Callable[..., Any]) -> None:
    run = open_run()
    run.progress.cancelled.set()
    nothing = run.train([[0, 1]])
    assert (nothing.body.batches_done, nothing.arrays["loss"].shape) == (0, (0,))
    assert nothing.body.indices_sha256 == sha256(b"")
    run.progress.cancelled.clear()
    assert run.train([[0, 1]]).body.batches_done == 1


def test_a_resent_chunk_asked_for_in_another_way_is_a_conflict(open_run: Callable[..., Any]) -> None:
    run = open_run()
    first = run.train([[0, 1], [2]])
    assert same(run.ask(run.train_packet([[0, 1], [2]], first_step=0)), first)
    average = {"average": Average(from_step=0, decay=None)}
    for other in ({"signals": ["loss", "correct"]}, {"signals": ["correct"]}, {"micro_batch": 1}, average):
        resent = run.train_packet([[0, 1], [2]], first_step=0, **other)
        assert refusal(lambda packet=resent: run.ask(packet)).code == "step_conflict"


class Later:
    """Stands in for the device's answer: what `arrays` finds is set by the test."""

    def __init__(self, download: Any, error: Exception | None = None) -> None:
        self.download = download
        self.error = error

    @property
    def ready(self) -> bool:
        self.arrays()
        return True

    def wait(self) -> None:
        raise AssertionError("nobody waits here")

    def arrays(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.download.arrays()


def train_later(run: Any, packet: Packet, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Later]:
    """Starts a chunk; its answer, and what the device will say."""
    made: list[Later] = []
    real = training.Download

    def download(*arguments: Any) -> Later:
        made.append(Later(real(*arguments)))
        return made[0]

    with monkeypatch.context() as patched:
        patched.setattr(training, "Download", download)
        answer = run.host.handle(packet)
    return answer, made[0]


@pytest.mark.parametrize("ask", ["ready", "packet"])
def test_an_error_found_while_waiting_for_a_chunk_fails_the_session(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    run = open_run()
    run.train([[3]])
    packet = run.train_packet([[0]])
    answer, device = train_later(run, packet, monkeypatch)
    device.error = RuntimeError("CUDA error: the device fell off")
    with pytest.raises(RuntimeError, match="fell off"):
        getattr(answer, ask)()
    for late in (packet, run.train_packet([[1]], first_step=2)):  # neither the kept answer nor anything new
        refused = refusal(lambda packet=late: run.ask(packet))
        assert refused.code == "session_failed"
        assert "fell off" in refused.message
    assert list(run.host._session._given) == [0]
    assert run.close().body.type == "close_ok"


def test_chunks_started_behind_a_failed_one_fail_and_the_one_before_it_is_answered(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run()
    answers = [train_later(run, run.train_packet([[step]], first_step=step), monkeypatch) for step in range(3)]
    answers[1][1].error = RuntimeError("fell off")
    with pytest.raises(RuntimeError, match="fell off"):
        answers[1][0].packet()
    assert refusal(answers[2][0].ready).code == "session_failed"
    assert refusal(answers[2][0].packet).code == "session_failed"
    assert answers[0][0].packet().body.batches_done == 1


def test_after_an_error_within_a_chunk_the_session_answers_nothing_but_close(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run()
    run.train([[0]])
    before = run.train_packet([[0]], first_step=0)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the device fell off")

    with monkeypatch.context() as broken:
        broken.setattr(session_module, "train_chunk", fail)
        with pytest.raises(RuntimeError, match="fell off"):
            run.train([[1]])
    for ask in (
        lambda: run.train([[1]]),
        lambda: run.train([[1]], first_step=5),
        lambda: run.ask(before),
        lambda: run.look("score", [0], ["loss"]),
        lambda: run.look("test", [0], ["loss"]),
        lambda: run.ask(Packet(8, Images(session=run.session, part="train"), {"indices": np.zeros(1, np.uint32)})),
    ):
        refused = refusal(ask)
        assert refused.code == "session_failed"
        assert "fell off" in refused.message
    assert run.close().body.type == "close_ok"


# --- what is refused before anything is trained


def test_arrays_that_are_not_those_hashed_are_refused(open_run: Callable[..., Any]) -> None:
    run = open_run()
    packet = run.train_packet([[0, 1]], sha256="0" * 64)
    assert refusal(lambda: run.ask(packet)).code == "hash_mismatch"
    packet = run.train_packet([[0, 1]])
    changed = {**packet.arrays, "indices": np.array([0, 2], np.uint32)}
    assert refusal(lambda: run.ask(Packet(1, packet.body, changed))).code == "hash_mismatch"


def test_the_hash_is_over_the_protocols_order_not_that_of_the_frames(open_run: Callable[..., Any]) -> None:
    run = open_run()
    packet = run.train_packet([[0, 1]], weights=[1.0, 2.0])
    turned = dict(reversed(list(packet.arrays.items())))
    assert run.ask(Packet(1, packet.body, turned)).body.batches_done == 1


def array(values: list[Any], dtype: Any) -> np.ndarray[Any, Any]:
    return np.array(values, dtype)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"indices": array([0, 1, 64], np.uint32)}, "index 64 is outside of 0 … 63"),
        ({"indices": array([0, 1, 2**32 - 1], np.uint32)}, "4294967295"),
        ({"offsets": array([1, 2, 3], np.uint32)}, "rise from 0"),
        ({"offsets": array([0, 2, 4], np.uint32)}, "to the 3 indices"),
        ({"offsets": array([0, 2, 2], np.uint32)}, "to the 3 indices"),
        ({"offsets": array([0, 3, 3], np.uint32)}, "no batch empty"),
        ({"offsets": array([0, 2**32 - 1, 3], np.uint32)}, "rise"),
        ({"offsets": array([0, 3], np.uint32)}, "2 offsets for 2 learning rates"),
        ({"offsets": array([], np.uint32)}, "0 offsets"),
        ({"offsets": array([0], np.uint32), "learning_rates": array([], float)}, "1 offsets for 0"),
        ({"indices": array([], np.uint32)}, "to the 0 indices"),
        ({"learning_rates": array([0.1, np.nan], float)}, "learning rate"),
        ({"learning_rates": array([np.inf, 0.1], float)}, "learning rate"),
        ({"learning_rates": array([-0.1, 0.1], float)}, "learning rate"),
        ({"learning_rates": array([0.1, 1e39], float)}, "learning rate of batch 1 is 1e.39; 0 … 3.4e.38 is expected"),
        ({"weights": array([1, 1], np.float32)}, "2 weights for 3 indices"),
        ({"weights": array([1, 1, np.nan], np.float32)}, "weight is negative or not finite"),
        ({"weights": array([1, 1, np.inf], np.float32)}, "weight is negative or not finite"),
        ({"weights": array([1, 1, -1], np.float32)}, "weight is negative or not finite"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_before_anything_is(
    open_run: Callable[..., Any], changes: dict[str, Any], text: str
) -> None:
    run = open_run()
    before = run.state()
    packet = run.train_packet([[0, 1], [2]])
    arrays = {**packet.arrays, **changes}
    body = msgspec.structs.replace(packet.body, sha256=sha256(b"".join(part.tobytes() for part in arrays.values())))
    with pytest.raises(BackendError, match=text) as refused:
        run.ask(Packet(1, body, arrays))
    assert refused.value.code == "bad_index"
    assert all(torch.equal(before[key], tensor) for key, tensor in run.state().items())
    assert run.train([[0, 1], [2]]).body.batches_done == 2


def test_augmentation_is_that_of_the_open(open_run: Callable[..., Any]) -> None:
    plain = open_run().losses([[0, 1, 2]], 0.0)
    for augmentation in (Augmentation(crop=2, flip=False), Augmentation(crop=0, flip=True)):
        assert not np.array_equal(open_run(augmentation=augmentation).losses([[0, 1, 2]], 0.0), plain)


def test_an_error_for_want_of_memory_keeps_nothing_of_what_was_computed(
    open_run: Callable[..., Any], own_model: Callable[..., Named]
) -> None:
    """Though the user's code keeps the error."""
    held: list[weakref.ref[torch.Tensor]] = []
    kept: list[Exception] = []

    class Hungry(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(144, 3))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            computed = images.flatten(1) @ self.weight
            held.append(weakref.ref(computed))
            try:
                raise torch.OutOfMemoryError
            except torch.OutOfMemoryError as error:
                kept.append(error)
                raise

    run = open_run(model=own_model(lambda *_: Hungry()))
    try:
        run.losses([[1, 2, 3]])
    except Exception as error:
        body = error_packet(1, error).body
    assert (body.code, len(kept)) == ("out_of_memory", 1)
    assert [reference() for reference in held] == [None]


# --- relabel


def relabel(run: Any, indices: list[int], labels: list[int]) -> Any:
    arrays = {"indices": np.array(indices, np.uint32), "labels": np.array(labels, np.uint32)}
    return run.host.handle(Packet(2, Relabel(session=run.session), arrays)).packet()


def test_other_labels_are_trained_on_and_scored_and_those_of_the_dataset_evaluated(
    open_run: Callable[..., Any], tiny: SimpleNamespace
) -> None:
    own = tiny.grey.train.labels[:4].tolist()
    others = [(label + 1) % 3 for label in own]
    indices = np.arange(4, dtype=np.uint32)

    def looked(message: Any) -> Any:
        return run.host.handle(Packet(3, message, {"indices": indices})).packet().arrays["loss"]

    run = open_run()
    score = Score(session=run.session, signals=["loss"], batch_size=4)
    evaluate = Evaluate(
        session=run.session, signals=["loss"], batch_size=4, part="train", norm="running", weights="last"
    )
    clean = looked(evaluate)
    relabel(run, [0, 1, 2, 3], others)
    scored = looked(score)
    assert np.array_equal(looked(evaluate), clean)
    assert np.all(scored != clean)
    assert np.allclose(run.train([[0, 1, 2, 3]]).arrays["loss"], scored)
    logits_differ = np.exp(-clean) + np.exp(-scored)
    assert np.all(logits_differ < 1)


def test_labels_that_come_again_replace_the_first_ones(open_run: Callable[..., Any], tiny: SimpleNamespace) -> None:
    run, plain = open_run(), open_run()
    label = int(tiny.grey.train.labels[0])
    relabel(run, [0], [(label + 1) % 3])
    relabel(run, [], [])
    score = {"indices": np.zeros(1, np.uint32)}
    losses = [
        one.host.handle(Packet(3, Score(session=one.session, signals=["loss"], batch_size=4), score)).packet()
        for one in (run, plain)
    ]
    assert losses[0].arrays["loss"] == losses[1].arrays["loss"]


def test_labels_are_refused_that_do_not_fit_or_come_late(open_run: Callable[..., Any]) -> None:
    run = open_run()
    assert refusal(lambda: relabel(run, [0, 1], [1])).code == "bad_array"
    assert refusal(lambda: relabel(run, [64], [1])).code == "bad_index"
    assert refusal(lambda: relabel(run, [0], [3])).code == "bad_index"
    assert refusal(lambda: relabel(run, [5, 0, 5], [1, 1, 2])).code == "bad_index"
    run.train([[0, 1]])
    assert refusal(lambda: relabel(run, [0], [1])).code == "step_conflict"


def test_weights_have_a_seed_of_their_own_where_one_is_named(open_run: Callable[..., Any]) -> None:
    noisy = Named(name="mnist-cnn", options={"conv_dropout": 0.5, "fc_dropout": 0.5})

    def started(**seeds: int) -> tuple[str, list[float]]:
        run = open_run(model=noisy, **seeds)
        return run.opened.body.initial_weights_sha256, run.losses([[0, 1, 2, 3]]).tolist()

    (weights, losses), (same, otherwise) = started(seed=1), started(seed=2, model_seed=1)
    assert weights == same
    assert losses != otherwise
    assert started(seed=1, model_seed=1) == (weights, losses)
    assert started(seed=1, model_seed=2)[0] == started(seed=2)[0] != weights
