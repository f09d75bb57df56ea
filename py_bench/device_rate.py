"""What the device could do: operations of a step, and the rate of a large matrix product."""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from py_backend.device import synchronize

from .task import Task

SIDE = {"cpu": 1024, "cuda": 8192}
LEAST_SECONDS = 0.2


def operations_of_sample(task: Task) -> float:
    """Floating-point operations of a forward and a backward pass: matrix products and convolutions."""
    net, count = task.net(), min(task.batch_size, 16)
    height, width, channels = task.pictures.images.shape[1:]
    images = torch.zeros(count, channels, height, width, device=task.device)
    labels = torch.zeros(count, dtype=torch.int64, device=task.device)
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(net(images), labels).backward()
    return float(counter.get_total_flops()) / count


def product_rate(task: Task) -> float:
    """Operations a second of a square matrix product in the precision that is trained in."""
    device = task.device
    side = SIDE[device.type]
    dtype = torch.bfloat16 if task.precision == "bfloat16" else torch.float32
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = left @ right
    synchronize(device)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < LEAST_SECONDS:
        torch.mm(left, right, out=out)
        synchronize(device)
        count += 1
    return 2.0 * side**3 * count / (time.perf_counter() - started)
