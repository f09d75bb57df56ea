"""What of a model is trained: the optimiser holds the parameters that it was made with, and no others."""

from __future__ import annotations

import torch
from torch import nn

from .errors import BackendError
from .listed import listed


def refuse_untrainable(reference: str | None, model: nn.Module) -> None:
    """Raises BackendError (bad_reference) where a parameter can be read, and not trained."""
    for name, parameter in model.named_parameters():
        if parameter.is_inference():
            what = "was made in torch.inference_mode: make the model outside of it"
        elif parameter.requires_grad and not parameter.is_leaf:
            what = "is computed from other tensors: make it a torch.nn.Parameter of its own"
        else:
            continue
        raise BackendError("bad_reference", f"{reference}: parameter {name} {what}")


def refuse_other_parameters(reference: str | None, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Raises BackendError (bad_reference) where the model has got parameters that nothing would train."""
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    others = [
        name for name, parameter in model.named_parameters() if parameter.requires_grad and id(parameter) not in held
    ]
    if not others:
        return
    raise BackendError(
        "bad_reference",
        f"{reference}: while it was trained it replaced or added the parameters {listed(others)}, "
        "which the optimiser does not hold: make all of them where the model is made, and change their values in place",
    )
