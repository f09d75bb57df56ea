"""Whether model, loss and optimiser fit data and session: tried on copies before anything is trained."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import Parameter

from .errors import BackendError
from .generators import drawn, generators_kept, seed_all, states
from .learner import Learner, autocast
from .listed import listed
from .memory_format import MemoryFormat, in_format, lay_out
from .noise import StepNoise, attach
from .references.class_names import without_samples
from .references.whose import Telling
from .resident import DataPart
from .torch_state import TorchState

SAMPLES = 2
SEED = 0


@dataclass(frozen=True)
class Fit:
    """least_batch_size: fewest samples that a training pass takes. deterministic: whether equal passes gave equal bits.
    notices: a line each, for a person."""

    least_batch_size: int = 1
    deterministic: bool = True
    memory_format: MemoryFormat = "channels_last"
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tried:
    """What is tried, and the optimiser that a copy of the model gets."""

    learner: Learner
    build_optimizer: Callable[[Iterable[Parameter]], torch.optim.Optimizer]
    data: DataPart
    class_count: int
    torch_state: TorchState

    @property
    def model_name(self) -> str:
        return self.learner.model_reference or "the model"

    @property
    def loss_name(self) -> str:
        return self.learner.loss_reference or "cross-entropy"

    @property
    def is_own(self) -> bool:
        """Whether something of it is the user's."""
        return self.learner.model_reference is not None or self.learner.loss_reference is not None

    def in_format(self, memory_format: MemoryFormat) -> Tried:
        return replace(self, learner=replace(self.learner, memory_format=memory_format))


@dataclass
class Pass:
    """A training pass: what each layer gave, in the sequence in which they were called, and the gradients."""

    layers: list[tuple[str, Tensor]] = field(default_factory=list)
    gradients: dict[str, Tensor | None] = field(default_factory=dict)
    drawn_from: list[str] = field(default_factory=list)


def fit(tried: Tried, *, equal_bits: bool) -> Fit:
    """Tries what a run will do, on copies: model, optimiser and generators stay as they are. Of what is all ours only
    the least batch is tried. A model of the user's that does not bear channels last, in which the learner has it, is
    tried in torch's usual format.

    Raises BackendError (bad_reference) naming what does not fit: what the model returns, what the loss returns, no
    parameter that gets a gradient, and, where equal bits are asked for, a layer that does not give them.
    """
    with generators_kept(tried.learner.device):
        if not tried.is_own:
            least = least_batch_size(tried) if tried.learner.batch_norms else 1
            return Fit(least, memory_format=tried.learner.memory_format)
        try:
            return rehearse(tried, equal_bits=equal_bits)
        except BackendError as error:
            if tried.learner.model_reference is None or tried.learner.memory_format == "contiguous":
                raise
            refused = error.message.removeprefix(f"{tried.model_name}: ")
        contiguous = rehearse(tried.in_format("contiguous"), equal_bits=equal_bits)
        notice = (
            f"{tried.model_name} is trained in torch's usual memory format, since it does not bear channels last "
            f"({refused})"
        )
        return replace(contiguous, notices=(*contiguous.notices, notice))


def rehearse(tried: Tried, *, equal_bits: bool) -> Fit:
    """Two equal training passes, and then, as a run goes on: a step, another pass, evaluations, another pass. What code
    of the user's changes of torch in the first pass is set back, and refused where it does so again."""
    first = training_pass(tried, copied(tried, SAMPLES))
    set_back = tried.torch_state.restore(f"a first training pass of {tried.model_name}")
    if set_back:
        first = training_pass(tried, copied(tried, SAMPLES))  # that one was computed otherwise
    learner = copied(tried, SAMPLES)
    again = training_pass(tried, learner)
    where = first_difference(first, again)
    with Telling(tried.model_name, "the optimiser's step failed"):
        learner.optimizer.step()
    training_pass(tried, learner, "a training pass after another one failed")
    for count in (SAMPLES, 1):
        evaluation_pass(tried, learner, count)
    training_pass(tried, learner, "a training pass after an evaluation failed")
    tried.torch_state.refuse_changes(f"{tried.model_name}, each time it was tried,")
    notices = [*set_back, *gradient_notices(tried, first)]
    if first.drawn_from:
        notices.append(
            f"{tried.model_name} draws from {listed(first.drawn_from)} default generators, which are seeded at each "
            "step: its noise follows from seed and step, as it should, but changes with microBatch"
        )
    if where is not None:
        line = f"{tried.model_name} gave other bits when an equal pass was made again, first in {where}"
        if equal_bits:
            raise BackendError("bad_reference", f"{line}; backend.equalBits asks for equal ones")
        notices.append(f"{line}: equal runs will differ")
    return Fit(least_batch_size(tried), where is None, tried.learner.memory_format, tuple(notices))


def training_pass(tried: Tried, learner: Learner, otherwise: str | None = None) -> Pass:
    """Forward and backward of one batch, in training mode, from seeded generators. otherwise: what is said where the
    user's code raises."""
    learner.model.train()
    images, labels = samples(tried.data, SAMPLES)
    seed_all(learner.device, SEED)
    before = states(learner.device)
    seen = Pass()
    with watching_layers(learner.model, seen):
        learner.optimizer.zero_grad(set_to_none=True)
        losses = losses_of(tried, learner, images, labels, otherwise)
        with Telling(tried.model_name, otherwise or "the backward pass failed"):
            losses.sum().backward()
    seen.drawn_from = drawn(before, states(learner.device))
    seen.gradients = {name: parameter.grad for name, parameter in learner.model.named_parameters()}
    return seen


