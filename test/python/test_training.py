"""Training against a textbook PyTorch loop that shares nothing with it but the model's file."""

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
from torch.utils.data import DataLoader, TensorDataset

from py_backend import evaluation, training
from py_backend.batch_norm import batch_norm_layers
from py_backend.choice import NoOptions
from py_backend.datasets.contract import Dataset
from py_backend.errors import BackendError
from py_backend.messages import Augmentation, Named

Batches = list[list[int]]

NOISY = {
    "model": Named(name="mnist-cnn", options={"conv_dropout": 0.3, "fc_dropout": 0.5}),
    "augmentation": Augmentation(crop=2, flip=True),
}


def optimizer_named(kind: str, **options: Any) -> Named:
    return Named(name=kind, options=options)


def as_float(dataset: Dataset) -> Tensor:
    """The training images as usual: float32, normalised, [n, C, H, W]."""
    mean, std = np.array(dataset.mean), np.array(dataset.std)
    scale, shift = (1 / (255 * std)).astype(np.float32), (mean / std).astype(np.float32)
    pixels = dataset.train.images.astype(np.float32) * scale - shift
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)  # channels last in memory


def textbook(
    model: nn.Module, dataset: Dataset, batches: Batches, optimizer: torch.optim.Optimizer, rates: list[float]
) -> tuple[list[Tensor], nn.Module]:
    """What everyone writes: DataLoader, cross_entropy, backward, step. Returns each batch's losses and the model."""
    data = TensorDataset(as_float(dataset), torch.from_numpy(dataset.train.labels.astype(np.int64)))
    losses = []
    model.train()
    for (images, labels), rate in zip(DataLoader(data, batch_sampler=batches), rates, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        logits = model(images.to(memory_format=torch.channels_last))
        F.cross_entropy(logits, labels).backward()
        optimizer.step()
        losses.append(F.cross_entropy(logits.detach(), labels, reduction="none"))
    return losses, model


class SmallBatchNormNet(nn.Module):
    """A net with running statistics, small enough for tests."""

    def __init__(self, input_shape: tuple[int, int, int], class_count: int, _options: NoOptions) -> None:
        super().__init__()
        self.conv = nn.Conv2d(input_shape[0], 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, class_count)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(F.relu(self.norm(self.conv(x))).mean((2, 3)))


OPTIMIZERS: list[tuple[str, dict[str, Any], Callable[..., torch.optim.Optimizer]]] = [
    ("sgd", {}, lambda p: torch.optim.SGD(p)),
    ("sgd", {"momentum": 0.9}, lambda p: torch.optim.SGD(p, momentum=0.9)),
    (
        "sgd",
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        lambda p: torch.optim.SGD(p, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    ("adam", {}, lambda p: torch.optim.Adam(p)),
    (
        "adam",
        {"beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": 0.1},
        lambda p: torch.optim.Adam(p, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
    ),
    ("adamw", {}, lambda p: torch.optim.AdamW(p)),
    ("adamw", {"weight_decay": 0.5}, lambda p: torch.optim.AdamW(p, weight_decay=0.5)),
]


@pytest.mark.parametrize(
    ("name", "options", "make"), OPTIMIZERS, ids=[f"{name} {options}" for name, options, _ in OPTIMIZERS]
)
@pytest.mark.parametrize("net", ["mnist-cnn", "batch-norm"])
def test_losses_and_weights_are_those_of_a_textbook_loop_bit_for_bit(
    open_run: Callable[..., Any],
    own_model: Callable[..., Named],
    tiny: SimpleNamespace,
    batches: Batches,
    net: str,
    name: str,
    options: dict[str, Any],
    make: Callable[..., torch.optim.Optimizer],
) -> None:
    changes = {"model": own_model(SmallBatchNormNet)} if net == "batch-norm" else {}
    run = open_run(optimizer=optimizer_named(name, **options), **changes)
    model = copy.deepcopy(run.model)
    rates = [0.02 / (1 + batch) for batch in range(len(batches))]
    expected, trained = textbook(model, tiny.grey, batches, make(model.parameters()), rates)
    seen = run.losses(batches, rates)
    assert torch.equal(torch.from_numpy(seen), torch.cat(expected))
    for key, tensor in trained.state_dict().items():
        assert torch.equal(run.model.state_dict()[key], tensor), key


def test_normalised_as_everyone_does_the_losses_agree_within_rounding(
    open_run: Callable[..., Any], tiny: SimpleNamespace, batches: Batches
) -> None:
    """x/255, minus mean, by std, each rounded to float32, instead of our x·scale - shift: 1e-4 after 11 steps."""
    run = open_run()
    model = copy.deepcopy(run.model)
    images = torch.from_numpy(tiny.grey.train.images).permute(0, 3, 1, 2).float()
    images = (images / 255 - torch.tensor(tiny.grey.mean)) / torch.tensor(tiny.grey.std)
    labels = torch.from_numpy(tiny.grey.train.labels.astype(np.int64))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    expected = []
    for batch in batches:
        optimizer.zero_grad()
        losses = F.cross_entropy(model(images[batch]), labels[batch], reduction="none")
        losses.mean().backward()
        optimizer.step()
        expected.append(losses.detach())
    np.testing.assert_allclose(run.losses(batches), torch.cat(expected).numpy(), rtol=1e-4)


def test_each_batch_is_trained_at_its_own_rate(open_run: Callable[..., Any]) -> None:
    run = open_run(optimizer=optimizer_named("sgd"))
    before = run.state()
    run.train([[0, 1], [2, 3]], [0.0, 0.0])
    assert all(torch.equal(before[key], tensor) for key, tensor in run.state().items())
    moved = []
    for rate in (0.01, 0.04):
        run = open_run(optimizer=optimizer_named("sgd"))
        before = run.state()
        run.train([[0, 1]], [rate])
        moved.append(run.state()["fc.bias"] - before["fc.bias"])
    assert moved[0].abs().max() > 0
    torch.testing.assert_close(moved[1], 4 * moved[0])


# --- weights


def gradients(model: nn.Module, dataset: Dataset, batch: list[int], weights: list[float]) -> list[Tensor]:
    """Autograd's gradient of Σ w·l / B."""
    labels = torch.from_numpy(dataset.train.labels.astype(np.int64))[batch]
    losses = F.cross_entropy(model(as_float(dataset)[batch]), labels, reduction="none")
    total = sum(weight * loss for weight, loss in zip(weights, losses, strict=True)) / len(batch)
    return list(torch.autograd.grad(total, list(model.parameters())))


@pytest.mark.parametrize("micro_batch", [None, 2])
def test_the_gradient_is_that_of_the_weighted_sum_over_the_batch_size(
    open_run: Callable[..., Any], tiny: SimpleNamespace, micro_batch: int | None
) -> None:
    batch, weights, rate = [5, 9, 1, 33, 2], [0.0, 3.5, 1.0, 0.25, 10.0], 0.1
    run = open_run(optimizer=optimizer_named("sgd"))
    model = copy.deepcopy(run.model)
    expected = gradients(model, tiny.grey, batch, weights)
    run.train([batch], [rate], weights=weights, micro_batch=micro_batch)
    for before, after, gradient in zip(model.parameters(), run.model.parameters(), expected, strict=True):
        torch.testing.assert_close(after.detach(), before.detach() - rate * gradient, rtol=1e-5, atol=1e-7)


def test_returned_losses_are_raw(open_run: Callable[..., Any]) -> None:
    batch = [[0, 1, 2, 3]]
    assert np.array_equal(open_run().losses(batch, weights=[9.0, 0.0, 0.5, 2.0]), open_run().losses(batch))


@pytest.mark.parametrize("micro_batch", [None, 4])
def test_a_weighted_epoch_returns_the_raw_losses_of_an_independent_weighted_loop(
    open_run: Callable[..., Any], tiny: SimpleNamespace, batches: Batches, micro_batch: int | None
) -> None:
    """What goes into a ledger is each sample's own loss, neither times its weight nor over the batch's size, though the
    weights (100 to 1, some 0) steer the steps: 1e-5 over 11 of them."""
    random = np.random.default_rng(2)
    weights = [float(random.choice([0, 0.1, 1, 10])) for batch in batches for _ in batch]
    run = open_run(optimizer=optimizer_named("sgd", momentum=0.9))
    model = copy.deepcopy(run.model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    labels = torch.from_numpy(tiny.grey.train.labels.astype(np.int64))
    raw, left = [], list(weights)
    for batch in batches:
        mine, left = left[: len(batch)], left[len(batch) :]
        losses = F.cross_entropy(model(as_float(tiny.grey)[batch]), labels[batch], reduction="none")
        optimizer.zero_grad()
        (sum(weight * loss for weight, loss in zip(mine, losses, strict=True)) / len(batch)).backward()
        optimizer.step()
        raw.append(losses.detach())
    seen = run.losses(batches, 0.01, weights=weights, micro_batch=micro_batch)
    np.testing.assert_allclose(seen, torch.cat(raw), rtol=1e-5, atol=1e-5)
    unweighted = open_run(optimizer=optimizer_named("sgd", momentum=0.9)).losses(batches, 0.01)
    assert np.abs(seen - unweighted)[len(batches[0]) :].max() > 0.01, "the weights were of no consequence"


def test_weights_of_one_are_no_weights(open_run: Callable[..., Any], batches: Batches) -> None:
    plain, weighted = open_run(), open_run()
    count = sum(map(len, batches))
    assert np.array_equal(plain.losses(batches), weighted.losses(batches, weights=[1.0] * count))
    assert all(torch.equal(plain.state()[key], tensor) for key, tensor in weighted.state().items())


# --- the same bits however it is cut


def final_state(run: Any) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in run.state().values())


@pytest.mark.parametrize("optimizer", [optimizer_named("sgd", momentum=0.9), optimizer_named("adam")])
def test_cutting_an_epoch_into_messages_changes_no_bit(
    open_run: Callable[..., Any], batches: Batches, optimizer: Named
) -> None:
    whole, tenths, single = (open_run(optimizer=optimizer, **NOISY) for _ in range(3))
    losses = [whole.losses(batches)]
    losses.append(np.concatenate([tenths.losses(batches[at : at + 3]) for at in range(0, len(batches), 3)]))
    losses.append(np.concatenate([single.losses([batch]) for batch in batches]))
    assert losses[0].tobytes() == losses[1].tobytes() == losses[2].tobytes()
    assert final_state(whole) == final_state(tenths) == final_state(single)
    assert whole.step == tenths.step == single.step == len(batches)


def test_noise_is_fresh_at_every_step_and_another_one_for_another_seed(open_run: Callable[..., Any]) -> None:
    still = [[0, 1, 2, 3]] * 6  # rate 0: only the noise differs from step to step
    per_step = open_run(**NOISY).losses(still, 0.0).reshape(6, 4)
    assert len(np.unique(per_step, axis=0)) == 6
    for part in ("model", "augmentation"):  # each kind of noise by itself
        alone = open_run(**{part: NOISY[part]}).losses(still, 0.0).reshape(6, 4)
        assert len(np.unique(alone, axis=0)) == 6
    without = open_run().losses(still, 0.0).reshape(6, 4)
    assert len(np.unique(without, axis=0)) == 1


def test_noise_follows_the_seed_and_not_torchs_generators(open_run: Callable[..., Any], batches: Batches) -> None:
    torch.manual_seed(1)
    first = open_run(**NOISY).losses(batches)
    torch.manual_seed(2)
    assert np.array_equal(open_run(**NOISY).losses(batches), first)
    assert not np.array_equal(open_run(seed=2, **NOISY).losses(batches), first)


def test_noise_of_modules_that_we_did_not_write_follows_the_step(
    open_run: Callable[..., Any], own_model: Callable[..., Named]
) -> None:
    def build(shape: tuple[int, int, int], classes: int, _options: NoOptions) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(shape[0] * shape[1] * shape[2], classes))

    model = own_model(build)
    whole, single = open_run(model=model), open_run(model=model)
    batches = [[0, 1, 2], [0, 1, 2], [3, 4]]
    together = whole.losses(batches)
    assert np.array_equal(together, np.concatenate([single.losses([batch]) for batch in batches]))
    assert not np.array_equal(together[:3], together[3:6])


@pytest.mark.parametrize("micro_batch", [1, 2, 4, 6, 100])
def test_micro_batches_have_the_noise_and_the_gradient_of_the_whole_batch(
    open_run: Callable[..., Any], batches: Batches, micro_batch: int
) -> None:
    """Same masks, another order of summation: 1e-5, relative to the largest, after an epoch with dropout and crops."""
    weights = np.linspace(0.5, 2, sum(map(len, batches))).tolist()
    whole, cut = open_run(**NOISY), open_run(**NOISY)
    expected = whole.losses(batches, 0.01, weights=weights)
    seen = cut.losses(batches, 0.01, weights=weights, micro_batch=micro_batch)
    np.testing.assert_allclose(seen, expected, rtol=1e-5, atol=1e-5)
    for key, tensor in whole.state().items():
        torch.testing.assert_close(cut.state()[key], tensor, rtol=0, atol=1e-5 * float(tensor.abs().max()))


@pytest.mark.parametrize("weighted", [False, True])
def test_micro_batches_have_the_whole_batchs_gradient_where_no_layer_is_counted_and_another_where_one_is(
    open_run: Callable[..., Any], own_model: Callable[..., Named], weighted: bool
) -> None:
    """The gradients that the step left in the parameters, their distance relative to the largest of each tensor: 1e-5
    without BatchNorm, more than 1e-3 with it."""
    batch, weights = [5, 9, 1, 33, 2, 60, 7], [0.0, 3.5, 1.0, 0.25, 10.0, 1.0, 2.0] if weighted else None

    def gradient(micro_batch: int | None, **changes: Any) -> tuple[int, list[Tensor]]:
        run = open_run(optimizer=optimizer_named("sgd"), **changes)
        run.train([batch], weights=weights, micro_batch=micro_batch)
        return run.opened.body.settings.batch_norm_layers, [parameter.grad for parameter in run.model.parameters()]

    def apart(**changes: Any) -> tuple[int, float]:
        counted, whole = gradient(None, **changes)
        _, cut = gradient(3, **changes)
        distances = [(a - b).abs().max() / a.abs().max() for a, b in zip(whole, cut, strict=True)]
        return counted, float(max(distances))

    layers, distance = apart()
    assert layers == 0
    assert distance < 1e-5
    layers, distance = apart(model=own_model(SmallBatchNormNet))
    assert layers == 1
    assert distance > 1e-3


class FrozenNorm(nn.BatchNorm2d):
    """Keeps to its running statistics, as fine-tuning does."""

    def train(self, _mode: bool = True) -> FrozenNorm:
        return super().train(False)


@pytest.mark.parametrize(
    ("module", "count"),
    [
        (nn.BatchNorm1d(2), 1),
        (nn.BatchNorm2d(2), 1),
        (nn.BatchNorm3d(2), 1),
        (nn.SyncBatchNorm(2), 1),
        (nn.BatchNorm2d(2, affine=False, track_running_stats=False), 1),
        (nn.Sequential(nn.BatchNorm2d(2), nn.Sequential(nn.SyncBatchNorm(2), nn.BatchNorm2d(2))), 3),
        (nn.Sequential(nn.GroupNorm(1, 2), nn.LayerNorm(2), nn.InstanceNorm2d(2, track_running_stats=True)), 0),
        (FrozenNorm(2), 0),
        (nn.Linear(2, 2), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_layers_that_look_at_the_batch_are_counted(module: nn.Module, count: int) -> None:
    assert len(batch_norm_layers(nn.Sequential(module).eval())) == count


def test_the_same_run_twice_has_the_same_bits_with_batch_norm(
    open_run: Callable[..., Any], own_model: Callable[..., Named], batches: Batches
) -> None:
    model = own_model(SmallBatchNormNet)
    assert np.array_equal(open_run(model=model).losses(batches), open_run(model=model).losses(batches))


# --- answers


def test_signals_are_those_of_the_step_that_trained(open_run: Callable[..., Any], tiny: SimpleNamespace) -> None:
    run = open_run()
    with torch.no_grad():
        logits = copy.deepcopy(run.model)(as_float(tiny.grey)[[4, 0, 7]])
    answer = run.train([[4, 0, 7]], signals=["prediction", "loss", "correct"])
    labels = torch.from_numpy(tiny.grey.train.labels.astype(np.int64))[[4, 0, 7]]
    assert list(answer.arrays) == ["prediction", "loss", "correct"]
    assert answer.arrays["prediction"].dtype == np.uint32
    assert answer.arrays["prediction"].tolist() == logits.argmax(1).tolist()
    assert answer.arrays["correct"].tolist() == (logits.argmax(1) == labels).int().tolist()
    np.testing.assert_allclose(answer.arrays["loss"], F.cross_entropy(logits, labels, reduction="none"), rtol=1e-6)


def test_a_diverging_run_is_answered_with_its_losses(open_run: Callable[..., Any], batches: Batches) -> None:
    run = open_run(optimizer=optimizer_named("sgd"))
    losses = run.losses(batches, 1e20)
    assert np.isfinite(losses[:6]).all()
    assert not np.isfinite(losses[-4:]).any()
    assert not np.isfinite(run.losses(batches, 1e20)).any()  # and goes on being answered


def test_bfloat16_trains_and_stays_near_float32(open_run: Callable[..., Any], batches: Batches) -> None:
    """8 bits of mantissa through three layers: losses within 2 % after 11 steps."""
    run = open_run(precision="bfloat16")
    half, full = run.losses(batches, 0.01), open_run().losses(batches, 0.01)
    assert half.dtype == np.float32
    assert not np.array_equal(half, full)
    np.testing.assert_allclose(half, full, rtol=0.02, atol=0.02)
    assert all(tensor.dtype == torch.float32 for tensor in run.state().values())


class Hungry(nn.Module):
    """Has no memory for more than two samples."""

    def __init__(self, shape: tuple[int, int, int], classes: int, _options: NoOptions) -> None:
        super().__init__()
        self.fc = nn.Linear(shape[1] * shape[2], classes)
        self.error: Callable[[], Exception] = torch.OutOfMemoryError

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 2:
            raise self.error()
        return self.fc(x.flatten(1))


def no_cpu_memory() -> Exception:
    """What torch says on the CPU."""
    return RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError,
        MemoryError,
        no_cpu_memory,
        lambda: RuntimeError("CUDA error: out of memory"),
        lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        lambda: RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
@pytest.mark.parametrize("how", ["train", "micro-batch", "score"])
def test_out_of_memory_names_the_size_that_failed(
    open_run: Callable[..., Any], own_model: Callable[..., Named], error: Callable[[], Exception], how: str
) -> None:
    run = open_run(model=own_model(Hungry))
    run.model.error = error
    with pytest.raises(BackendError) as refused:
        if how == "score":
            run.look("score", [0, 1, 2, 3, 4], ["loss"], batch_size=5)
        else:
            run.train([[0, 1], [0, 1, 2, 3, 4, 5, 6, 7]], micro_batch=5 if how == "micro-batch" else None)
    failed = 8 if how == "train" else 5
    assert refused.value.code == "out_of_memory"
    name, text = ("suggested_batch_size", "batch_size") if how == "score" else ("suggested_micro_batch", "microBatch")
    assert refused.value.details == {"batch_size": failed, name: failed // 2}
    assert f"{failed} samples" in refused.value.message
    assert f"{text} of {failed // 2}" in refused.value.message
    assert ("microBatch" in refused.value.message) == (how != "score")


class HungryBackward(nn.Module):
    """Has memory for the forward pass, and for no backward pass of more than two samples."""

    def __init__(self, shape: tuple[int, int, int], classes: int, _options: NoOptions) -> None:
        super().__init__()
        self.fc = nn.Linear(shape[1] * shape[2], classes)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.fc(x.flatten(1))
        if len(x) > 2 and logits.requires_grad:
            logits.register_hook(fail_for_memory)
        return logits


def test_out_of_memory_in_the_backward_pass_names_the_size_and_the_suggestion_works(
    open_run: Callable[..., Any], own_model: Callable[..., Named]
) -> None:
    batch, weights = list(range(8)), [1.0] * 8
    model = own_model(HungryBackward)
    size: int | None = None
    tried = []
    while size is None or size > 2:  # a user who does what the error says comes to what fits
        run = open_run(model=model)
        with pytest.raises(BackendError) as refused:
            run.train([batch], weights=weights, micro_batch=size)
        assert refused.value.code == "out_of_memory"
        size = refused.value.details["suggested_micro_batch"]
        assert f"microBatch of {size}" in refused.value.message
        tried.append((refused.value.details["batch_size"], size))
    assert tried == [(8, 4), (4, 2)]
    assert open_run(model=model).train([batch], weights=weights, micro_batch=size).body.batches_done == 1


def test_out_of_memory_in_the_optimiser_is_out_of_memory(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError

    run = open_run(optimizer=optimizer_named("adam"))
    monkeypatch.setattr(torch.optim.Adam, "step", fail)
    with pytest.raises(BackendError) as refused:
        run.train([[0, 1, 2]])
    assert refused.value.code == "out_of_memory"


@pytest.mark.parametrize("how", ["train", "score"])
def test_where_not_one_sample_fits_no_smaller_number_is_suggested(
    open_run: Callable[..., Any], own_model: Callable[..., Named], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    run = open_run(model=own_model(Hungry))
    monkeypatch.setattr(run.model, "forward", fail_for_memory)
    with pytest.raises(BackendError) as refused:
        run.train([[0]]) if how == "train" else run.look("score", [0], ["loss"])
    assert (refused.value.code, refused.value.details) == ("out_of_memory", {"batch_size": 1})
    assert "the model itself does not fit" in refused.value.message


@pytest.mark.parametrize("how", ["train", "score"])
@pytest.mark.parametrize("where", ["upload", "SignalBuffer", "Download"])
def test_out_of_memory_around_the_batches_is_out_of_memory_too(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, how: str, where: str
) -> None:
    run = open_run()
    monkeypatch.setattr(training if how == "train" else evaluation, where, fail_for_memory)
    with pytest.raises(BackendError) as refused:
        run.train([[0, 1]]) if how == "train" else run.look("score", [0, 1], ["loss"])
    assert refused.value.code == "out_of_memory"


def fail_for_memory(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError


def test_another_error_of_the_model_is_itself(open_run: Callable[..., Any], own_model: Callable[..., Named]) -> None:
    run = open_run(model=own_model(Hungry))
    run.model.error = lambda: RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        run.train([[0, 1, 2]])
