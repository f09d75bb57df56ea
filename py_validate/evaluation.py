"""Looking at samples in evaluation mode, as a user would."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.data import DataLoader

from .data import Pictures
from .memory_format import laid_out
from .models import Loss
from .precision import mixed_precision, products_in


@torch.no_grad()
def evaluate(
    model: nn.Module,
    dataset: Pictures,
    indices: Sequence[int],
    batch_size: int,
    loss: Loss,
    precision: str,
    device: torch.device,
    memory_format: torch.memory_format,
) -> tuple[npt.NDArray[np.float32], float]:
    """Each sample's loss, float32 [m], and the share classified right. The model's mode is left as it was."""
    batches = [list(indices[at : at + batch_size]) for at in range(0, len(indices), batch_size)]
    was_training = model.training
    model.eval()
    losses, right = [], 0
    try:
        for images, labels in DataLoader(dataset, batch_sampler=batches):
            labels = labels.to(device)
            with products_in(precision), mixed_precision(device, precision):
                logits = model(laid_out(images.to(device), memory_format))
            logits = logits.float()
            losses.append(loss(logits, labels).cpu())
            right += int((logits.argmax(1) == labels).sum())
    finally:
        model.train(was_training)
    values = torch.cat(losses).to(torch.float32) if losses else torch.empty(0)
    return values.numpy(), right / max(len(indices), 1)
