"""What a model file offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from torch import nn


@dataclass(frozen=True)
class ModelDefinition:
    """One model: one file, one of these as MODEL, one line in `models/__init__.py`.

    `build(input_shape, class_count, options)` returns a module that maps float32 images [B, C, H, W] to logits
    [B, class_count]; input_shape is (C, H, W). Its initial weights come from torch's default generator, which the
    session seeds for the run.
    """

    name: str
    summary: str
    when_to_choose: str
    options: type[msgspec.Struct]
    build: Callable[[tuple[int, int, int], int, Any], nn.Module]
