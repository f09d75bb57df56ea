"""The textbook loop and the backend, of equal weights on equal batches: equal to the bit on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from py_backend import messages, opening, session
from py_backend.messages import Named
from py_backend.references import model as model_reference
from py_validate.choice import Choice
from py_validate.data import Augmentation, Pictures
from py_validate.evaluation import evaluate
from py_validate.loop import Loop
from py_validate.memory_format import MEMORY_FORMATS
from py_validate.models import build_loss, build_model, floating_state
from py_validate.open_loop import Settings, open_loop

from .recorded import write_batches

CPU = torch.device("cpu")
RATES = [0.05, 0.1, 0.02, 0.05, 0.05, 0.05, 0.05, 0.05, 0.01, 0.05, 0.05]
DROPOUT = {"conv_dropout": 0.3, "fc_dropout": 0.5}
NO_DROPOUT = {"conv_dropout": 0.0, "fc_dropout": 0.0}


class Usual(nn.Module):
    """What users bring: nn.Dropout, BatchNorm, `flatten`."""

    def __init__(self, channels: int = 1, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.4)
        self.fc = nn.Linear(8 * 36, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        return self.fc(self.drop(x.flatten(1)))


class Both:
    """The backend's session and a loop of py_validate on one recorded epoch of the tiny dataset, and their results."""

    def __init__(
        self, run: Any, data: Any, directory: Path, batches: list[list[int]], weights: list[float] | None
    ) -> None:
        self.run, self.data, self.directory, self.batches, self.weights = run, data, directory, batches, weights
        self.rates = RATES[: len(batches)]
        self.memory_format = MEMORY_FORMATS[run.opened.body.settings.memory_format]
        write_batches(directory, 0, batches, self.rates, weights)

    def theirs(self, micro_batch: int | None = None) -> np.ndarray[Any, Any]:
        """Losses of the backend."""
        losses: np.ndarray[Any, Any] = self.run.losses(
            self.batches, self.rates, weights=self.weights, micro_batch=micro_batch
        )
        return losses

    def loop(self, model: nn.Module, own: Callable[..., Any] | None = None, **changes: Any) -> Loop:
        fields: dict[str, Any] = {
            "optimizer": "sgd",
            "optimizer_options": {"momentum": 0.9},
            "loss": build_loss(None, CPU),
            "augmentation": Augmentation(),
            "precision": "float32",
            "seed": 1,
            "micro_batch": None,
            "memory_format": self.memory_format,
        }
        loop, steps = open_loop(model, self.data, self.directory, [0], Settings(**{**fields, **changes}), CPU, own)
        assert steps == len(self.batches)
        return loop

    def losses(self, loop: Loop) -> np.ndarray[Any, Any]:
        """In two calls, as the wire's chunks come."""
        path = self.directory / "losses.f32"
        path.unlink(missing_ok=True)
        done = [loop.train(count, path)["batches_done"] for count in (1, len(self.batches) - 1)]
        assert sum(done) == len(self.batches)
        return np.fromfile(path, "<f4")

    def assert_equal(self, loop: Loop, model: nn.Module, micro_batch: int | None = None) -> None:
        """Losses of every step, then weights."""
        before = {name: tensor.clone() for name, tensor in floating_state(model).items()}
        mine, theirs = self.losses(loop), self.theirs(micro_batch)
        assert mine.tobytes() == theirs.tobytes()
        state = self.run.state()
        for name, tensor in floating_state(model).items():
            assert torch.equal(tensor, state[name]), name
        assert any(not torch.equal(before[name], tensor) for name, tensor in floating_state(model).items())


@pytest.fixture
def both(open_run: Callable[..., Any], tiny: SimpleNamespace, tmp_path: Path, batches: list[list[int]]) -> Any:
    """both(what differs from the usual `open`, …) → Both, and a model with the session's initial weights."""

    def make(
        count: int = 11, weights: list[float] | None = None, colour: bool = False, **changes: Any
    ) -> tuple[Both, nn.Module]:
        fields = {"dataset": Named(name="tiny3" if colour else "tiny1", options={}), **changes}
        run = open_run(**fields)
        data = tiny.colour if colour else tiny.grey
        named = changes.get("model", Named(name="mnist-cnn", options=NO_DROPOUT))
        model = build_model(Choice(named.name, "catalogue", named.options), data.input_shape, 3, 1, CPU)
        return Both(run, data, tmp_path / "run", batches[:count], weights), model

    return make


