"""A model of the user's: any callable that returns a module which maps images to logits."""

from __future__ import annotations

from torch import nn

from ..errors import BackendError
from ..models.contract import ModelDefinition
from .importing import Arguments, call, import_callable, keywords


def definition(reference: str) -> ModelDefinition:
    """As one of our own models. Raises BackendError (not_allowed, module_missing, bad_reference)."""
    make = import_callable(reference)

    def build(input_shape: tuple[int, int, int], class_count: int, options: Arguments) -> nn.Module:
        model = call(reference, make, **keywords(reference, options.args))
        if not isinstance(model, nn.Module):
            raise BackendError(
                "bad_reference", f"{reference} returned a {type(model).__name__}, expected a torch.nn.Module"
            )
        return model

    return ModelDefinition(
        name=reference, summary="a model of your own", when_to_choose="", options=Arguments, build=build
    )
