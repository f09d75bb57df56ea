"""The optimisers that a config can name, as torch offers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.nn import Parameter

from py_backend.errors import BackendError


def build_optimizer(name: str, options: Mapping[str, Any], parameters: Iterable[Parameter]) -> torch.optim.Optimizer:
    """Learning rate 0: each batch brings its own. Raises BackendError (unknown_name)."""
    betas = (options.get("beta1", 0.9), options.get("beta2", 0.999))
    eps = options.get("eps", 1e-8)
    if name == "sgd":
        momentum, nesterov = options.get("momentum", 0.0), options.get("nesterov", False)
        decay = options.get("weight_decay", 0.0)
        return torch.optim.SGD(parameters, lr=0.0, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    if name == "adam":
        return torch.optim.Adam(parameters, lr=0.0, betas=betas, eps=eps, weight_decay=options.get("weight_decay", 0.0))
    if name == "adamw":
        decay = options.get("weight_decay", 0.01)
        return torch.optim.AdamW(parameters, lr=0.0, betas=betas, eps=eps, weight_decay=decay)
    raise BackendError("unknown_name", f"the textbook loop knows sgd, adam and adamw, not `{name}`")
