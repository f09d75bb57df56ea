"""Whether a model or a loss of the user's fits data and session: tried on copies before anything is trained."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .device import is_out_of_memory, seed_default_generators
from .errors import BackendError
from .noise import StepNoise, attach
from .references.importing import failed
from .resident import DataPart
from .training import Learner, autocast

T = TypeVar("T")

SAMPLES = 2
NAMES_SHOWN = 5
SEED = 0


@dataclass(frozen=True)
class Fit:
    """least_batch_size: fewest samples that a training pass takes. deterministic: whether equal passes gave equal bits.
    notices: a line each, for a person."""

    least_batch_size: int = 1
    deterministic: bool = True
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tried:
    """What is tried: references of model and loss, where they are the user's; what is expected of them."""

    learner: Learner
    data: DataPart
    class_count: int
    model_reference: str | None
    loss_reference: str | None

    @property
    def model_name(self) -> str:
        return self.model_reference or "the model"

    @property
    def loss_name(self) -> str:
        return self.loss_reference or "cross-entropy"


@dataclass
class Pass:
    """A training pass: what each layer gave, in the sequence in which they were called, and the gradients."""

    layers: list[tuple[str, Tensor]] = field(default_factory=list)
    gradients: dict[str, Tensor | None] = field(default_factory=dict)
    used_default_generator: bool = False


def try_fit(tried: Tried, *, equal_bits: bool) -> Fit:
    """Passes over the first samples, with copies: model, optimiser and generators stay as they are.

    Raises BackendError (bad_reference) naming what does not fit: what the model returns, what the loss returns, no
    parameter that gets a gradient, and, where equal bits are asked for, a layer that does not give them.
    """
    with default_generators_kept(tried.learner.device):
        first, again = training_pass(tried), training_pass(tried)
        evaluation_pass(tried)
        least = least_batch_size(tried)
    notices = [*gradient_notices(tried, first)]
    if first.used_default_generator:
        notices.append(
            f"{tried.model_name} draws from torch's default generators, which are seeded at each step: its noise "
            "follows from seed and step, but changes with microBatch"
        )
    where = first_difference(first, again)
    if where is not None:
        line = f"{tried.model_name} gave other bits when an equal pass was made again, first in {where}"
        if equal_bits:
            raise BackendError("bad_reference", f"{line}; backend.equalBits asks for equal ones")
        notices.append(f"{line}: equal runs will differ")
    return Fit(least, where is None, tuple(notices))


@contextmanager
def default_generators_kept(device: torch.device) -> Iterator[None]:
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def training_pass(tried: Tried) -> Pass:
    """Forward and backward of one batch, in training mode, from seeded generators."""
    learner = copied(tried.learner, SAMPLES)
    seen = Pass()
    watch_layers(learner.model, seen)
    images, labels = samples(tried.data, SAMPLES)
    seed_default_generators(learner.device, SEED)
    before = torch.default_generator.get_state()
    logits = logits_of(tried, learner, images)
    losses = guarded(tried.loss_name, "it failed", lambda: learner.loss(logits, labels))
    check_losses(tried, losses, len(labels))
    guarded(tried.model_name, "the backward pass failed", lambda: losses.sum().backward())
    seen.used_default_generator = not torch.equal(before, torch.default_generator.get_state())
    seen.gradients = {name: parameter.grad for name, parameter in learner.model.named_parameters()}
    return seen


def evaluation_pass(tried: Tried) -> None:
    learner = copied(tried.learner, SAMPLES)
    learner.model.eval()
    with torch.no_grad():
        logits_of(tried, learner, samples(tried.data, SAMPLES)[0])


def least_batch_size(tried: Tried) -> int:
    """1, or 2 where a training pass does not take a single sample, as with BatchNorm on maps of one pixel."""
    learner = copied(tried.learner, 1)
    images, _ = samples(tried.data, 1)
    try:
        with torch.no_grad(), autocast(learner):
            learner.model(images)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return SAMPLES
    return 1


def copied(learner: Learner, count: int) -> Learner:
    """With a copy of the model in training mode, and noise of its own for so many samples."""
    model = copy.deepcopy(learner.model).train()
    noise = StepNoise()
    layers = attach(model, noise)
    device = learner.device
    noise.set(torch.zeros(1 + len(layers), dtype=torch.int64, device=device), torch.arange(count, device=device))
    return replace(learner, model=model, noise=noise)


