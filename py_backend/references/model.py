"""A model of the user's: any callable that returns a module which maps images to logits."""

from __future__ import annotations

from typing import Any

import msgspec
from torch import nn

from ..errors import BackendError
from ..models.contract import ModelDefinition
from .importing import call, import_callable


class Options(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """args: keyword arguments of the callable."""

    args: dict[str, Any] = {}


def definition(reference: str) -> ModelDefinition:
    """As one of our own models. Raises BackendError (not_allowed, module_missing, bad_reference)."""
    make = import_callable(reference)

    def build(input_shape: tuple[int, int, int], class_count: int, options: Options) -> nn.Module:
        model = call(reference, make, **options.args)
        if not isinstance(model, nn.Module):
            raise BackendError(
                "bad_reference", f"{reference} returned a {type(model).__name__}, expected a torch.nn.Module"
            )
        return model

    return ModelDefinition(
        name=reference, summary="a model of your own", when_to_choose="", options=Options, build=build
    )