def test_builds_with_the_backends_initial_weights(both: Any) -> None:
    pair, model = both()
    state = pair.run.state()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


OPTIMIZERS = [
    ("sgd", {}),
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("adam", {}),
    ("adam", {"beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": 0.01}),
    ("adamw", {}),
    ("adamw", {"weight_decay": 0.1}),
]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
@pytest.mark.parametrize("dropout", [NO_DROPOUT, DROPOUT])
def test_every_optimizer_gives_the_backends_bits(both: Any, name: str, options: Any, dropout: Any) -> None:
    optimizer = Named(name=name, options=options)
    pair, model = both(model=Named(name="mnist-cnn", options=dropout), optimizer=optimizer)
    pair.assert_equal(pair.loop(model, optimizer=name, optimizer_options=options), model)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(("crop", "flip"), [(0, True), (2, False), (3, True)])
def test_augments_as_the_backend_does(both: Any, colour: bool, crop: int, flip: bool) -> None:
    augmentation = messages.Augmentation(crop=crop, flip=flip)
    pair, model = both(model=Named(name="mnist-cnn", options=DROPOUT), augmentation=augmentation, colour=colour)
    pair.assert_equal(pair.loop(model, augmentation=Augmentation(crop, flip)), model)


@pytest.mark.parametrize("micro_batch", [None, 1, 4, 100])
@pytest.mark.parametrize("weighted", [False, True])
def test_weights_and_micro_batches_give_the_backends_bits(both: Any, micro_batch: Any, weighted: bool) -> None:
    weights = np.random.default_rng(3).uniform(0, 3, 64).astype(np.float32).tolist() if weighted else None
    augmentation = messages.Augmentation(crop=2, flip=True)
    pair, model = both(weights=weights, model=Named(name="mnist-cnn", options=DROPOUT), augmentation=augmentation)
    loop = pair.loop(model, micro_batch=micro_batch, augmentation=Augmentation(2, True))
    pair.assert_equal(loop, model, micro_batch)
    assert_saw_the_plan(pair, loop)


def test_resnet18_gives_the_backends_bits(both: Any) -> None:
    pair, model = both(count=2, model=Named(name="resnet18", options={}), colour=True)
    pair.assert_equal(pair.loop(model), model)


def test_modules_of_others_draw_the_same_noise(both: Any, own_model: Callable[..., Named]) -> None:
    named = own_model(lambda shape, classes, _: Usual(shape[0], classes))
    pair, model = both(model=named)
    pair.assert_equal(pair.loop(model), model)


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_products_are_in_tf32_where_that_is_asked_for_alone(both: Any, precision: str) -> None:
    seen = []
    pair, model = both(model=Named(name="mnist-cnn", options=DROPOUT))

    def note(*_: Any) -> None:
        seen.append((torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32))

    model.register_forward_hook(note)
    model.register_full_backward_hook(note)
    pair.losses(pair.loop(model, precision=precision))
    trained = len(seen)
    evaluate(
        model, Pictures(pair.data, "test"), range(3), 2, build_loss(None, CPU), precision, CPU, torch.channels_last
    )
    assert len(seen) == trained + 2
    assert trained == 2 * len(pair.batches)
    assert set(seen) == {(precision == "tf32",) * 2}
    note()
    assert seen[-1] == (False, False)


def test_bfloat16_is_close(both: Any) -> None:
    pair, model = both(model=Named(name="mnist-cnn", options=DROPOUT), precision="bfloat16")
    mine = pair.losses(pair.loop(model, precision="bfloat16"))
    np.testing.assert_allclose(mine, pair.theirs(), rtol=0.02, atol=0.02)