def samples(data: DataPart, count: int) -> tuple[Tensor, Tensor]:
    """The first of them, the same one again where there is no other: images [B, C, H, W] and labels [B]."""
    indices = np.arange(count, dtype=np.uint32) % data.size
    rows = torch.from_numpy(indices.astype("i8")).to(data.device)
    data.pixels.expect([indices])
    return data.batch(rows), data.labels[rows]


def logits_of(tried: Tried, learner: Learner, images: Tensor) -> Tensor:
    """Raises BackendError (bad_reference) where they are no logits."""
    with autocast(learner):
        given: object = guarded(
            tried.model_name, f"it failed on images {list(images.shape)}", lambda: learner.model(images)
        )
    expected = [len(images), tried.class_count]
    if not isinstance(given, Tensor):
        raise mistake(tried.model_name, f"returned a {type(given).__name__}; expected logits, a tensor {expected}")
    if list(given.shape) != expected:
        hint = (
            f": the dataset has {tried.class_count} classes; say so in `args`, as num_classes: {tried.class_count}"
            if given.dim() == 2 and len(given) == len(images)
            else ""
        )
        raise mistake(tried.model_name, f"returned {list(given.shape)}; expected logits {expected}{hint}")
    if not given.is_floating_point():
        raise mistake(tried.model_name, f"returned {given.dtype}; expected floating logits")
    return given.float()


def check_losses(tried: Tried, losses: object, count: int) -> None:
    if not isinstance(losses, Tensor):
        raise mistake(tried.loss_name, f"returned a {type(losses).__name__}; expected a tensor [{count}]")
    if list(losses.shape) != [count]:
        hint = ": take `reduction: none`" if losses.dim() == 0 else ""
        raise mistake(tried.loss_name, f"returned {list(losses.shape)}; expected one value a sample, [{count}]{hint}")
    if not losses.requires_grad:
        raise mistake(
            tried.model_name if tried.model_reference else tried.loss_name,
            "the losses have no gradient: no parameter would be trained",
        )


def gradient_notices(tried: Tried, seen: Pass) -> Iterator[str]:
    """Raises BackendError (bad_reference) where nothing would be trained."""
    parameters = dict(tried.learner.model.named_parameters())
    frozen = [name for name, parameter in parameters.items() if not parameter.requires_grad]
    without = [name for name, gradient in seen.gradients.items() if gradient is None and name not in frozen]
    if len(frozen) + len(without) == len(parameters):
        raise mistake(tried.model_name, "none of its parameters gets a gradient: nothing would be trained")
    if without:
        yield f"{tried.model_name}: no gradient comes to {listed(without)}; they will not be trained"
    if frozen:
        yield f"{tried.model_name}: {listed(frozen)} are frozen (requires_grad is False)"


def watch_layers(model: nn.Module, seen: Pass) -> None:
    """Keeps what every module without modules of its own returns."""

    def watch(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                seen.layers.append((name, output.detach().clone()))

        return keep

    for name, module in model.named_modules():
        if next(module.children(), None) is None:
            module.register_forward_hook(watch(name or type(module).__name__))


def first_difference(first: Pass, again: Pass) -> str | None:
    """Where two passes differ first: in what a layer gave, else in a gradient."""
    for (name, output), (_, other) in zip(first.layers, again.layers, strict=False):
        if not same_bits(output, other):
            return f"the output of {name}"
    for name, gradient in first.gradients.items():
        other_gradient = again.gradients[name]
        if gradient is not None and other_gradient is not None and not same_bits(gradient, other_gradient):
            return f"the gradient of {name}"
    return None


def same_bits(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num())


def guarded(name: str, what: str, act: Callable[[], T]) -> T:
    """What the user's code gives. Raises BackendError (bad_reference) with what it raised, but for lack of memory."""
    try:
        return act()
    except Exception as error:
        if is_out_of_memory(error) or isinstance(error, BackendError):
            raise
        raise failed(name, what, error) from None


def listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def mistake(name: str, what: str) -> BackendError:
    return BackendError("bad_reference", f"{name}: {what}")
