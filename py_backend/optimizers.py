"""The optimisers that a config can name. The learning rate is not among their options: each batch brings its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from msgspec import Meta, Struct
from torch import Tensor
from torch.nn import Parameter

from .choice import find_in

WEIGHT_DECAY_HELP = "L2 penalty on all parameters, added to the gradient"


@dataclass(frozen=True)
class OptimizerDefinition:
    """One optimiser. `build(parameters, options, fused_on)` starts it with learning rate 0. fused_on: a device where
    one kernel updates all parameters, by a rate that is a tensor there, so that a step can be recorded; None: torch's
    own choice, with a number."""

    name: str
    summary: str
    when_to_choose: str
    options: type[Struct]
    build: Callable[[Iterable[Parameter], Any, torch.device | None], torch.optim.Optimizer]


def update(fused_on: torch.device | None) -> dict[str, Any]:
    """Arguments of torch's: the rate, float32 where it is a tensor, since the kernels take no other, and the kernel."""
    if fused_on is None:
        return {"lr": 0.0}
    return {"lr": torch.zeros((), dtype=torch.float32, device=fused_on), "fused": True}


def adams_update(fused_on: torch.device | None) -> dict[str, Any]:
    """As `update`; Adam says whether it may be recorded, which needs its counts of steps on the device."""
    return {**update(fused_on), "capturable": fused_on is not None and fused_on.type == "cuda"}


def start_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Gives each trained parameter of a fused SGD its momentum, 0, which torch would make at its first gradient: the
    kernel takes none that comes later than the others' do."""
    for group in optimizer.param_groups:
        if not group["fused"] or not group.get("momentum"):
            continue
        for parameter in group["params"]:
            if parameter.requires_grad and "momentum_buffer" not in optimizer.state[parameter]:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


def fused_device(optimizer: torch.optim.Optimizer) -> torch.device | None:
    """What an optimiser was built with as `fused_on`."""
    rate = optimizer.param_groups[0]["lr"]
    return rate.device if isinstance(rate, Tensor) else None


BEYOND_FLOAT32 = math.nextafter((2 - 2**-23) * 2.0**127, math.inf)
"""The first number that a float32 scalar of torch's does not take."""


class SgdOptions(Struct, forbid_unknown_fields=True, kw_only=True):
    momentum: Annotated[float, Meta(ge=0, lt=1, description="share of the last update that is kept")] = 0.0
    nesterov: Annotated[bool, Meta(description="Nesterov's momentum; needs momentum above 0")] = False
    weight_decay: Annotated[float, Meta(ge=0, lt=BEYOND_FLOAT32, description=WEIGHT_DECAY_HELP)] = 0.0

    def __post_init__(self) -> None:
        if self.nesterov and self.momentum == 0:
            raise ValueError("`nesterov` needs `momentum` above 0; it is 0")


def build_sgd(
    parameters: Iterable[Parameter], options: SgdOptions, fused_on: torch.device | None = None
) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters,
        momentum=options.momentum,
        nesterov=options.nesterov,
        weight_decay=options.weight_decay,
        **update(fused_on),
    )


class AdamOptions(Struct, forbid_unknown_fields=True, kw_only=True):
    beta1: Annotated[float, Meta(ge=0, lt=1, description="decay of the mean of gradients")] = 0.9
    beta2: Annotated[float, Meta(ge=0, lt=1, description="decay of the mean of squared gradients")] = 0.999
    eps: Annotated[float, Meta(gt=0, lt=BEYOND_FLOAT32, description="added to the denominator")] = 1e-8
    weight_decay: Annotated[float, Meta(ge=0, lt=BEYOND_FLOAT32, description=WEIGHT_DECAY_HELP)] = 0.0


def build_adam(
    parameters: Iterable[Parameter], options: AdamOptions, fused_on: torch.device | None = None
) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        parameters,
        betas=(options.beta1, options.beta2),
        eps=options.eps,
        weight_decay=options.weight_decay,
        **adams_update(fused_on),
    )


class AdamWOptions(AdamOptions, forbid_unknown_fields=True, kw_only=True):
    weight_decay: Annotated[
        float,
        Meta(
            ge=0,
            lt=BEYOND_FLOAT32,
            description="decay of all parameters, apart from the gradient, times the learning rate",
        ),
    ] = 0.01


def build_adamw(
    parameters: Iterable[Parameter], options: AdamWOptions, fused_on: torch.device | None = None
) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        parameters,
        betas=(options.beta1, options.beta2),
        eps=options.eps,
        weight_decay=options.weight_decay,
        **adams_update(fused_on),
    )


OPTIMIZERS: dict[str, OptimizerDefinition] = {
    "sgd": OptimizerDefinition(
        "sgd",
        "stochastic gradient descent, with momentum, Nesterov and weight decay",
        "the study's choice, and the usual one for CNNs",
        SgdOptions,
        build_sgd,
    ),
    "adam": OptimizerDefinition(
        "adam",
        "Adam (Kingma and Ba 2015, arXiv 1412.6980)",
        "when the learning rate should need little tuning",
        AdamOptions,
        build_adam,
    ),
    "adamw": OptimizerDefinition(
        "adamw",
        "Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101)",
        "as adam, where weight decay matters",
        AdamWOptions,
        build_adamw,
    ),
}


def find(name: str) -> OptimizerDefinition:
    """The optimiser of this name. Raises BackendError (unknown_name)."""
    return find_in(OPTIMIZERS, "optimizer", name)