def assert_saw_the_plan(pair: Both, loop: Loop) -> None:
    import json

    recorded = json.loads((pair.directory / "orders/0000.json").read_text())
    (seen,) = loop.seen()
    assert seen == {"epoch": 0, "order_sha256": recorded["orderSha256"], "plan_sha256": recorded["planSha256"]}


def user_train(
    model: nn.Module,
    dataset: Any,
    batch_sampler: Any,
    learning_rates: list[float],
    optimizer: dict[str, Any],
    loss: Any,
    *,
    momentum_off: float = 0.0,
    decay_biases: bool = True,
    denominator: int = 0,
    tamper: Callable[[int, list[int]], list[int]] = lambda _, batch: batch,
) -> Iterator[Tensor]:
    """As a user writes it; with a fault planted where asked for."""
    options = dict(optimizer["options"])
    options["momentum"] -= momentum_off
    decay = options.pop("weight_decay", 0.0)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": decay},
        {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": decay if decay_biases else 0.0},
    ]
    sgd = torch.optim.SGD(groups, lr=0.0, **options)
    model.train()
    for step, (rate, batch) in enumerate(zip(learning_rates, batch_sampler, strict=True)):
        items = [dataset[index] for index in tamper(step, batch)]
        images, labels = torch.stack([image for image, _ in items]), torch.tensor([label for _, label in items])
        for group in sgd.param_groups:
            group["lr"] = rate
        sgd.zero_grad()
        losses = loss(model(images), labels)
        (losses.sum() / (denominator or len(losses))).backward()
        sgd.step()
        yield losses


OPTIONS = {"momentum": 0.9, "weight_decay": 0.01}


def test_a_loop_of_a_user_gives_the_backends_bits(both: Any) -> None:
    pair, model = both(model=Named(name="mnist-cnn", options=DROPOUT), optimizer=Named(name="sgd", options=OPTIONS))
    loop = pair.loop(model, user_train, optimizer_options=OPTIONS)
    pair.assert_equal(loop, model)
    assert_saw_the_plan(pair, loop)


def shuffle_third(step: int, batch: list[int]) -> list[int]:
    return batch[::-1] if step == 2 else batch


def exchange_one(step: int, batch: list[int]) -> list[int]:
    return [(batch[0] + 1) % 64, *batch[1:]] if step == 4 else batch


@pytest.mark.parametrize(
    ("fault", "seen_differs", "losses_differ"),
    [
        ({"momentum_off": 0.01}, False, True),
        ({"decay_biases": False}, False, True),
        ({"denominator": 7}, False, True),
        ({"tamper": shuffle_third}, True, True),
        ({"tamper": exchange_one}, True, True),
    ],
)
def test_planted_faults_show(both: Any, fault: Any, seen_differs: bool, losses_differ: bool) -> None:
    pair, model = both(optimizer=Named(name="sgd", options=OPTIONS))
    loop = pair.loop(model, lambda *given: user_train(*given, **fault), optimizer_options=OPTIONS)
    mine, theirs = pair.losses(loop), pair.theirs()
    assert (mine.tobytes() != theirs.tobytes()) == losses_differ
    state = pair.run.state()
    assert any(not torch.equal(tensor, state[name]) for name, tensor in floating_state(model).items())
    if seen_differs:
        with pytest.raises(AssertionError):
            assert_saw_the_plan(pair, loop)
    else:
        assert_saw_the_plan(pair, loop)


def no_iterator(*_: Any) -> None:
    return None


def too_short(*given: Any) -> Iterator[Tensor]:
    yield from (losses for losses, _ in zip(user_train(*given), range(1), strict=False))


def yields_mean(*given: Any) -> Iterator[Tensor]:
    yield from (losses.mean() for losses in user_train(*given))


def reads_nothing(model: Any, dataset: Any, batch_sampler: Any, *_: Any) -> Iterator[Tensor]:
    yield from (torch.zeros(len(batch)) for batch in batch_sampler)


