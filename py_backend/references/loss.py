"""A loss of the user's: logits [B, classes] and labels [B] to one value a sample, [B]."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from ..errors import BackendError
from .importing import Arguments, call, import_callable, keywords


def build(
    reference: str, given: Mapping[str, Any], device: torch.device | None = None
) -> Callable[[Tensor, Tensor], Tensor]:
    """given: the options of the loss. A class is made once, with args, and called as loss(logits, labels); a function
    is called as loss(logits, labels, **args).

    A module's buffers (weights of classes) go to the device. Raises BackendError (bad_option, not_allowed,
    module_missing, bad_reference).
    """
    try:
        options = msgspec.convert(given, Arguments, strict=True)
    except msgspec.ValidationError as error:
        raise BackendError("bad_option", f"loss {reference}: {error}") from None
    args = keywords(reference, options.args)
    named = import_callable(reference)
    if not inspect.isclass(named):
        return partial(named, **args)
    loss = call(reference, named, **args)
    if isinstance(loss, nn.Module):
        if count := sum(1 for _ in loss.parameters()):
            raise BackendError(
                "bad_reference", f"{reference} has {count} parameters, which nothing would train: make them buffers"
            )
        loss = loss.to(device)
    if not callable(loss):
        raise BackendError("bad_reference", f"{reference} makes a {type(loss).__name__} that cannot be called")
    made: Callable[[Tensor, Tensor], Tensor] = loss
    return made
