"""`save` and `load`: against torch's own saving, and against training that nothing happened to."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from py_backend import loading, opening, saving, session
from py_backend.choice import NoOptions
from py_backend.codec import Packet
from py_backend.errors import BackendError
from py_backend.messages import Augmentation, Chosen, Imported, Load, Named, Save
from py_backend.models.contract import ModelDefinition
from py_backend.optimizers import OPTIMIZERS

ADAM = Named(name="adam", options={"weight_decay": 0.01})
NOISY = Named(name="mnist-cnn", options={"conv_dropout": 0.25, "fc_dropout": 0.5})


class SmallNet(nn.Module):
    """Convolutions whose weights lie channels last, and BatchNorm."""

    def __init__(self, *_: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.narrow = nn.Conv2d(4, 8, 3, stride=2, bias=False)
        self.pointwise = nn.Conv2d(8, 8, 1)
        self.norm2 = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.norm(self.conv(images)))
        return self.fc(F.relu(self.norm2(self.pointwise(self.narrow(x)))).mean((2, 3)))


def save(run: Any, step: int | None = None) -> tuple[bytes, list[Any]]:
    """All parts joined, and their bodies."""
    bodies: list[Any] = []
    content = b""
    while not bodies or len(bodies) < bodies[0].parts:
        answer = run.ask(save_packet(run, len(bodies), step))
        part = answer.arrays["bytes"].tobytes()
        assert answer.body.sha256 == hashlib.sha256(part).hexdigest()
        content += part
        bodies.append(answer.body)
    assert len(content) == bodies[0].total_bytes
    return content, bodies


def save_packet(run: Any, part: int = 0, step: int | None = None) -> Packet:
    return Packet(20, Save(session=run.session, step=run.step if step is None else step, part=part))


def load_packet(run: Any, content: bytes, step: int, part: int = 0, parts: int = 1, **changes: Any) -> Packet:
    fields = {"session": run.session, "step": step, "part": part, "parts": parts}
    body = Load(**{**fields, "sha256": hashlib.sha256(content).hexdigest(), **changes})
    return Packet(21, body, {"bytes": np.frombuffer(content, np.uint8)})


def load(run: Any, content: bytes, step: int, part_bytes: int | None = None) -> None:
    size = part_bytes or loading.PART_BYTES
    cuts = [content[at : at + size] for at in range(0, len(content), size)]
    for part, cut in enumerate(cuts):
        body = run.ask(load_packet(run, cut, step, part, len(cuts))).body
        assert (body.step, body.part) == (step, part)
        assert (body.session == run.session) == (part < len(cuts) - 1)
        run.session = body.session
    run.step = step


def learner(run: Any) -> Any:
    return run.host._session._learner


def optimizer_state(run: Any) -> dict[str, Any]:
    """parameter/key → a copy."""
    names = {id(parameter): name for name, parameter in run.model.named_parameters()}
    state = learner(run).optimizer.state
    return {f"{names[id(p)]}/{key}": copy.deepcopy(v) for p, entry in state.items() for key, v in entry.items()}


def bits(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.dtype, tuple(value.shape), value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return value


def all_bits(run: Any) -> dict[str, Any]:
    return {name: bits(value) for name, value in {**run.state(), **optimizer_state(run)}.items()}


def refusal(ask: Callable[[], Any]) -> BackendError:
    with pytest.raises(BackendError) as refused:
        ask()
    return refused.value


# --- resumed training is the training that nothing happened to


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "momentum": {"optimizer": Named(name="sgd", options={"momentum": 0.9})},
    "nesterov": {"optimizer": Named(name="sgd", options={"momentum": 0.9, "nesterov": True, "weight_decay": 0.01})},
    "no momentum": {"optimizer": Named(name="sgd", options={})},
    "adam": {"optimizer": ADAM},
    "adamw": {"optimizer": Named(name="adamw", options={})},
    "dropout": {"model": NOISY, "optimizer": ADAM},
    "augmentation": {"augmentation": Augmentation(crop=2, flip=True)},
    "bfloat16": {"model": NOISY, "precision": "bfloat16", "optimizer": ADAM},
}


def trajectory(run: Any, batches: list[list[int]], micro_batch: int | None) -> list[Any]:
    """Losses and all of the state behind each batch."""
    seen = []
    for number, batch in enumerate(batches):
        losses = run.losses([batch], 0.01 * (number + 1), micro_batch=micro_batch)
        seen.append((losses.tobytes(), all_bits(run)))
    return seen


@pytest.mark.parametrize("micro_batch", [None, 2])
@pytest.mark.parametrize("case", CASES)
def test_training_goes_on_to_the_bit(
    open_run: Callable[..., Any], batches: list[list[int]], case: str, micro_batch: int | None
) -> None:
    whole = open_run(**CASES[case])
    whole.train(batches[:3], micro_batch=micro_batch)
    content, _ = save(whole)
    expected = trajectory(whole, batches[3:7], micro_batch)
    resumed = open_run(**CASES[case])
    load(resumed, content, 3)
    assert trajectory(resumed, batches[3:7], micro_batch) == expected


@pytest.mark.parametrize("optimizer", [Named(name="sgd", options={"momentum": 0.9}), ADAM])
def test_training_with_batch_norm_goes_on_to_the_bit(
    open_run: Callable[..., Any], own_model: Callable[..., Named], batches: list[list[int]], optimizer: Named
) -> None:
    model = own_model(SmallNet)
    whole = open_run(model=model, optimizer=optimizer)
    whole.train(batches[:2])
    content, _ = save(whole)
    expected = trajectory(whole, batches[2:6], 3)
    resumed = open_run(model=model, optimizer=optimizer)
    load(resumed, content, 2)
    assert trajectory(resumed, batches[2:6], 3) == expected


def test_a_second_save_right_after_a_load_is_the_same_document(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    whole = open_run(model=NOISY, optimizer=ADAM)
    whole.train(batches[:3])
    content, _ = save(whole)
    for _ in range(2):
        resumed = open_run(model=NOISY, optimizer=ADAM)
        load(resumed, content, 3)
        assert save(resumed)[0] == content
    resumed.train(batches[3:5])
    whole.train(batches[3:5])
    assert save(resumed)[0] == save(whole)[0]


def test_a_state_of_step_0_is_loaded_too(open_run: Callable[..., Any], batches: list[list[int]]) -> None:
    content, _ = save(open_run(seed=5))
    resumed = open_run(seed=5)
    load(resumed, content, 0)
    assert trajectory(resumed, batches[:2], None) == trajectory(open_run(seed=5), batches[:2], None)


# --- what is in the document


def test_the_document_has_what_torch_would_have_saved(
    open_run: Callable[..., Any], own_model: Callable[..., Named], batches: list[list[int]], tmp_path: Path
) -> None:
    run = open_run(model=own_model(SmallNet), optimizer=ADAM)
    run.train(batches[:2])
    torch.save((run.model.state_dict(), learner(run).optimizer.state_dict()), tmp_path / "state.pt")
    model_state, optimizer_dict = torch.load(tmp_path / "state.pt")
    found = safetensors.torch.load(save(run)[0])
    expected = {f"model.{name}": tensor for name, tensor in model_state.items()}
    for (name, _), entries in zip(run.model.named_parameters(), optimizer_dict["state"].values(), strict=True):
        expected |= {f"optimizer.{key}.{name}": tensor for key, tensor in entries.items()}
    assert {name: bits(tensor) for name, tensor in found.items()} == {
        name: bits(tensor) for name, tensor in expected.items()
    }
    assert found["model.norm.num_batches_tracked"].dtype == torch.int64


def test_a_save_changes_nothing(open_run: Callable[..., Any], batches: list[list[int]]) -> None:
    saved, other = open_run(model=NOISY, optimizer=ADAM), open_run(model=NOISY, optimizer=ADAM)
    for batch in batches[:3]:
        save(saved)
        assert trajectory(saved, [batch], None) == trajectory(other, [batch], None)


def test_the_optimisers_change_nothing_of_their_groups_but_what_each_batch_brings(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    for name in OPTIMIZERS:
        run = open_run(optimizer=Named(name=name, options={}))

        def groups(run: Any = run) -> list[dict[str, Any]]:
            kept = learner(run).optimizer.param_groups
            return [{key: value for key, value in group.items() if key not in ("lr", "params")} for group in kept]

        before = groups()
        run.train(batches[:3])
        assert groups() == before


@pytest.mark.parametrize("optimizer", [Named(name="sgd", options={"momentum": 0.9}), ADAM])
def test_loaded_tensors_lie_in_memory_as_the_optimiser_would_have_laid_them(
    open_run: Callable[..., Any], own_model: Callable[..., Named], batches: list[list[int]], optimizer: Named
) -> None:
    model = own_model(SmallNet)
    whole = open_run(model=model, optimizer=optimizer)
    whole.train(batches[:1])
    resumed = open_run(model=model, optimizer=optimizer)
    places = {name: tensor.data_ptr() for name, tensor in resumed.model.state_dict().items()}
    load(resumed, save(whole)[0], 1)
    expected = [v.stride() for entry in learner(whole).optimizer.state.values() for v in entry.values()]
    seen = [v.stride() for entry in learner(resumed).optimizer.state.values() for v in entry.values()]
    assert seen == expected
    assert any(len(stride) == 4 and stride[1] == 1 < stride[3] for stride in seen), "some are channels last"
    assert {name: tensor.data_ptr() for name, tensor in resumed.model.state_dict().items()} == places


# --- parts, and what happens between them


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "PART_BYTES", 20_000)
    monkeypatch.setattr(loading, "PART_BYTES", 20_000)


@pytest.mark.usefixtures("small_parts")
def test_a_state_travels_in_parts_while_training_goes_on(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    run, other = open_run(), open_run()
    for each in (run, other):
        each.train(batches[:2])
    expected, bodies = save(other)
    assert bodies[0].parts > 2
    first = run.ask(save_packet(run))
    came = [first.arrays["bytes"].tobytes()]
    for part in range(1, first.body.parts):
        run.train([batches[part % 10]])
        came.append(run.ask(save_packet(run, part, 2)).arrays["bytes"].tobytes())
    assert b"".join(came) == expected
    refused = refusal(lambda: run.ask(save_packet(run, 1, 2)))
    assert refused.code == "step_conflict"
    assert refused.details == {"step": run.step}


def test_a_snapshot_is_of_its_step_though_it_is_answered_later(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    run, other = open_run(optimizer=ADAM), open_run(optimizer=ADAM)
    for each in (run, other):
        each.train(batches[:2])
    answer = run.host.handle(save_packet(run))
    run.train(batches[2:5])
    assert answer.packet().arrays["bytes"].tobytes() == save(other)[0]


@pytest.mark.usefixtures("small_parts")
def test_a_new_part_0_gives_the_state_before_it_up(open_run: Callable[..., Any], batches: list[list[int]]) -> None:
    run = open_run()
    run.ask(save_packet(run))
    run.train(batches[:1])
    run.ask(save_packet(run))
    assert refusal(lambda: run.ask(save_packet(run, 1, 0))).code == "step_conflict"
    assert refusal(lambda: run.ask(save_packet(run, 99))).code == "bad_field"
    assert run.ask(save_packet(run, 1)).body.part == 1


@pytest.mark.parametrize(("step", "code"), [(3, "step_gap"), (1, "step_conflict")])
def test_a_save_of_another_step_is_refused(
    open_run: Callable[..., Any], batches: list[list[int]], step: int, code: str
) -> None:
    run = open_run()
    run.train(batches[:2])
    refused = refusal(lambda: run.ask(save_packet(run, 0, step)))
    assert (refused.code, refused.details) == (code, {"step": 2})


def test_a_state_is_loaded_in_parts_of_any_size_and_a_part_may_come_again(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    whole = open_run(optimizer=ADAM)
    whole.train(batches[:2])
    content, _ = save(whole)
    resumed = open_run(optimizer=ADAM)
    half = len(content) // 2
    resumed.ask(load_packet(resumed, content[:half], 2, 0, 2))
    refused = refusal(lambda: resumed.ask(load_packet(resumed, content[half:], 2, 1, 2, sha256="0" * 64)))
    assert refused.code == "hash_mismatch"
    body = resumed.ask(load_packet(resumed, content[half:], 2, 1, 2)).body
    assert refusal(lambda: resumed.train([[0]])).code == "unknown_session"
    assert resumed.progress.session == body.session
    assert resumed.progress.step == 2
    resumed.session, resumed.step = body.session, 2
    assert all_bits(resumed) == all_bits(whole)
    odd = open_run(optimizer=ADAM)
    load(odd, content, 2, part_bytes=777_7)
    assert all_bits(odd) == all_bits(whole)


def test_parts_out_of_order_are_refused(open_run: Callable[..., Any]) -> None:
    run = open_run()
    content, _ = save(run)
    half = len(content) // 2
    assert refusal(lambda: run.ask(load_packet(run, content[half:], 0, 1, 2))).code == "bad_state"
    run.ask(load_packet(run, content[:half], 0, 0, 2))
    for changes in ({"part": 0, "parts": 3}, {"part": 2}, {"step": 1}):
        step, part, parts = changes.get("step", 0), changes.get("part", 1), changes.get("parts", 2)
        if part == 0:
            continue
        refused = refusal(lambda s=step, p=part, n=parts: run.ask(load_packet(run, content[half:], s, p, n)))
        assert refused.code == "bad_state"
        assert "was due: send from part 0" in refused.message
        run.ask(load_packet(run, content[:half], 0, 0, 2))
    run.ask(load_packet(run, content[half:], 0, 1, 2))


def test_a_session_that_was_trained_takes_no_state(open_run: Callable[..., Any], batches: list[list[int]]) -> None:
    run, other = open_run(), open_run()
    for each in (run, other):
        each.train(batches[:2])
    content, _ = save(run)
    refused = refusal(lambda: run.ask(load_packet(run, content, 2)))
    assert (refused.code, refused.details) == ("step_conflict", {"step": 2})
    assert trajectory(run, batches[2:4], None) == trajectory(other, batches[2:4], None)


# --- what is refused leaves the session as it was


def rewritten(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """With another header over the same bytes."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def without_tensor(content: bytes, name: str) -> bytes:
    tensors = safetensors.torch.load(content)
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    del tensors[name]
    return safetensors.torch.save(tensors, metadata)


