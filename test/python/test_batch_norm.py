"""Whose statistics BatchNorm normalises with in `evaluate`, against networks written anew and statistics by numpy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from py_backend import datasets
from py_backend.batch_norm import PooledStatistics
from py_backend.choice import NoOptions
from py_backend.codec import Packet
from py_backend.datasets.contract import Dataset, DatasetDefinition, Part
from py_backend.errors import BackendError
from py_backend.messages import Augmentation, Named, Norm
from py_backend.noise import KeyedDropout
from py_backend.signals import SignalBuffer

NORMS: list[Norm] = ["running", "batch", "reestimated"]
RESNET = {"model": Named(name="resnet18", options={}), "dataset": Named(name="tiny3", options={})}
SHUFFLED = np.random.default_rng(3).permutation(20).tolist()
ALL_TRAINING = np.random.default_rng(4).permutation(64).tolist()
EPS = 1e-5

Shape = tuple[int, int, int]
Values = np.ndarray[Any, Any]


def asking_for(norm: str) -> dict[str, Any]:
    """What `look` has to be told for it, calibration on the whole training part."""
    return {"norm": norm, "calibration": ALL_TRAINING if norm == "reestimated" else None}


class Deep(nn.Module):
    """BatchNorm of maps and of plain features, one behind the other, and dropout before and between."""

    def __init__(self, input_shape: Shape, class_count: int, _options: NoOptions) -> None:
        super().__init__()
        self.conv = nn.Conv2d(input_shape[0], 8, 3, stride=2, bias=False)
        self.norm1 = nn.BatchNorm2d(8, momentum=0.5)
        self.drop1 = KeyedDropout(0.25)
        self.hidden = nn.Linear(8, 12)
        self.norm2 = nn.BatchNorm1d(12)
        self.drop2 = nn.Dropout(0.5)
        self.fc = nn.Linear(12, class_count)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop1(F.relu(self.norm1(self.conv(x)))).mean((2, 3))
        logits: Tensor = self.fc(self.drop2(F.relu(self.norm2(self.hidden(x)))))
        return logits


Statistics = Callable[[str, Values], tuple[Values, Values]]


def plain_deep(weights: dict[str, Values], x: Values, statistics: Statistics) -> Values:
    """`Deep` in float64 without its dropout. x: [B, C, H, W]; statistics(layer, [n, channels]): mean and variance."""

    def norm(name: str, values: Values) -> Values:
        mean, variance = statistics(name, values)
        return (values - mean) / np.sqrt(variance + EPS) * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))[:, :, ::2, ::2]
    maps = np.einsum("bchwij,ocij->bhwo", windows, weights["conv.weight"])
    features = norm("norm1", maps.reshape(-1, maps.shape[3])).reshape(maps.shape)
    hidden = np.maximum(features, 0).mean((1, 2)) @ weights["hidden.weight"].T + weights["hidden.bias"]
    return np.maximum(norm("norm2", hidden), 0) @ weights["fc.weight"].T + weights["fc.bias"]


def of_the_batch(_layer: str, values: Values) -> tuple[Values, Values]:
    return values.mean(0), values.var(0)


def of_calibration(weights: dict[str, Values], batches: list[Values]) -> Statistics:
    """numpy's mean and unbiased variance over all that came to a layer from these batches put one behind the other."""
    came: dict[str, list[Values]] = {"norm1": [], "norm2": []}

    def noting(layer: str, values: Values) -> tuple[Values, Values]:
        came[layer].append(values)
        return of_the_batch(layer, values)

    for batch in batches:
        plain_deep(weights, batch, noting)
    whole = {layer: np.concatenate(values) for layer, values in came.items()}
    return lambda layer, _values: (whole[layer].mean(0), whole[layer].var(0, ddof=1))


def pixels(part: Part, dataset: Dataset, indices: list[int]) -> Values:
    values = (part.images[indices] / 255.0 - np.array(dataset.mean)) / np.array(dataset.std)
    return values.transpose(0, 3, 1, 2)


