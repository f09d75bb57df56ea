"""The training loop that a careful user of PyTorch would write, after docs/PROTOCOL.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from .data import Pictures
from .memory_format import laid_out
from .models import Loss
from .noise import StepNoise
from .precision import mixed_precision, products_in


@dataclass(frozen=True)
class Step:
    """losses: float32 [B], each sample's own; learning_rate, weights (float32 [B] or None): as the step used them."""

    losses: Tensor
    learning_rate: float
    weights: Tensor | None


def train(
    model: nn.Module,
    dataset: Pictures,
    batch_sampler: Sampler[list[int]],
    learning_rates: Sequence[float],
    weights: Sequence[Tensor] | None,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    noise: StepNoise,
    device: torch.device,
    micro_batch: int | None = None,
    precision: str = "float32",
    memory_format: torch.memory_format = torch.channels_last,
) -> Iterator[Step]:
    """One step for each batch. The gradient is that of the sum of weight·loss over the batch, divided by its size, all
    at once or summed up over parts of at most `micro_batch` samples."""
    loader = DataLoader(dataset, batch_sampler=batch_sampler)
    for step, (rate, (images, labels)) in enumerate(zip(learning_rates, loader, strict=True)):
        model.train()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        batch_size = len(labels)
        weight = None if weights is None else weights[step].to(device)
        losses = []
        with products_in(precision):
            for start in range(0, batch_size, micro_batch or batch_size):
                end = min(start + (micro_batch or batch_size), batch_size)
                noise.look_at(start, end)
                x = laid_out(images[start:end].to(device), memory_format)
                with mixed_precision(device, precision):
                    logits = model(x)
                part = loss(logits.float(), labels[start:end].to(device))
                weighted = part if weight is None else part * weight[start:end]
                (weighted.sum() / batch_size).backward()
                losses.append(part.detach())
        optimizer.step()
        yield Step(torch.cat(losses), float(optimizer.param_groups[0]["lr"]), weight)
