"""A plain PyTorch loop that trains with the orders of a recorded run, and reaches its losses. Nothing of ibatch is
imported but recorded_order.py, which the export brings along.

    npx ibatch run configs/digits.yaml --set model.convDropout=0 --set model.fcDropout=0 --seeds 1 --out runs/no-dropout
    npx ibatch export runs/no-dropout --to torch
    python examples/orders-to-pytorch/train.py runs/no-dropout shuffled 0

Without dropout, since ibatch's dropout is a function of (seed, step, place) that a plain loop does not have.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

run, arm, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
export = run / "export" / "torch"
sys.path.insert(0, str(export))
from recorded_order import RecordedOrder, initial_seed  # noqa: E402


def digits() -> TensorDataset:
    """scikit-learn's digits as ibatch trains on them: 8 × 8 enlarged to 28 × 28, every fifth of a class held out."""
    bunch = load_digits()
    weights = np.zeros((28, 8), np.int64)  # bilinear, in fourteenths
    for row in range(28):
        below, share = divmod(4 * row - 5, 14)
        weights[row, max(below, 0)] += 14 - share
        weights[row, min(below + 1, 7)] += share
    white = 16 * 14**2
    pixels = (2 * 255 * (weights @ bunch.images.astype(np.int64) @ weights.T) + white) // (2 * white)
    train = np.ones(len(pixels), bool)
    train[np.argsort(bunch.target, kind="stable")[::5]] = False
    images = torch.from_numpy(pixels[train]).float()[:, None] / 255
    return TensorDataset((images - 0.3058) / 0.3249, torch.from_numpy(bunch.target[train]))


torch.set_num_threads(1)
torch.manual_seed(initial_seed(seed))  # the run's own initial weights, for layers made in the same sequence
model = nn.Sequential(
    *(nn.Conv2d(1, 64, 2), nn.MaxPool2d(2), nn.ReLU()),
    *(nn.Conv2d(64, 32, 2), nn.MaxPool2d(2), nn.ReLU()),
    *(nn.Flatten(), nn.Linear(1152, 10)),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9, weight_decay=5e-4)
data = digits()
order = RecordedOrder(export / arm / f"seed-{seed}", labels=data.tensors[1])  # refused where these are other images
recorded = (run / arm / f"seed-{seed}" / "metrics.jsonl").read_text().splitlines()
for epoch, line in enumerate(recorded):
    order.set_epoch(epoch)
    losses = []
    for rate, (images, labels) in zip(order.learning_rates, DataLoader(data, batch_sampler=order), strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels, reduction="none")
        loss.mean().backward()
        optimizer.step()
        losses.append(loss.detach())
    mean = torch.cat(losses).double().mean().item()
    print(f"epoch {epoch}: mean loss {mean:.6f} here, {json.loads(line)['train']['loss']:.6f} recorded")
    if len(sys.argv) > 4:  # each sample's loss, in the order of training
        torch.cat(losses).numpy().tofile(Path(sys.argv[4]) / f"{epoch:04}.f32")
