"""The model and the loss that a config names, and weights carried as plain float32 files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from py_backend import models
from py_backend.catalogue import read_options
from py_backend.errors import BackendError
from py_backend.references import loss as loss_references
from py_backend.references import model as model_references

from .choice import Choice
from .recorded_order import initial_seed

Loss = Callable[[Tensor, Tensor], Tensor]
"""loss(logits [B, classes], labels int64 [B]) → float32 [B]."""


def build_model(
    choice: Choice, input_shape: Sequence[int], class_count: int, seed: int, device: torch.device
) -> nn.Module:
    """With the initial weights of this seed. torch's generator is left as it was. Raises BackendError."""
    definition = model_references.definition(choice.name) if choice.origin == "import" else models.find(choice.name)
    options = read_options("model", definition, dict(choice.options))
    channels, height, width = input_shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(initial_seed(seed))
        model = definition.build((channels, height, width), class_count, options)
    return model.to(device)


def build_loss(choice: Choice | None, device: torch.device) -> Loss:
    """Cross-entropy where no other is named. Raises BackendError."""
    if choice is None:
        return lambda logits, labels: F.cross_entropy(logits, labels, reduction="none")
    if choice.origin == "catalogue":
        smoothing = choice.options.get("label_smoothing", 0.0)
        return lambda logits, labels: F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    loss: Loss = loss_references.build(choice.name, choice.options, device)
    return loss


def floating_state(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers that hold fractions, in the order of the state dict."""
    return {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}


def describe_state(model: nn.Module) -> list[dict[str, Any]]:
    return [{"name": name, "shape": list(tensor.shape)} for name, tensor in floating_state(model).items()]


def load_weights(model: nn.Module, path: Path, tensors: Sequence[dict[str, Any]]) -> None:
    """The file holds these tensors one after another, float32, row-major; they go to the model's by order, whatever
    their names. Raises BackendError (bad_field) where a shape is another."""
    state = floating_state(model)
    values = torch.from_numpy(np.fromfile(path, "<f4"))
    if len(tensors) != len(state):
        raise BackendError("bad_field", f"{len(tensors)} tensors came for the {len(state)} of this model")
    at = 0
    for (name, own), given in zip(state.items(), tensors, strict=True):
        if list(own.shape) != list(given["shape"]):
            raise BackendError("bad_field", f"{given['name']} {given['shape']} came for {name} {list(own.shape)}")
        own.copy_(values[at : at + own.numel()].view(own.shape))
        at += own.numel()
    if at != len(values):
        raise BackendError("bad_field", f"{path} has {len(values)} values, its tensors {at}")


def save_weights(model: nn.Module, path: Path) -> list[dict[str, Any]]:
    """As `load_weights` reads them; returns names and shapes."""
    state = floating_state(model)
    parts = [tensor.detach().cpu().to(torch.float32).contiguous().numpy().ravel() for tensor in state.values()]
    np.concatenate([*parts, np.empty(0, np.float32)]).astype("<f4").tofile(path)
    return describe_state(model)