def with_tensor(content: bytes, name: str, tensor: Tensor) -> bytes:
    tensors = safetensors.torch.load(content)
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    return safetensors.torch.save({**tensors, name: tensor}, metadata)


def named(header: dict[str, Any], old: str, new: str) -> None:
    header[new] = header.pop(old)


BIAS = "model.fc.bias"

DAMAGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda content: b"", "damaged"),
    "truncated": (lambda content: content[:-1], "damaged"),
    "short": (lambda content: content[: len(content) // 2], "damaged"),
    "a byte too many": (lambda content: content + b"\0", "damaged"),
    "a flipped length": (lambda content: bytes([content[0] ^ 0xFF]) + content[1:], "damaged"),
    "a length beyond all": (lambda content: b"\xff" * 8 + content[8:], "damaged"),
    "a header that is no JSON": (lambda content: content[:8] + b"[" + content[9:], "damaged"),
    "no metadata": (lambda content: rewritten(content, lambda h: h.pop("__metadata__")), "metadata"),
    "a step that is none": (
        lambda content: rewritten(content, lambda h: h["__metadata__"].update(step="x")),
        "expected a number",
    ),
    "another step": (
        lambda content: rewritten(content, lambda h: h["__metadata__"].update(step="7")),
        "it is of step 7; the message says 2",
    ),
    "values that are none": (
        lambda content: rewritten(content, lambda h: h["__metadata__"].update(values='{"a": {"int": 3}}')),
        "values cannot be read",
    ),
    "values that are a list": (
        lambda content: rewritten(content, lambda h: h["__metadata__"].update(values="[1]")),
        "values cannot be read",
    ),
    "a value of no one": (
        lambda content: rewritten(content, lambda h: h["__metadata__"].update(values='{"model.x": 1}')),
        "model.x is not of this session",
    ),
    "another optimiser": (
        lambda content: rewritten(content, lambda h: h["__metadata__"].update(optimizer="torch.optim.lion.Lion")),
        "it is of the optimiser torch.optim.lion.Lion; this session has torch.optim.adam.Adam",
    ),
    "a tensor is missing": (
        lambda content: without_tensor(content, BIAS),
        f"{BIAS} is missing",
    ),
    "the optimiser's is missing": (
        lambda content: without_tensor(content, "optimizer.exp_avg.fc.bias"),
        "optimizer.exp_avg.fc.bias is missing",
    ),
    "a tensor too many": (
        lambda content: with_tensor(content, "model.more", torch.zeros(2)),
        "model.more is not of this session",
    ),
    "another shape": (
        lambda content: with_tensor(content, BIAS, torch.zeros(4)),
        f"{BIAS} is float32 [4]; expected float32 [3]",
    ),
    "another dtype": (
        lambda content: with_tensor(content, BIAS, torch.zeros(3, dtype=torch.float64)),
        f"{BIAS} is float64 [3]; expected float32 [3]",
    ),
    "another shape of the optimiser's": (
        lambda content: with_tensor(content, "optimizer.step.fc.bias", torch.zeros(1)),
        "optimizer.step.fc.bias is float32 [1]; expected float32 []",
    ),
    "far too large": (
        lambda content: with_tensor(content, "model.more", torch.zeros((len(content) + loading.ROOM_BYTES) // 4)),
        "at most",
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_state_is_refused_by_name_and_the_session_trains_on(
    open_run: Callable[..., Any], batches: list[list[int]], damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil, text = DAMAGED[damage]
    monkeypatch.setattr(loading, "ROOM_BYTES", 1 << 16)
    whole = open_run(optimizer=ADAM, seed=2)
    whole.train(batches[:2])
    content, _ = save(whole)
    run, untouched = open_run(optimizer=ADAM, seed=3), open_run(optimizer=ADAM, seed=3)
    refused = refusal(lambda: run.ask(load_packet(run, spoil(content), 2)))
    assert refused.code == "bad_state"
    assert text in refused.message
    assert trajectory(run, batches[:2], None) == trajectory(untouched, batches[:2], None)


def test_a_state_that_was_refused_can_be_followed_by_a_whole_one(
    open_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    whole = open_run(optimizer=ADAM)
    whole.train(batches[:2])
    content, _ = save(whole)
    run = open_run(optimizer=ADAM)
    assert refusal(lambda: run.ask(load_packet(run, content[:-1], 2))).code == "bad_state"
    load(run, content, 2)
    assert trajectory(run, batches[2:4], None) == trajectory(whole, batches[2:4], None)


def test_the_state_of_another_model_is_refused(
    open_run: Callable[..., Any], own_model: Callable[..., Named], batches: list[list[int]]
) -> None:
    whole = open_run(model=own_model(SmallNet))
    whole.train(batches[:1])
    content, _ = save(whole)
    run = open_run()
    refused = refusal(lambda: run.ask(load_packet(run, content, 1)))
    assert refused.code == "bad_state"
    assert "missing" in refused.message


# --- models of the user's own


class Odd(nn.Module):
    """Of every kind of tensor and state that a module may have."""

    def __init__(self, **_: Any) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(144, 8), nn.BatchNorm1d(8), nn.Dropout(0.3))
        self.head = nn.Linear(8, 3, bias=False)
        self.tied = nn.Linear(8, 3, bias=False)
        self.tied.weight = self.head.weight
        self.scalar = nn.Parameter(torch.tensor(1.0))
        self.unused = nn.Parameter(torch.ones(2))
        self.register_buffer("count", torch.tensor(0, dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(2, dtype=torch.float64))
        self.register_buffer("seen", torch.zeros(3, dtype=torch.bool))
        self.register_buffer("short", torch.zeros(2, 2, dtype=torch.bfloat16))
        self.register_buffer("empty", torch.zeros(0, 4))
        self.register_buffer("hidden", torch.zeros(3), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        x = F.dropout(self.body(images), 0.2, self.training)
        if self.training:
            self.count += 1
            self.mean += x.detach().double().mean() / 3
            self.seen[self.count % 3] = True
            self.short += 0.1
            self.hidden += torch.rand(3)
            x = x * (1 + 0.01 * random.random()) * (1 + 0.01 * float(np.random.rand()))
        return (self.head(x) + self.tied(x)) * self.scalar + self.hidden * 0.01


class Extra(nn.Module):
    """With extra state: what it is made of is the test's."""

    def __init__(self, **_: Any) -> None:
        super().__init__()
        self.linear = nn.Linear(144, 3)
        self.kept: Any = None

    def get_extra_state(self) -> Any:
        return self.kept

    def set_extra_state(self, state: Any) -> None:
        self.kept = state

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(images.flatten(1))


@pytest.fixture
def references(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is named is not looked for: the tests put it there."""
    monkeypatch.setattr(opening, "refuse_not_allowed", lambda _: None)
    monkeypatch.setattr(
        session, "describe", lambda name: Imported(reference=name, file=None, version=None, sha256=None)
    )
    monkeypatch.setattr(session, "code_of", lambda _: [])


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch, references: None) -> Callable[[Callable[..., nn.Module]], Chosen]:
    """What `open` names for a model that is built so, as if it had been imported."""

    def put(build: Callable[..., nn.Module]) -> Chosen:
        def definition(name: str) -> ModelDefinition:
            return ModelDefinition(name, "", "", NoOptions, lambda *_: build())

        monkeypatch.setattr(opening.model_reference, "definition", definition)
        return Chosen(origin="import", name="mine:Net", options={})

    return put


class Tilted(nn.Module):
    """A loss that remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.zeros((), dtype=torch.float64))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        losses = F.cross_entropy(logits, labels, reduction="none")
        self.level.mul_(0.9).add_(losses.detach().double().mean())
        return losses * (1 + self.level.float())


@pytest.mark.usefixtures("references")
def test_a_loss_that_remembers_goes_on_to_the_bit(
    open_run: Callable[..., Any], batches: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.loss_reference, "build", lambda *_: Tilted())
    loss = Named(name="mine:Tilted", options={})
    whole = open_run(loss=loss)
    whole.train(batches[:2])
    content, _ = save(whole)
    expected = trajectory(whole, batches[2:4], None)
    resumed = open_run(loss=loss)
    load(resumed, content, 2)
    assert trajectory(resumed, batches[2:4], None) == expected
    assert torch.equal(learner(resumed).loss.level, learner(whole).loss.level)


@pytest.mark.parametrize("optimizer", [Named(name="sgd", options={"momentum": 0.9}), ADAM])
def test_a_model_with_every_kind_of_state_and_noise_goes_on_to_the_bit(
    open_run: Callable[..., Any], imported: Callable[..., Chosen], batches: list[list[int]], optimizer: Named
) -> None:
    whole = open_run(model=imported(Odd), optimizer=optimizer)
    whole.train(batches[:3])
    hidden = whole.model.hidden.clone()
    content, bodies = save(whole)
    assert bodies[0].notices == []
    expected = trajectory(whole, batches[3:6], None)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    resumed = open_run(model=imported(Odd), optimizer=optimizer)
    load(resumed, content, 3)
    assert torch.equal(resumed.model.hidden, hidden)
    assert trajectory(resumed, batches[3:6], None) == expected
    assert torch.equal(resumed.model.hidden, whole.model.hidden)


EXTRA_STATES = [
    None,
    7,
    2**70,
    -(2**64),
    0.1,
    -0.0,
    float("inf"),
    float("nan"),
    "é\ud800\n",
    [1, 2.5, [None, True]],
    (1, ("a",)),
    {"a": {1: (2, 3.0)}, "": []},
    torch.arange(6, dtype=torch.float64).reshape(2, 3).t(),
    torch.tensor(True),
]


@pytest.mark.parametrize("kept", EXTRA_STATES, ids=lambda kept: str(kept)[:20].encode("unicode_escape").decode())
def test_extra_state_comes_back_as_it_was(
    open_run: Callable[..., Any], imported: Callable[..., Chosen], batches: list[list[int]], kept: Any
) -> None:
    whole = open_run(model=imported(Extra))
    whole.train(batches[:1])
    whole.model.kept = kept
    content, _ = save(whole)
    resumed = open_run(model=imported(Extra))
    load(resumed, content, 1)
    back = resumed.model.kept
    assert type(back) is type(kept)
    assert bits(back) == bits(kept) if isinstance(kept, Tensor) else repr(back) == repr(kept)


def test_what_needs_pickle_is_refused_naming_module_and_type(
    open_run: Callable[..., Any], imported: Callable[..., Chosen], batches: list[list[int]]
) -> None:
    run, other = open_run(model=imported(Extra)), open_run(model=imported(Extra))
    cycle: list[Any] = []
    cycle.append(cycle)
    for kept, text in (
        ({1, 2}, "mine:Net: _extra_state is a set (builtins.set), which cannot be saved without pickle"),
        ([1, Path("x")], "pathlib"),
        (np.float32(1), "numpy.float32"),
        (cycle, "a list"),
        (torch.zeros(2, 2).to_sparse(), "torch.sparse_coo"),
        (torch.zeros(2, dtype=torch.complex128), "torch.complex128"),
    ):
        run.model.kept = kept
        refused = refusal(lambda: run.ask(save_packet(run)))
        assert refused.code == "bad_reference"
        assert text in refused.message
        assert "keep it in a buffer, or set `checkpoint: null`" in refused.message
    for each in (run, other):
        each.model.kept = torch.zeros(1)
    assert trajectory(run, batches[:2], None) == trajectory(other, batches[:2], None)


class Counting(Extra):
    """Changes plain attributes when it is trained."""

    def __init__(self, **_: Any) -> None:
        super().__init__()
        self.calls = 0
        self.same = [1, 2.5, float("nan"), {"x": (None, True)}]
        self.unmoved = [np.random.RandomState(1), np.random.default_rng(1), random.Random(1), torch.Generator()]
        self.itself: list[Any] = []
        self.itself.append(self.itself)
        self.history: list[int] = []
        self.running = torch.zeros(2)
        self.generator = torch.Generator()

    def get_extra_state(self) -> Any:
        return None

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.calls += 1
            self.history.append(self.calls)
            self.late = self.calls
            self.running += 1
            torch.rand(1, generator=self.generator)
        return super().forward(images)


def test_attributes_that_change_and_are_not_saved_are_told(
    open_run: Callable[..., Any], imported: Callable[..., Chosen], batches: list[list[int]]
) -> None:
    run = open_run(model=imported(Counting))
    assert save(run)[1][0].notices == []
    run.train(batches[:1])
    (notice,) = save(run)[1][0].notices
    names = "model.calls, model.history, model.running, model.generator, model.late"
    assert f"mine:Net: {names} changed since the session was opened" in notice
    assert "not in the checkpoint" in notice


class Smoothed:
    """A loss that is no module, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        self.calls += 1
        return F.cross_entropy(logits, labels, reduction="none", label_smoothing=0.1)


class Bare:
    __slots__ = ()

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, reduction="none")


@pytest.mark.usefixtures("references")
@pytest.mark.parametrize(("loss", "told"), [(Smoothed(), ["loss.calls"]), (Bare(), []), (F.cross_entropy, [])])
def test_a_loss_that_is_no_module_is_looked_at_too(
    open_run: Callable[..., Any], batches: list[list[int]], monkeypatch: pytest.MonkeyPatch, loss: Any, told: list[str]
) -> None:
    given = partial(loss, reduction="none") if loss is F.cross_entropy else loss
    monkeypatch.setattr(opening.loss_reference, "build", lambda *_: given)
    run = open_run(loss=Named(name="mine:loss", options={}))
    run.train(batches[:1])
    notices = save(run)[1][0].notices
    assert [notice.split(": ")[1].split(" changed")[0] for notice in notices] == told


class Growing(Extra):
    def __init__(self, *, persistent: bool = True) -> None:
        super().__init__()
        self.register_buffer("bank", torch.zeros(1), persistent=persistent)

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.bank = torch.cat([self.bank, self.bank])
        return super().forward(images)


def test_a_buffer_that_grows_could_not_be_put_back(
    open_run: Callable[..., Any], imported: Callable[..., Chosen], batches: list[list[int]]
) -> None:
    run = open_run(model=imported(Growing))
    run.train(batches[:1])
    refused = refusal(lambda: run.ask(save_packet(run)))
    assert refused.code == "bad_reference"
    assert "mine:Net: bank is float32 [2] now, and was float32 [1]" in refused.message
    run = open_run(model=imported(lambda: Growing(persistent=False)))
    run.train(batches[:1])
    content, bodies = save(run)
    assert "buffer bank is not in the checkpoint" in bodies[0].notices[0]
    load(open_run(model=imported(lambda: Growing(persistent=False))), content, 1)


class Stubborn(Extra):
    """Puts other values than it was given."""

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        with torch.no_grad():
            self.linear.bias.fill_(1)

    def load_state_dict(self, *args: Any, **fields: Any) -> Any:
        loaded = super().load_state_dict(*args, **fields)
        with torch.no_grad():
            self.linear.bias.fill_(1)
        return loaded


def test_a_model_that_changes_what_is_put_back_fails_the_session(
    open_run: Callable[..., Any], imported: Callable[..., Chosen], batches: list[list[int]]
) -> None:
    whole = open_run(model=imported(Stubborn))
    whole.train(batches[:1])
    content, _ = save(whole)
    run = open_run(model=imported(Stubborn))
    refused = refusal(lambda: run.ask(load_packet(run, content, 1)))
    assert refused.code == "bad_reference"
    assert "mine:Net: linear.bias was put back, and then had other values" in refused.message
    assert refusal(lambda: run.train(batches[:1])).code == "session_failed"
    assert refusal(lambda: run.ask(save_packet(run))).code == "session_failed"
