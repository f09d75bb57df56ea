"""What a learner is between two steps: all that a checkpoint must hold, and how it is put back.

    model.NAME              every entry of the model's state dict, and its buffers that are in none
    loss.NAME               the same of a loss that is a module
    optimizer.KEY.PARAMETER what the optimiser keeps of a parameter: momentum_buffer, exp_avg, step, …

No generator is among it: noise follows from seed, step and place. No group of the optimiser either: the learning rate
comes with each batch, and SGD, Adam and AdamW change nothing else of a group.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from . import exact_values
from .device import raw_bytes
from .errors import BackendError
from .references.whose import Telling
from .state_document import DTYPES, State
from .training import Learner

NAMES_SHOWN = 3
EXTRA_STATE = "_extra_state"
"""How torch ends the name of what a module's get_extra_state gave: of any type and shape."""

BuildOptimizer: TypeAlias = Callable[[Iterable[Parameter]], torch.optim.Optimizer]
OptimizerState: TypeAlias = dict[str, dict[str, Any]]
"""Parameter → key → tensor or value."""
Kind: TypeAlias = tuple[torch.dtype, tuple[int, ...]]


@dataclass(frozen=True)
class Part:
    """A module that has state: `name` is what its entries begin with."""

    name: str
    module: nn.Module
    reference: str | None

    @property
    def title(self) -> str:
        return self.reference or f"the {self.name}"

    def state(self) -> dict[str, Any]:
        """Its state dict, of any types. Raises BackendError (bad_reference) with what the user's code raises."""
        with Telling(self.reference, f"the state of the {self.name} could not be read"):
            return self.module.state_dict()

    def other_buffers(self, state: Mapping[str, Any]) -> dict[str, Tensor]:
        """Those that are not in the state dict."""
        return {name: buffer for name, buffer in self.module.named_buffers() if name not in state}


def parts(learner: Learner) -> list[Part]:
    found = [Part("model", learner.model, learner.model_reference)]
    if isinstance(learner.loss, nn.Module):
        found.append(Part("loss", learner.loss, learner.loss_reference))
    return found


def kinds(learner: Learner) -> dict[str, Kind]:
    """Of every tensor that could be saved of model and loss, but for what modules add to a state dict of their own."""
    return {
        f"{part.name}.{name}": kind(entry)
        for part in parts(learner)
        for state in [part.state()]
        for name, entry in {**part.other_buffers(state), **state}.items()
        if isinstance(entry, Tensor) and not is_extra(name)
    }


def read_state(learner: Learner, step: int, opened: Mapping[str, Kind]) -> tuple[State, list[str]]:
    """All of it, as it is now: the tensors themselves. opened: `kinds` as they were at first, which they must be when
    the state is put back. Also gives lines for a person: buffers that are left out.

    Raises BackendError (bad_reference) naming what cannot be saved.
    """
    tensors: dict[str, Tensor] = {}
    values: dict[str, Any] = {}
    notices: list[str] = []
    for part in parts(learner):
        state = part.state()
        for name, entry in state.items():
            full = f"{part.name}.{name}"
            if isinstance(entry, Tensor):
                tensors[full] = savable(part, name, entry)
                if not is_extra(name):
                    refuse_other_kind(part, name, entry, opened.get(full))
            else:
                values[full] = savable_value(part, name, entry)
        for name, buffer in part.other_buffers(state).items():
            full = f"{part.name}.{name}"
            if opened.get(full) == kind(buffer):
                tensors[full] = savable(part, name, buffer)
            else:
                notices.append(
                    f"{part.title}: buffer {name} is not in the checkpoint: it is not persistent, and "
                    f"{shown(kind(buffer))} now, but {shown(opened.get(full))} when the session was opened"
                )
    names = {id(parameter): name for name, parameter in learner.model.named_parameters()}
    of_optimizer = Part("optimizer", learner.model, None)
    for parameter, entries in learner.optimizer.state.items():
        for key, entry in entries.items():
            name = f"{key}.{names[id(parameter)]}"
            if isinstance(entry, Tensor):
                tensors[f"optimizer.{name}"] = savable(of_optimizer, name, entry)
            else:
                values[f"optimizer.{name}"] = savable_value(of_optimizer, name, entry)
    return State(step, class_of(learner.optimizer), tensors, values), notices


def savable(part: Part, name: str, tensor: Tensor) -> Tensor:
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta or tensor.dtype not in DTYPES:
        what = f"a tensor of {tensor.dtype}, {tensor.layout}{' on meta' if tensor.is_meta else ''}"
        raise not_savable(part, name, what)
    return tensor.detach()


def savable_value(part: Part, name: str, value: object) -> object:
    try:
        exact_values.encode(value)
    except (TypeError, RecursionError) as error:
        raise not_savable(part, name, f"a {type(value).__qualname__} ({error})") from None
    return value


def not_savable(part: Part, name: str, what: str) -> BackendError:
    return BackendError(
        "bad_reference",
        f"{part.title}: {name} is {what}, which cannot be saved without pickle; keep it in a buffer, or set "
        "`checkpoint: null`",
    )


def refuse_other_kind(part: Part, name: str, tensor: Tensor, opened: Kind | None) -> None:
    if kind(tensor) != opened:
        raise BackendError(
            "bad_reference",
            f"{part.title}: {name} is {shown(kind(tensor))} now, and was {shown(opened)} when the session was opened: "
            "it could not be put back. Make it where the model is made and change its values in place, or set "
            "`checkpoint: null`",
        )


# --- back


def fresh_optimizer_state(learner: Learner, build: BuildOptimizer) -> OptimizerState:
    """What the optimiser keeps after a step: made by one that is built alike, over copies of the parameters with zeros
    for gradients. So keys, shapes, devices and strides are those that the optimiser makes itself."""
    copies = {
        name: Parameter(parameter.detach().clone(), requires_grad=parameter.is_floating_point())
        for name, parameter in learner.model.named_parameters()
    }
    for copy in copies.values():
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
    for entries in fresh.values():
        yield from (entry for entry in entries.values() if isinstance(entry, Tensor))


def bad_state(what: str) -> BackendError:
    return BackendError("bad_state", f"the state cannot be loaded: {what}")


def is_extra(name: str) -> bool:
    return name.rpartition(".")[2] == EXTRA_STATE


def class_of(optimizer: torch.optim.Optimizer) -> str:
    return f"{type(optimizer).__module__}.{type(optimizer).__qualname__}"


def kind(tensor: Tensor) -> Kind:
    return tensor.dtype, tuple(tensor.shape)


def shown(seen: Kind | None) -> str:
    return "not there" if seen is None else f"{str(seen[0]).removeprefix('torch.')} {list(seen[1])}"


def listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