def evaluation_pass(tried: Tried, learner: Learner, count: int) -> None:
    learner.model.eval()
    with torch.no_grad():
        logits_of(tried, learner, samples(tried.data, count)[0])


def least_batch_size(tried: Tried) -> int:
    """1, or 2 where a training pass does not take a single sample, as with BatchNorm on maps of one pixel."""
    learner = copied(tried, 1)
    try:
        losses_of(tried, learner, *samples(tried.data, 1))
    except BackendError:
        return SAMPLES
    return 1


def copied(tried: Tried, count: int) -> Learner:
    """With a copy of the model in training mode, one of a loss that is a module, and noise of its own for so many
    samples."""
    learner, device = tried.learner, tried.learner.device
    with Telling(tried.model_name, "it cannot be copied, and so not be tried"):
        model = copy.deepcopy(learner.model).train()
    with Telling(tried.model_name, "its memory format cannot be changed"):
        lay_out(model, learner.memory_format)
    loss = learner.loss
    if isinstance(loss, nn.Module):  # it may keep what it saw
        with Telling(tried.loss_name, "it cannot be copied, and so not be tried"):
            loss = copy.deepcopy(loss)
    noise = StepNoise()
    layers = attach(model, noise)
    noise.set(torch.zeros(1 + len(layers), dtype=torch.int64, device=device), torch.arange(count, device=device))
    what = "the parameters of its copy cannot be trained (of a torch.jit.script, say: give the module itself)"
    with Telling(tried.model_name, what):
        optimizer = tried.build_optimizer(model.parameters())
    return replace(learner, model=model, loss=loss, noise=noise, optimizer=optimizer)


def samples(data: DataPart, count: int) -> tuple[Tensor, Tensor]:
    """The first of them, the same one again where there is no other: images [B, C, H, W] and labels [B]."""
    indices = np.arange(count, dtype=np.uint32) % data.size
    rows = torch.from_numpy(indices.astype("i8")).to(data.device)
    data.pixels.expect([indices])
    return data.batch(rows), data.labels[rows]


def losses_of(tried: Tried, learner: Learner, images: Tensor, labels: Tensor, otherwise: str | None = None) -> Tensor:
    """One a sample, [B]. Raises BackendError (bad_reference) where they are none."""
    logits = logits_of(tried, learner, images, otherwise)
    with Telling(tried.loss_name, otherwise or "it failed"):
        losses: object = learner.loss(logits, labels)
    return checked_losses(tried, losses, len(labels))


def logits_of(tried: Tried, learner: Learner, images: Tensor, otherwise: str | None = None) -> Tensor:
    """Raises BackendError (bad_reference) where they are no logits."""
    what = otherwise or f"it failed on images {list(images.shape)}"
    with Telling(tried.model_name, what), autocast(learner):
        given: object = learner.model(in_format(images, learner.memory_format))
    expected = [len(images), tried.class_count]
    if not isinstance(given, Tensor):
        raise mistake(tried.model_name, f"returned a {type(given).__name__}; expected logits, a tensor {expected}")
    if list(given.shape) != expected:
        hint = classes_hint(tried) if given.dim() == 2 and len(given) == len(images) else ""
        raise mistake(tried.model_name, f"returned {list(given.shape)}; expected logits {expected}{hint}")
    if not given.is_floating_point():
        raise mistake(tried.model_name, f"returned {given.dtype}; expected floating logits")
    return given.float()


def classes_hint(tried: Tried) -> str:
    """What to do about another number of logits."""
    count = tried.class_count
    empty = without_samples(tried.data.labels.cpu().numpy(), count)
    numbered = f", though none of its samples has class {empty[0]}: are its labels numbered from 0 on?" if empty else ""
    return f": the dataset has {count} classes{numbered}; say so in `args`, by the model's name for it"


def checked_losses(tried: Tried, losses: object, count: int) -> Tensor:
    if not isinstance(losses, Tensor):
        raise mistake(tried.loss_name, f"returned a {type(losses).__name__}; expected a tensor [{count}]")
    if list(losses.shape) != [count]:
        hint = ": take `reduction: none`" if losses.dim() == 0 else ""
        raise mistake(tried.loss_name, f"returned {list(losses.shape)}; expected one value a sample, [{count}]{hint}")
    if not losses.requires_grad:
        raise mistake(
            tried.learner.model_reference or tried.loss_name,
            "the losses have no gradient: no parameter would be trained",
        )
    return losses


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


@contextmanager
def watching_layers(model: nn.Module, seen: Pass) -> Iterator[None]:
    """Keeps what every module without modules of its own returns meanwhile."""

    def watch(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                seen.layers.append((name, output.detach().clone()))

        return keep

    handles = [
        module.register_forward_hook(watch(name or type(module).__name__))
        for name, module in model.named_modules()
        if next(module.children(), None) is None
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


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
    a, b = a.to_dense(), b.to_dense()
    return a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num())


def mistake(name: str, what: str) -> BackendError:
    return BackendError("bad_reference", f"{name}: {what}")