def reads_ahead(*given: Any) -> Iterator[Tensor]:
    model, dataset, batch_sampler, *rest = given
    yield from user_train(model, dataset, list(batch_sampler), *rest)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (no_iterator, "it returned NoneType, not an iterator: `yield` each step's losses"),
        (too_short, "it ended after 1 of 11 steps"),
        (yields_mean, r"after step 0 it yielded a tensor torch.float32 \[\]; a tensor of one loss a sample"),
        (reads_nothing, "it gave the losses of step 0 without reading that step's samples"),
        (reads_ahead, "it gave the losses of step 0 without reading that step's samples"),
    ],
)
def test_says_what_a_loop_lacks(both: Any, own: Any, said: str) -> None:
    from py_backend.errors import BackendError

    pair, model = both()
    with pytest.raises(BackendError, match=said):
        pair.losses(pair.loop(model, own))


def test_refuses_more_batches_than_there_are(both: Any, tmp_path: Path) -> None:
    from py_backend.errors import BackendError

    pair, model = both(count=2)
    with pytest.raises(BackendError, match="3 batches were asked for, 2 are left of 2"):
        pair.loop(model).train(3, tmp_path / "losses.f32")


def test_epochs_follow_one_another(both: Any) -> None:
    pair, model = both(count=2)
    write_batches(pair.directory, 1, [[5, 6, 7]], [0.1])
    fields = Settings("sgd", {}, build_loss(None, CPU), Augmentation(), "float32", 1, None, torch.channels_last)
    loop, steps = open_loop(model, pair.data, pair.directory, [0, 1], fields, CPU)
    assert steps == 3
    loop.train(3, pair.directory / "losses.f32")
    assert [seen["epoch"] for seen in loop.seen()] == [0, 1]
    assert np.fromfile(pair.directory / "losses.f32", "<f4").shape == (15,)


def test_a_data_loader_reads_the_recorded_order(both: Any) -> None:
    """The Dataset is told which index it is asked for, by DataLoader itself."""
    from py_validate.data import Pictures

    pair, _ = both(count=2)
    dataset = Pictures(pair.data, "train")
    dataset.begin()
    list(DataLoader(dataset, batch_sampler=pair.batches))
    assert dataset.reads == [[index for batch in pair.batches for index in batch]]


class ViewNet(nn.Module):
    """Takes a view of what a convolution of several channels returns."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc = nn.Linear(800, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(F.relu(self.conv(x)).view(len(x), 800))


class ViewsInTraining(nn.Module):
    """Has a head that takes such a view while it is trained, and only then."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc, self.head = nn.Linear(8, 3), nn.Linear(800, 3)

    def forward(self, x: Tensor) -> Tensor:
        maps = F.relu(self.conv(x))
        logits = self.fc(maps.mean((2, 3)))
        return logits + self.head(maps.view(len(x), 800)) if self.training else logits


@pytest.mark.parametrize("kind", [ViewNet, ViewsInTraining])
def test_a_model_that_does_not_bear_channels_last_is_trained_alike(
    kind: type[nn.Module],
    open_run: Callable[..., Any],
    tiny: SimpleNamespace,
    tmp_path: Path,
    batches: list[list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_reference, "import_callable", lambda _reference: kind)
    monkeypatch.setattr(session, "describe", lambda _reference: None)
    monkeypatch.setattr(opening, "refuse_not_allowed", lambda _references: None)
    named = messages.Chosen(origin="import", name="team:ViewNet", options={"args": "{}"})
    run = open_run(dataset=Named(name="tiny3", options={}), model=named)
    assert run.opened.body.settings.memory_format == "contiguous"
    model = kind()
    model.load_state_dict(run.state())
    pair = Both(run, tiny.colour, tmp_path / "run", batches, None)
    pair.assert_equal(pair.loop(model), model)
    losses, _ = evaluate(
        model, Pictures(tiny.colour, "test"), range(20), 7, build_loss(None, CPU), "float32", CPU, pair.memory_format
    )
    assert losses.tobytes() == run.look("test", list(range(20)), ["loss"], batch_size=7).arrays["loss"].tobytes()
