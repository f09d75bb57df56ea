"""What a learner is between two steps: all that a checkpoint must hold.

    model.NAME              every entry of the model's state dict, and its buffers that are in none
    loss.NAME               the same of a loss that is a module
    optimizer.KEY.PARAMETER what the optimiser keeps of a parameter: momentum_buffer, exp_avg, step, …
    averaged.PARAMETER      its mean over updates, once one was counted in; and how many, `averaged_updates`

No generator is among it: noise follows from seed, step and place. No group of the optimiser either: the learning rate
comes with each batch, and SGD, Adam and AdamW change nothing else of a group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from . import exact_values
from .errors import BackendError
from .learner import Learner
from .references.whose import Telling
from .state_document import DTYPES, State

EXTRA_STATE = "_extra_state"
"""How torch ends the name of what a module's get_extra_state gave: of any type and shape."""

AVERAGED_UPDATES = "averaged_updates"

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
    return {name: kind(tensor) for name, tensor in tensors_of(learner).items() if not is_extra(name)}


def tensors_of(learner: Learner) -> dict[str, Tensor]:
    """All that model and loss keep: the tensors themselves."""
    return {
        f"{part.name}.{name}": entry
        for part in parts(learner)
        for state in [part.state()]
        for name, entry in {**part.other_buffers(state), **state}.items()
        if isinstance(entry, Tensor)
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
    if learner.averaged.count:
        tensors |= {f"averaged.{name}": mean for name, mean in learner.averaged.means.items()}
        values[AVERAGED_UPDATES] = learner.averaged.count
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


def is_extra(name: str) -> bool:
    return name.rpartition(".")[2] == EXTRA_STATE


def class_of(optimizer: torch.optim.Optimizer) -> str:
    return f"{type(optimizer).__module__}.{type(optimizer).__qualname__}"


def kind(tensor: Tensor) -> Kind:
    return tensor.dtype, tuple(tensor.shape)


def shown(seen: Kind | None) -> str:
    return "not there" if seen is None else f"{str(seen[0]).removeprefix('torch.')} {list(seen[1])}"
