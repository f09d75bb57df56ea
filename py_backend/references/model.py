"""A model of the user's: any callable that returns a module which maps images to logits."""

from __future__ import annotations

from itertools import chain

from torch import nn
from torch.nn.parameter import is_lazy

from ..errors import BackendError
from ..listed import listed
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
        refuse_without_sizes(reference, model)
        return model

    return ModelDefinition(
        name=reference, summary="a model of your own", when_to_choose="", options=Arguments, build=build
    )


def refuse_without_sizes(reference: str, model: nn.Module) -> None:
    """Raises BackendError (bad_reference) where there is nothing to train, or where layers do not know their sizes."""
    tensors = [*chain(model.named_parameters(), model.named_buffers())]
    lazy = [name for name, tensor in tensors if is_lazy(tensor)]
    if lazy:
        raise BackendError(
            "bad_reference",
            f"{reference}: {listed(lazy)} have no size yet, as in a lazy layer that saw no batch: state the sizes, "
            "or put a batch through the model where it is made",
        )
    if next(model.parameters(), None) is None:
        raise BackendError("bad_reference", f"{reference} made a model without parameters: nothing would be trained")
