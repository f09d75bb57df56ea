"""How a state is put back into a learner: checked as a whole before anything is changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import Parameter

from .device import raw_bytes
from .errors import BackendError
from .learner import Learner
from .learner_state import AVERAGED_UPDATES, class_of, is_extra, kind, parts, shown
from .listed import listed
from .references.whose import Telling
from .state_document import State

BuildOptimizer: TypeAlias = Callable[[Iterable[Parameter]], torch.optim.Optimizer]
OptimizerState: TypeAlias = dict[str, dict[str, Any]]
"""Parameter → key → tensor or value."""


def fresh_optimizer_state(learner: Learner, build: BuildOptimizer) -> OptimizerState:
    """What the optimiser keeps after a step: made by one that is built alike, over copies of the parameters with zeros
    for gradients. So keys, shapes, devices and strides are those that the optimiser makes itself."""
    copies = {
        name: Parameter(parameter.detach().clone(), requires_grad=parameter.is_floating_point())
        for name, parameter in learner.model.named_parameters()
    }
    for copy in copies.values():
        if copy.requires_grad:  # a parameter of integers never has a gradient
            copy.grad = torch.zeros_like(copy)
    optimizer = build(copies.values())
    optimizer.step()
    return {name: dict(optimizer.state[copy]) for name, copy in copies.items() if copy in optimizer.state}


def refuse_other_state(learner: Learner, state: State, fresh: OptimizerState) -> None:
    """Raises BackendError (bad_state) where it is not of this model and this optimiser, naming what was seen and what
    was expected."""
    expected_class = class_of(learner.optimizer)
    if state.optimizer != expected_class:
        raise bad_state(f"it is of the optimiser {state.optimizer}; this session has {expected_class}")
    required, optional = expected_names(learner)
    kept = kept_parameters(state, fresh)
    required |= {f"optimizer.{key}.{name}": entry for name in kept for key, entry in fresh[name].items()}
    seen = {*state.tensors, *state.values}
    if AVERAGED_UPDATES in seen:
        required |= {AVERAGED_UPDATES: 0, **expected_means(learner)}
        count = state.values.get(AVERAGED_UPDATES)
        if not isinstance(count, int) or not 0 < count <= state.step:
            raise bad_state(f"{AVERAGED_UPDATES} is {count!r}; expected 1 to {state.step}, the step")
    if missing := [name for name in required if name not in seen]:
        raise bad_state(f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    expected = {**optional, **required}
    if unknown := sorted(seen - set(expected)):
        raise bad_state(f"{listed(unknown)} {'is' if len(unknown) == 1 else 'are'} not of this session")
    for name, entry in expected.items():
        if is_extra(name) or name not in seen:
            continue
        if isinstance(entry, Tensor) != (name in state.tensors):
            is_now = "a tensor" if isinstance(entry, Tensor) else "no tensor"
            raise bad_state(f"{name} is {'a tensor' if name in state.tensors else 'no tensor'}; expected {is_now}")
        if isinstance(entry, Tensor) and kind(state.tensors[name]) != kind(entry):
            raise bad_state(f"{name} is {shown(kind(state.tensors[name]))}; expected {shown(kind(entry))}")


def expected_names(learner: Learner) -> tuple[dict[str, Any], dict[str, Any]]:
    """Entries of model and loss that must be there, and those that may be."""
    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    for part in parts(learner):
        state = part.state()
        required |= {f"{part.name}.{name}": entry for name, entry in state.items()}
        optional |= {f"{part.name}.{name}": entry for name, entry in part.other_buffers(state).items()}
    return required, optional


def expected_means(learner: Learner) -> dict[str, Tensor]:
    """Once an update was counted into the mean of the weights."""
    return {f"averaged.{name}": mean for name, mean in learner.averaged.expected().items()}


def kept_parameters(state: State, fresh: OptimizerState) -> list[str]:
    """Those that the saved optimiser kept something of: a parameter that never had a gradient has nothing."""
    seen = {*state.tensors, *state.values}
    return [name for name, entries in fresh.items() if any(f"optimizer.{key}.{name}" in seen for key in entries)]


def put_back(learner: Learner, state: State, fresh: OptimizerState) -> None:
    """Copies the state into the model's own tensors, and into those of `fresh`, which the optimiser gets. The state
    was not refused. Raises BackendError (bad_reference) with what the user's code raises, or where the model then has
    another state; either leaves it in an unknown one."""
    for part in parts(learner):
        own = part.state()
        given: OrderedDict[str, Any] = OrderedDict((name, entry_of(state, f"{part.name}.{name}")) for name in own)
        given._metadata = getattr(own, "_metadata", OrderedDict())  # type: ignore[attr-defined]  # versions of layers
        with Telling(part.reference, f"the state of the {part.name} could not be put back"):
            part.module.load_state_dict(given)
        with torch.no_grad():
            for name, buffer in part.other_buffers(own).items():
                if f"{part.name}.{name}" in state.tensors:
                    buffer.copy_(state.tensors[f"{part.name}.{name}"])
    parameters = dict(learner.model.named_parameters())
    for name in kept_parameters(state, fresh):
        kept = learner.optimizer.state[parameters[name]]
        for key, entry in fresh[name].items():
            saved = entry_of(state, f"optimizer.{key}.{name}")
            kept[key] = entry.copy_(saved) if isinstance(entry, Tensor) else saved
    if AVERAGED_UPDATES in state.values:
        means = {name: state.tensors[f"averaged.{name}"] for name in learner.averaged.expected()}
        learner.averaged.put_back(state.values[AVERAGED_UPDATES], means)
    refuse_other_values(learner, state)


def refuse_other_values(learner: Learner, state: State) -> None:
    """What is there now must be what was put back, to the bit."""
    for part in parts(learner):
        own = part.state()
        for name, entry in {**part.other_buffers(own), **own}.items():
            saved = entry_of(state, f"{part.name}.{name}")
            if isinstance(entry, Tensor) and isinstance(saved, Tensor) and not equal_bytes(entry, saved):
                raise BackendError(
                    "bad_reference",
                    f"{part.title}: {name} was put back, and then had other values: its load_state_dict changes it",
                )


def entry_of(state: State, name: str) -> Any:
    return state.tensors[name] if name in state.tensors else state.values.get(name)


def equal_bytes(a: Tensor, b: Tensor) -> bool:
    return torch.equal(raw_bytes(a).cpu(), raw_bytes(b).cpu())


def state_bytes(learner: Learner, fresh: OptimizerState) -> int:
    """Of all tensors that a state of this learner may have."""
    return sum(entry.numel() * entry.element_size() for entry in all_tensors(learner, fresh))


def all_tensors(learner: Learner, fresh: OptimizerState) -> Iterator[Tensor]:
    for names in expected_names(learner):
        yield from (entry for entry in names.values() if isinstance(entry, Tensor))
    yield from expected_means(learner).values()
    for entries in fresh.values():
        yield from (entry for entry in entries.values() if isinstance(entry, Tensor))


def bad_state(what: str) -> BackendError:
    return BackendError("bad_state", f"the state cannot be loaded: {what}")
