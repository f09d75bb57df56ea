"""A bare loop: all images in the device's memory, no loader, each sample's loss kept. What one writes for speed."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .task import CROP, Epoch, Task


def shifted_and_flipped(padded: Tensor) -> Tensor:
    """One shift for the whole batch, and each image flipped or not: what one writes for speed."""
    top, left = torch.randint(0, 2 * CROP + 1, (2,)).tolist()
    height, width = (size - 2 * CROP for size in padded.shape[2:])
    images = padded[:, :, top : top + height, left : left + width]
    flips = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(flips, images.flip(3), images)


def bare(task: Task) -> Epoch:
    pictures, device = task.pictures, task.device
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (pictures.mean, pictures.std))
    images = torch.from_numpy(pictures.images).permute(0, 3, 1, 2).float().div_(255).sub_(mean).div_(std)
    if task.augments:
        images = F.pad(images, (CROP, CROP, CROP, CROP))
    images = images.contiguous(memory_format=task.memory_format).to(device)
    labels = torch.from_numpy(pictures.labels).to(device)
    net = task.net().to(memory_format=task.memory_format)  # type: ignore[call-overload]
    optimizer = task.optimizer(net)
    losses = torch.zeros(len(labels), device=device)

    def epoch() -> float:
        net.train()
        for rows in torch.randperm(len(labels), device=device).split(task.batch_size):
            batch = shifted_and_flipped(images[rows]) if task.augments else images[rows]
            with task.autocast():
                logits = net(batch)
            loss = F.cross_entropy(logits.float(), labels[rows], reduction="none")
            optimizer.zero_grad(set_to_none=True)
            loss.mean().backward()
            optimizer.step()
            losses[rows] = loss.detach()
        return float(losses.cpu().mean())

    return epoch