def losses_of(logits: Values, labels: Values) -> Values:
    log_sums = np.log(np.exp(logits).sum(1))
    return np.asarray(log_sums - logits[np.arange(len(labels)), labels])


@pytest.fixture
def deep(open_run: Callable[..., Any], own_model: Callable[..., Named]) -> Any:
    """A run of `Deep` after some steps: its running statistics are far from those of any batch, its scales not 1."""
    run = open_run(model=own_model(Deep))
    run.train([[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]], 0.1)
    return run


def weights_of(run: Any) -> dict[str, Values]:
    return {name: tensor.double().numpy() for name, tensor in run.state().items()}


def cut(indices: list[int], sizes: list[int]) -> list[list[int]]:
    ends = np.cumsum(sizes)
    assert ends[-1] == len(indices)
    return [part.tolist() for part in np.split(np.array(indices), ends[:-1])]


# --- batch


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(20, [20]), (100, [20]), (5, [5] * 4), (8, [8, 8, 4]), (6, [6, 6, 6, 2]), (19, [20]), (2, [2] * 10)],
)
def test_batch_takes_the_statistics_of_each_batch_in_the_order_sent(
    deep: Any, tiny: SimpleNamespace, batch_size: int, sizes: list[int]
) -> None:
    """A single sample that would be left over (batch_size 19) belongs to the batch before it."""
    weights, test = weights_of(deep), tiny.grey.test
    logits = [plain_deep(weights, pixels(test, tiny.grey, part), of_the_batch) for part in cut(SHUFFLED, sizes)]
    answer = deep.look("test", SHUFFLED, ["loss", "prediction"], batch_size, norm="batch")
    wanted = np.concatenate(logits)
    np.testing.assert_allclose(answer.arrays["loss"], losses_of(wanted, test.labels[SHUFFLED]), rtol=1e-4, atol=1e-5)
    assert answer.arrays["prediction"].tolist() == wanted.argmax(1).tolist()


