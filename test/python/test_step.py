"""Recorded steps against eager ones, and what is recorded when. A CUDA graph's own tests are in test/cuda."""

from __future__ import annotations

import hashlib
import inspect
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from py_backend import device, generators, opening, recordable, step
from py_backend.codec import Packet
from py_backend.messages import Augmentation, Average, Chosen, Load, Named, Save
from py_backend.references import importing

OpenRun = Callable[..., Any]
HERE = Path(__file__).parent / "references"
SGD = Named(name="sgd", options={"momentum": 0.9, "nesterov": True, "weight_decay": 0.01})
NOISY = Named(name="mnist-cnn", options={})
FASHION = Named(name="fashion-mnist-cnn", options={"padding": "same"})


class Tape(TorchDispatchMode):
    """A recording as a CUDA graph is one, on the CPU: the operations of torch alone are done again, none of Python's.

    Each is taken down with what it read and wrote. Playing it runs the same operations on the same memory, with the
    same numbers. What was written while it was made is put back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Any, Any, list[Any]]] = []
        self._written: list[tuple[Tensor, Tensor]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = [*zip((argument.name for argument in func._schema.arguments), args, strict=False), *kwargs.items()]
        writes = {
            argument.name for argument in func._schema.arguments if (info := argument.alias_info) and info.is_write
        }
        if func.overloadpacket is torch.ops.aten.native_batch_norm:
            writes |= {"running_mean", "running_var"}  # which its schema does not say
        for name, value in given:
            written = tree_flatten(value)[0] if name in writes else []
            self._written += [(tensor, tensor.clone()) for tensor in written if isinstance(tensor, Tensor)]
        outputs = func(*args, **kwargs)
        is_view = any(returned.alias_info and not returned.alias_info.is_write for returned in func._schema.returns)
        if not is_view:
            fresh = [] if any(returned.alias_info for returned in func._schema.returns) else tree_flatten(outputs)[0]
            self.operations.append((func, args, kwargs, fresh))
        return outputs

    def put_back(self) -> None:
        for tensor, before in reversed(self._written):
            tensor.copy_(before)
        self._written.clear()

    @torch.no_grad()
    def play(self) -> None:
        for func, args, kwargs, outputs in self.operations:
            again = tree_flatten(func(*args, **kwargs))[0]
            for output, value in zip(outputs, again, strict=False):
                if isinstance(output, Tensor):
                    output.copy_(value)


class Recorder:
    """What device.recorder gives on CUDA. played: how many times a recording was done again."""

    def __init__(self) -> None:
        self.made = 0
        self.played = 0

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        tape, generator = Tape(), torch.get_rng_state()
        with tape:
            work()
        with torch.no_grad():
            tape.put_back()
        torch.set_rng_state(generator)
        self.made += 1

        def play() -> None:
            self.played += 1
            tape.play()

        return play


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(HERE))
    importing.allow(["step_models"])
    yield
    importing.allow([])


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """The backend records from now on, as on CUDA."""
    made = Recorder()
    monkeypatch.setattr(opening, "recorder", lambda _device: made)
    return made


def batches_of(sizes: list[int], first: int = 0) -> list[list[int]]:
    """Of the 40 samples of the tiny datasets, in turn."""
    order = itertools.cycle(np.random.default_rng(first).permutation(40).tolist())
    return [[next(order) for _ in range(size)] for size in sizes]


def bytes_of(run: Any) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in run.state().items()}


@pytest.mark.parametrize(
    ("model", "optimizer", "dataset", "precision", "weighted"),
    [
        (NOISY, SGD, "tiny1", "float32", True),
        (NOISY, Named(name="sgd", options={}), "tiny3", "bfloat16", False),
        (FASHION, Named(name="adam", options={"weight_decay": 0.01}), "tiny3", "float32", False),
        (FASHION, Named(name="adamw", options={}), "tiny1", "bfloat16", True),
        (Named(name="resnet18", options={}), SGD, "tiny3", "float32", False),
    ],
)
def test_recorded_steps_give_the_bits_of_eager_ones(
    open_run: OpenRun,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    model: Named,
    optimizer: Named,
    dataset: str,
    precision: str,
    weighted: bool,
) -> None:
    sizes = [8] * 7 + [3] + [8] * 2
    rates = np.linspace(0.05, 0.01, len(sizes)).tolist()
    weights = np.random.default_rng(1).uniform(0.5, 2, sum(sizes)).tolist() if weighted else None
    signals = ["loss", "prediction", "entropy"]

    def trained() -> tuple[Any, list[bytes]]:
        run = open_run(
            model=model,
            dataset=Named(name=dataset, options={}),
            optimizer=optimizer,
            augmentation=Augmentation(crop=2, flip=True),
            precision=precision,
        )
        before = recorder.played
        answer = run.train(batches_of(sizes), rates, weights=weights, signals=signals)
        return recorder.played - before, [answer.arrays[name].tobytes() for name in signals] + [*bytes_of(run).values()]

    played, recorded = trained()
    monkeypatch.setattr(step, "WARM_UP_STEPS", 1000)
    eagerly_played, eager = trained()
    assert (played, eagerly_played) == (6, 0)
    assert recorded == eager


def test_cutting_a_run_into_other_messages_changes_no_bit(open_run: OpenRun, recorder: Recorder) -> None:
    sizes = [6] * 12
    whole, cut = open_run(model=NOISY, optimizer=SGD), open_run(model=NOISY, optimizer=SGD)
    losses = whole.losses(batches_of(sizes), [*np.linspace(0.1, 0.01, 12)])
    parts = [
        cut.losses(batches_of(sizes)[start:end], [*np.linspace(0.1, 0.01, 12)[start:end]])
        for start, end in itertools.pairwise([0, 1, 5, 6, 12])
    ]
    assert np.concatenate(parts).tobytes() == losses.tobytes()
    assert bytes_of(cut) == bytes_of(whole)
    assert recorder.played > 0


def test_a_run_that_is_resumed_goes_on_with_the_same_bits(open_run: OpenRun, recorder: Recorder) -> None:
    adam = Named(name="adam", options={})
    whole, first = open_run(model=NOISY, optimizer=adam), open_run(model=NOISY, optimizer=adam)
    average = Average(from_step=2, decay=0.5)
    whole.train(batches_of([6] * 12), 0.01, average=average)
    first.train(batches_of([6] * 12)[:7], 0.01, average=average)
    saved = first.ask(Packet(20, Save(session=first.session, step=7, part=0))).arrays["bytes"]
    second = open_run(model=NOISY, optimizer=adam)
    sha256 = hashlib.sha256(saved.tobytes()).hexdigest()
    load = Load(session=second.session, step=7, part=0, parts=1, sha256=sha256)
    second.session, second.step = second.ask(Packet(21, load, {"bytes": saved})).body.session, 7
    second.train(batches_of([6] * 12)[7:], 0.01, average=average)
    assert bytes_of(second) == bytes_of(whole)


def test_fused_updates_are_those_of_plain_pytorch(open_run: OpenRun, recorder: Recorder) -> None:
    for optimizer in (SGD, Named(name="adam", options={"weight_decay": 0.01}), Named(name="adamw", options={})):
        fast, plain = (open_run(model=NOISY, optimizer=optimizer, fast=fast) for fast in (True, False))
        ours, theirs = (run.losses(batches_of([8] * 12), 0.01) for run in (fast, plain))
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    settings = [run.opened.body.settings for run in (fast, plain)]
    assert [(s.fused_updates, s.recorded_steps) for s in settings] == [(True, True), (False, False)]


def test_on_the_cpu_nothing_is_recorded(open_run: OpenRun) -> None:
    settings = open_run().opened.body.settings
    assert (settings.fused_updates, settings.recorded_steps) == (False, False)
    assert device.recorder(device.resolve("cpu")) is None


def test_micro_batches_are_launched_one_by_one(open_run: OpenRun, recorder: Recorder) -> None:
    run = open_run(optimizer=SGD)
    before = recorder.played
    run.train(batches_of([8] * 8), micro_batch=3)
    assert recorder.played == before


def test_the_sizes_that_come_most_are_recorded(open_run: OpenRun, recorder: Recorder) -> None:
    run = open_run(optimizer=SGD)
    steps = run.host._session._steps
    run.train(batches_of([4] * 4))
    assert steps.recorded == [4]
    run.train(batches_of([5, 6, 7, 8, 9] * 4))  # none is a third of what came lately
    assert steps.recorded == [4]
    run.train(batches_of([6] * 20))
    assert steps.recorded == [4, 6]
    run.train(batches_of([3] * 64))
    assert steps.recorded == [6, 3]
    assert run.train(batches_of([4] * 3)).body.batches_done == 3


def test_after_a_step_that_cannot_be_recorded_all_are_eager(
    open_run: OpenRun, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run, eager = open_run(model=NOISY), open_run(model=NOISY)
    monkeypatch.setattr(run.host._session._steps, "_record", fail)
    monkeypatch.setattr(eager.host._session._steps, "_record", None)
    ours, theirs = (one.losses(batches_of([8] * 10)) for one in (run, eager))
    assert ours.tobytes() == theirs.tobytes()
    assert bytes_of(run) == bytes_of(eager)
    run.train(batches_of([8] * 2))
    lines = [line for line in capfd.readouterr().err.splitlines() if "recorded" in line]
    assert lines == [
        "py_backend: a step of 8 samples cannot be recorded: no more memory; steps are launched one operation at a "
        "time from now on"
    ]


def test_weighted_and_unweighted_steps_of_one_size_are_recorded_apart(
    open_run: OpenRun, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained() -> tuple[int, dict[str, bytes]]:
        run = open_run(model=NOISY, optimizer=SGD)
        for weights in (None, [0.5, 2.0] * 20, None, [3.0, 0.25] * 20):
            run.train(batches_of([8] * 5), weights=weights)
        return len(run.host._session._steps.recorded), bytes_of(run)

    recorded = trained()
    monkeypatch.setattr(step, "WARM_UP_STEPS", 1000)
    eager = trained()
    assert (recorded[0], eager[0]) == (2, 0)
    assert recorded[1] == eager[1]


def test_a_model_of_the_users_that_fails_while_it_is_recorded_is_trained_eagerly(
    open_run: OpenRun, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run = open_run(model=own("Draws"))

    def record(work: Callable[[], None]) -> Callable[[], None]:
        with monkeypatch.context() as patched:
            patched.setattr(type(run.model), "forward", lambda _self, _x: 1 / 0)
            work()
        raise AssertionError("nothing failed")

    monkeypatch.setattr(run.host._session._steps, "_record", record)
    assert run.train(batches_of([8] * 8)).body.batches_done == 8
    assert "cannot be recorded: division by zero" in capfd.readouterr().err


def test_the_trial_draws_from_no_generator(open_run: OpenRun, recorder: Recorder) -> None:
    before = generators.states(device.resolve("cpu"))
    open_run(model=own("Draws"))
    assert generators.drawn(before, generators.states(device.resolve("cpu"))) == []


def test_complex_parameters_are_left_to_plain_pytorch(open_run: OpenRun, recorder: Recorder) -> None:
    settings = open_run(model=own("Phases")).opened.body.settings
    assert (settings.fused_updates, settings.recorded_steps) == (False, False)


def fail(_work: Callable[[], None]) -> Callable[[], None]:
    raise RuntimeError("no more memory\nand much more")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("CountsSteps", "model.steps changed while a copy was trained, which only Python sees"),
        ("DrawsInPython", "it draws from Python's generators"),
        ("Gate", "it draws from Python's generators"),
        ("KeepsAMean", "recorded steps left other values in model.mean than eager ones"),
    ],
)
def test_a_model_that_depends_on_python_is_not_recorded(
    open_run: OpenRun, recorder: Recorder, name: str, reason: str
) -> None:
    fast = open_run(model=own(name), optimizer=SGD)
    assert fast.opened.body.settings.recorded_steps is False
    line = f"step_models:{name}: its steps are launched one operation at a time: {reason}"
    assert line in fast.opened.body.notices
    played = recorder.played
    fast.train(batches_of([8] * 8))
    assert recorder.played == played


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("optimizer", [SGD, Named(name="sgd", options={}), Named(name="adam", options={})])
def test_a_recording_that_leaves_out_the_update_is_noticed(
    open_run: OpenRun, monkeypatch: pytest.MonkeyPatch, optimizer: Named, precision: str
) -> None:
    def without_update(work: Callable[[], None]) -> Callable[[], None]:
        learner = inspect.getclosurevars(work).nonlocals["learner"]
        monkeypatch.setattr(learner.optimizer, "step", lambda: None)
        return work

    monkeypatch.setattr(opening, "recorder", lambda _device: without_update)
    opened = open_run(model=FASHION, optimizer=optimizer, precision=precision).opened.body
    assert opened.settings.recorded_steps is False
    assert any("than eager ones" in line for line in opened.notices)


def test_a_model_that_draws_on_the_host_is_not_recorded(
    open_run: OpenRun, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As layers that are left out by `torch.rand(1)`, which a GPU's recording does not draw again."""
    monkeypatch.setattr(recordable, "of_device", lambda _cpu: generators.of_device(torch.device("cuda", 0)))
    opened = open_run(model=own("Draws"), optimizer=SGD).opened.body
    assert opened.settings.recorded_steps is False
    assert any("it draws from torch's generators" in line for line in opened.notices)


