"""A bare loop: all images in the device's memory, no loader, each sample's loss kept. What one writes for speed."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .task import Epoch, Task


def bare(task: Task) -> Epoch:
    pictures, device = task.pictures, task.device
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (pictures.mean, pictures.std))
    images = torch.from_numpy(pictures.images).permute(0, 3, 1, 2).float().div_(255).sub_(mean).div_(std)
    images = images.contiguous(memory_format=task.memory_format).to(device)
    labels = torch.from_numpy(pictures.labels).to(device)
    net = task.net().to(memory_format=task.memory_format)  # type: ignore[call-overload]
    optimizer = task.optimizer(net)
    losses = torch.zeros(len(labels), device=device)

    def epoch() -> float:
        net.train()
        for rows in torch.randperm(len(labels), device=device).split(task.batch_size):
            with task.autocast():
                logits = net(images[rows])
            loss = F.cross_entropy(logits.float(), labels[rows], reduction="none")
            optimizer.zero_grad(set_to_none=True)
            loss.mean().backward()
            optimizer.step()
            losses[rows] = loss.detach()
        return float(losses.cpu().mean())

    return epoch