def test_batch_on_the_training_part_with_a_sample_left_over(deep: Any, tiny: SimpleNamespace) -> None:
    weights, train, indices = weights_of(deep), tiny.grey.train, ALL_TRAINING[:10]
    parts = cut(indices, [3, 3, 4])
    wanted = np.concatenate([plain_deep(weights, pixels(train, tiny.grey, part), of_the_batch) for part in parts])
    seen = deep.look("train", indices, ["loss"], 3, norm="batch").arrays["loss"]
    np.testing.assert_allclose(seen, losses_of(wanted, train.labels[indices]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_batch_sees_what_torchs_training_mode_sees(
    open_run: Callable[..., Any], tiny: SimpleNamespace, precision: str
) -> None:
    run = open_run(**RESNET, precision=precision)
    run.train([[0, 1, 2, 3], [4, 5, 6, 7]], 0.01)
    images = torch.from_numpy(pixels(tiny.colour.test, tiny.colour, SHUFFLED).astype(np.float32))
    labels = torch.from_numpy(tiny.colour.test.labels[SHUFFLED].astype(np.int64))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        logits = copy.deepcopy(run.model).train()(images.to(memory_format=torch.channels_last)).float()
    seen = run.look("test", SHUFFLED, ["loss"], norm="batch").arrays["loss"]
    tolerance = 2e-4 if precision == "float32" else 0.05
    np.testing.assert_allclose(seen, F.cross_entropy(logits, labels, reduction="none"), rtol=tolerance, atol=tolerance)
    assert not np.allclose(seen, run.look("test", SHUFFLED, ["loss"]).arrays["loss"], rtol=0.01)


# --- reestimated


@pytest.mark.parametrize(("batch_size", "sizes"), [(64, [64]), (16, [16] * 4), (9, [9] * 6 + [10]), (7, [7] * 9 + [1])])
def test_reestimated_has_the_statistics_that_numpy_computes(
    deep: Any, tiny: SimpleNamespace, batch_size: int, sizes: list[int]
) -> None:
    """Over the whole training part, in batches of equal and of unequal sizes."""
    if sizes[-1] == 1:
        sizes = [*sizes[:-2], sizes[-2] + 1]
    weights = weights_of(deep)
    batches = [pixels(tiny.grey.train, tiny.grey, part) for part in cut(ALL_TRAINING, sizes)]
    logits = plain_deep(weights, pixels(tiny.grey.test, tiny.grey, SHUFFLED), of_calibration(weights, batches))
    seen = deep.look("test", SHUFFLED, ["loss"], batch_size, norm="reestimated", calibration=ALL_TRAINING)
    wanted = losses_of(logits, tiny.grey.test.labels[SHUFFLED])
    np.testing.assert_allclose(seen.arrays["loss"], wanted, rtol=1e-4, atol=1e-5)


def observed_buffers(run: Any, monkeypatch: pytest.MonkeyPatch, batch_size: int) -> list[tuple[Tensor, Tensor]]:
    """Mean and variance in each layer's buffers while samples are looked at with re-estimated statistics."""
    seen: list[list[tuple[Tensor, Tensor]]] = []
    with monkeypatch.context() as patched:
        patched.setattr(SignalBuffer, "write", lambda *_: seen.append(buffers(run.model)))
        run.look("test", [0, 1], ["loss"], batch_size, norm="reestimated", calibration=ALL_TRAINING)
    return seen[-1]


def buffers(model: nn.Module) -> list[tuple[Tensor, Tensor]]:
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    return [(layer.running_mean.clone(), layer.running_var.clone()) for layer in norms]


def by_torchs_update_bn(model: nn.Module, batches: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Without dropout: there calibration is in training mode, here in evaluation mode."""
    copied = copy.deepcopy(model)
    for module in copied.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, KeyedDropout):
            module.threshold = 0
    torch.optim.swa_utils.update_bn(batches, copied)
    return buffers(copied)


@pytest.mark.parametrize("net", ["deep", "resnet18"])
def test_a_single_calibration_batch_gives_what_torchs_update_bn_gives(
    open_run: Callable[..., Any],
    own_model: Callable[..., Named],
    tiny: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    net: str,
) -> None:
    run = open_run(**({"model": own_model(Deep)} if net == "deep" else RESNET))
    run.train([[0, 1, 2, 3], [4, 5, 6, 7]], 0.01)
    data = tiny.grey if net == "deep" else tiny.colour
    images = torch.from_numpy(pixels(data.train, data, ALL_TRAINING).astype(np.float32))
    wanted = by_torchs_update_bn(run.model, [images])
    seen = observed_buffers(run, monkeypatch, 64)
    assert len(seen) == len(wanted) == (2 if net == "deep" else 20)
    for ours, torchs in zip(seen, wanted, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-5)


def test_however_it_is_cut_the_first_layer_has_the_same_statistics_and_update_bn_has_not(
    deep: Any, tiny: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of 60 and 4: torch counts the second as much as the first."""
    images = torch.from_numpy(pixels(tiny.grey.train, tiny.grey, ALL_TRAINING).astype(np.float32))
    whole = observed_buffers(deep, monkeypatch, 64)[0]
    for batch_size in (60, 33, 10, 2):
        torch.testing.assert_close(observed_buffers(deep, monkeypatch, batch_size)[0], whole, rtol=1e-5, atol=1e-7)
    torchs = by_torchs_update_bn(deep.model, list(images.split(60)))[0]
    assert not torch.allclose(torchs[1], whole[1], rtol=1e-3)


def test_a_deeper_layer_depends_on_the_cut(deep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/PROTOCOL.md says: the layers before it normalise batch by batch."""
    whole, small = (observed_buffers(deep, monkeypatch, size)[1] for size in (64, 4))
    assert not torch.allclose(small[1], whole[1], rtol=1e-3)


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 4), (5, 3, 4, 2), (5, 3, 2, 2, 2)])
def test_pooled_statistics_are_numpys_of_all_values(shape: tuple[int, ...]) -> None:
    """Also far from 0, where a sum of squares in float32 has no digit of the variance left."""
    random = np.random.default_rng(0)
    batches = [random.normal(1000 * size, 1, (size, *shape[1:])).astype(np.float32) for size in (5, 1, 9, 2)]
    pooled = PooledStatistics()
    assert pooled.mean_and_variance is None
    for batch in batches:
        pooled.add(torch.from_numpy(batch))
    values = np.concatenate([np.moveaxis(batch, 1, -1).reshape(-1, 3) for batch in batches]).astype(np.float64)
    assert pooled.mean_and_variance is not None
    mean, variance = pooled.mean_and_variance
    assert (mean.dtype, variance.dtype) == (torch.float32, torch.float32)
    np.testing.assert_allclose(mean, values.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, values.var(0, ddof=1), rtol=1e-6)


def test_calibration_sees_no_augmentation(open_run: Callable[..., Any], own_model: Callable[..., Named]) -> None:
    """Before the first step the weights are those of the session without it."""
    model = own_model(Deep)
    plain, augmented = (
        open_run(model=model, augmentation=augmentation).look("test", SHUFFLED, ["loss"], **asking_for("reestimated"))
        for augmentation in (Augmentation(crop=0, flip=False), Augmentation(crop=4, flip=True))
    )
    assert plain.arrays["loss"].tobytes() == augmented.arrays["loss"].tobytes()


# --- running, and layers that are not asked


@pytest.mark.parametrize("batch_size", [1, 3, 100])
@pytest.mark.parametrize(
    "changes",
    [{}, {"model": Named(name="resnet18", options={"norm": "group"}), "dataset": Named(name="tiny3", options={})}],
    ids=["mnist-cnn", "resnet18 with GroupNorm"],
)
def test_without_batch_norm_all_three_are_running_to_the_bit(
    open_run: Callable[..., Any], changes: dict[str, Any], batch_size: int
) -> None:
    run = open_run(**changes)
    run.train([[0, 1, 2, 3]])
    assert run.opened.body.settings.batch_norm_layers == 0
    passes = []
    run.model.register_forward_hook(lambda *_: passes.append(1))
    for indices in ([0, 1, 2, 3, 4, 5, 6], [19]):
        answers = []
        for norm in NORMS:
            passes.clear()
            answers.append(run.look("test", indices, ["loss"], batch_size, **asking_for(norm)).arrays["loss"])
            assert len(passes) == -(-len(indices) // batch_size)  # no calibration
        assert answers[0].tobytes() == answers[1].tobytes() == answers[2].tobytes()


def test_with_batch_norm_all_three_differ_and_score_is_running(deep: Any) -> None:
    losses = [deep.look("train", SHUFFLED, ["loss"], 8, **asking_for(norm)).arrays["loss"] for norm in NORMS]
    assert not any(np.allclose(losses[i], losses[j], rtol=1e-3) for i, j in [(0, 1), (0, 2), (1, 2)])
    assert deep.look("score", SHUFFLED, ["loss"], 8).arrays["loss"].tobytes() == losses[0].tobytes()


class Odd(nn.Module):
    """One BatchNorm kept frozen, one used twice, one without running statistics, one never reached."""

    def __init__(self, input_shape: Shape, class_count: int, _options: NoOptions) -> None:
        super().__init__()
        self.conv = nn.Conv2d(input_shape[0], 6, 3, bias=False)
        self.frozen = nn.BatchNorm2d(6)
        self.twice = nn.BatchNorm2d(6)
        self.forgetful = nn.BatchNorm2d(6, track_running_stats=False)
        self.spare = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, class_count)

    def train(self, mode: bool = True) -> Odd:
        super().train(mode)
        self.frozen.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.twice(2 * self.twice(self.frozen(self.conv(x))) + 1))
        logits: Tensor = self.fc(self.forgetful(x).mean((2, 3)))
        return logits


@pytest.mark.parametrize("norm", NORMS)
def test_layers_that_are_not_the_usual(
    open_run: Callable[..., Any],
    own_model: Callable[..., Named],
    monkeypatch: pytest.MonkeyPatch,
    tiny: SimpleNamespace,
    norm: str,
) -> None:
    run = open_run(model=own_model(Odd))
    run.train([[0, 1, 2, 3], [4, 5, 6, 7]])
    assert run.opened.body.settings.batch_norm_layers == 3
    before = {name: getattr(run.model, name).running_var for name in ("frozen", "spare", "twice")}
    during: list[dict[str, Any]] = []
    monkeypatch.setattr(
        SignalBuffer, "write", lambda *_: during.append({name: getattr(run.model, name).running_var for name in before})
    )
    run.look("test", [0, 1, 2, 3], ["loss"], **asking_for(norm))
    assert during[0]["frozen"] is before["frozen"]
    assert run.model.forgetful.running_var is None
    if norm == "batch":
        assert during[0]["twice"] is during[0]["spare"] is None
    else:
        assert during[0]["spare"] is before["spare"]  # no calibration sample came to it
        assert (during[0]["twice"] is before["twice"]) == (norm == "running")
    if norm == "reestimated":  # both inputs that `twice` had are pooled
        x = torch.from_numpy(pixels(tiny.grey.train, tiny.grey, ALL_TRAINING).astype(np.float32))
        with torch.no_grad():
            first = run.model.frozen(run.model.conv(x))
            once = F.batch_norm(first, None, None, run.model.twice.weight, run.model.twice.bias, training=True)
            both = torch.cat([first, 2 * once + 1]).double().transpose(0, 1).flatten(1)
        torch.testing.assert_close(during[0]["twice"].clone(), both.var(1).float(), rtol=1e-4, atol=1e-5)


# --- what is refused


@pytest.mark.parametrize(
    ("ask", "code", "message"),
    [
        ({"norm": "running", "calibration": [1, 2]}, "bad_array", "norm running; it belongs to norm reestimated alone"),
        ({"norm": "batch", "calibration": [1, 2]}, "bad_array", "leave it out"),
        ({"norm": "reestimated"}, "bad_array", "with 0 indices in `calibration`; at least 2 of the training part"),
        ({"norm": "reestimated", "calibration": []}, "bad_array", "with 0 indices"),
        ({"norm": "reestimated", "calibration": [5]}, "bad_array", "with 1 indices"),
        ({"norm": "reestimated", "calibration": [5, 64]}, "bad_index", "index 64 is outside of 0 … 63"),
        ({"norm": "batch", "batch_size": 1}, "bad_field", "batch_size 1 with norm batch.*send a larger batch_size"),
        ({"norm": "reestimated", "calibration": [1, 2], "batch_size": 1}, "bad_field", "norm reestimated"),
        ({"norm": "batch", "indices": [3]}, "bad_array", "1 sample came with norm batch.*send more"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(deep: Any, ask: dict[str, Any], code: str, message: str) -> None:
    indices = ask.get("indices", [0, 1, 2])
    others = {name: value for name, value in ask.items() if name != "indices"}
    with pytest.raises(BackendError, match=message) as refused:
        deep.look("test", indices, ["loss"], **others)
    assert refused.value.code == code
    assert deep.look("test", [0], ["loss"]).arrays["loss"].shape == (1,)  # the session lives


@pytest.mark.parametrize("norm", NORMS)
def test_nothing_asked_is_nothing_answered(deep: Any, norm: str) -> None:
    assert deep.look("test", [], ["loss"], **asking_for(norm)).arrays["loss"].shape == (0,)


@pytest.mark.parametrize(("tried", "suggested"), [(8, 4), (3, 2), (2, None)])
@pytest.mark.parametrize("norm", ["batch", "reestimated"])
def test_out_of_memory_never_suggests_a_batch_of_one(
    deep: Any, monkeypatch: pytest.MonkeyPatch, norm: str, tried: int, suggested: int | None
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Deep, "forward", fail)
    with pytest.raises(BackendError) as refused:
        deep.look("test", SHUFFLED, ["loss"], tried, **asking_for(norm))
    assert refused.value.code == "out_of_memory"
    assert refused.value.details["batch_size"] == tried
    assert refused.value.details.get("suggested_batch_size") == suggested


def test_a_cancelled_calibration_says_how_far_it_came(deep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter([False, False, True])
    monkeypatch.setattr(deep.progress, "should_stop", lambda: next(asked))
    with pytest.raises(BackendError, match="cancelled after 32 of 64 calibration samples") as refused:
        deep.look("test", SHUFFLED, ["loss"], 16, **asking_for("reestimated"))
    assert refused.value.code == "cancelled"


# --- the leak


class Small(nn.Module):
    """Two convolutions with BatchNorm, mean over the image, a linear layer."""

    def __init__(self, input_shape: Shape, class_count: int, _options: NoOptions) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(input_shape[0], 8, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, stride=2, bias=False)
        self.norm2 = nn.BatchNorm2d(16)
        self.fc = nn.Linear(16, class_count)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


CLASSES, PER_BATCH = 4, 16


def noisy_prototypes() -> Dataset:
    """256 and 128 grey images of 8 × 8: one pattern a class, and noise."""
    random = np.random.default_rng(0)
    patterns = random.uniform(60, 195, (CLASSES, 8, 8, 1))

    def part(count: int) -> Part:
        labels = (np.arange(count) % CLASSES).astype(np.uint32)
        noisy = patterns[labels] + random.normal(0, 30, (count, 8, 8, 1))
        return Part(np.clip(noisy, 0, 255).astype(np.uint8), labels)

    return Dataset("patterns", tuple("abcd"), (0.5,), (0.25,), part(256), part(128))


def batches_of_one_class(labels: Values, random: np.random.Generator) -> list[list[int]]:
    """Of each class in turn, reshuffled within it."""
    of_class = [
        random.permutation(np.flatnonzero(labels == label)).reshape(-1, PER_BATCH).tolist() for label in range(CLASSES)
    ]
    return [batch for together in zip(*of_class, strict=True) for batch in together]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_leak(
    open_run: Callable[..., Any], own_model: Callable[..., Named], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """A net trained on batches of one class tells the classes of such batches with the batches' statistics, and of the
    same images much worse with running ones; re-estimating does not help. Trained on mixed batches: the other way."""
    data = noisy_prototypes()
    monkeypatch.setitem(
        datasets.DATASETS, data.name, DatasetDefinition(data.name, "", "", "", NoOptions, lambda *_: data)
    )
    dataset, model = Named(name=data.name, options={}), own_model(Small)
    pure = np.concatenate(batches_of_one_class(data.test.labels, np.random.default_rng(9))).tolist()
    calibration = np.random.default_rng(8).permutation(256).tolist()

    def accuracies(cut_epoch: Callable[[np.random.Generator], list[list[int]]]) -> dict[str, float]:
        run = open_run(dataset=dataset, model=model, seed=seed)
        random = np.random.default_rng(seed)
        for _ in range(12):
            run.train(cut_epoch(random), 0.02)

        def accuracy(**how: Any) -> float:
            answer: Packet = run.look("test", pure, ["correct"], PER_BATCH, **how)
            return float(answer.arrays["correct"].mean())

        return {
            "running": accuracy(),
            "batch": accuracy(norm="batch"),
            "reestimated": accuracy(norm="reestimated", calibration=calibration),
        }

    one_class = accuracies(lambda random: batches_of_one_class(data.train.labels, random))
    assert one_class["batch"] > 0.8  # seen: .84 .93 .91
    assert one_class["running"] < one_class["batch"] - 0.2  # .56 .64 .60
    assert one_class["reestimated"] < one_class["batch"] - 0.2  # .56 .63 .63
    mixed = accuracies(lambda random: random.permutation(256).reshape(-1, PER_BATCH).tolist())
    assert mixed["running"] > 0.95  # 1 1 1
    assert mixed["reestimated"] > 0.95  # 1 1 1
    assert mixed["batch"] < 0.5  # .28 .27 .27: chance is .25