def test_a_parameter_whose_gradient_comes_late_is_updated_as_by_plain_pytorch(
    open_run: OpenRun, recorder: Recorder
) -> None:
    states = []
    for fast in (True, False):
        run = open_run(model=own("Gate"), optimizer=SGD, fast=fast)
        start = run.state()
        run.train(batches_of([8] * 12), 0.01)
        assert all(not torch.equal(tensor, start[name]) for name, tensor in run.state().items())
        states.append(run.state())
    for name, tensor in states[0].items():
        torch.testing.assert_close(tensor, states[1][name], rtol=1e-5, atol=1e-6)


def test_sparse_gradients_are_left_to_plain_pytorch(open_run: OpenRun, recorder: Recorder) -> None:
    run = open_run(model=own("Words"), optimizer=Named(name="sgd", options={"momentum": 0.0}))
    assert run.opened.body.settings.fused_updates is False
    assert run.train(batches_of([8] * 8)).body.batches_done == 8


def test_a_loss_that_keeps_what_it_saw_is_tried_as_a_copy(open_run: OpenRun, recorder: Recorder) -> None:
    run = open_run(loss=Named(name="step_models:Counting", options={"args": "{}"}))
    assert run.host._session._learner.loss.seen.item() == 0


def test_what_was_raised_first_is_told() -> None:
    with pytest.raises(ValueError, match="last") as caught:
        try:
            raise RuntimeError("first\nand more")
        except RuntimeError:
            raise ValueError("last")  # noqa: B904
    assert step.first_line(caught.value) == "first"


def own(name: str) -> Chosen:
    return Chosen(origin="import", name=f"step_models:{name}", options={"args": "{}"})


def test_a_model_of_the_users_is_recorded(open_run: OpenRun, recorder: Recorder) -> None:
    run = open_run(model=own("Draws"), optimizer=SGD)
    assert run.opened.body.settings.recorded_steps is True
