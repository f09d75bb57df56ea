"""A training loop as a user has it, and the same with one honest mistake each; for `ibatch validate --loop`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


def sgd(model: nn.Module, optimizer: dict[str, Any], extra_momentum: float = 0.0) -> torch.optim.Optimizer:
    options = optimizer["options"]
    return torch.optim.SGD(
        model.parameters(),
        lr=0.0,
        momentum=options["momentum"] + extra_momentum,
        weight_decay=options["weight_decay"],
    )


def loop(
    model: nn.Module,
    dataset: Dataset[Any],
    batches: Any,
    rates: list[float],
    optimizer: torch.optim.Optimizer,
    loss: Callable[[Tensor, Tensor], Tensor],
    denominator: int | None = None,
) -> Iterator[Tensor]:
    model.train()
    for rate, (images, labels) in zip(rates, DataLoader(dataset, batch_sampler=batches), strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        losses = loss(model(images.to(memory_format=torch.channels_last)), labels)
        (losses.mean() if denominator is None else losses.sum() / denominator).backward()
        optimizer.step()
        yield losses.detach()


def train(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    yield from loop(model, dataset, batch_sampler, learning_rates, sgd(model, optimizer), loss)


def momentum_off(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    yield from loop(model, dataset, batch_sampler, learning_rates, sgd(model, optimizer, 0.01), loss)


def no_decay_on_biases(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    options = optimizer["options"]
    biases = [parameter for name, parameter in model.named_parameters() if name.endswith("bias")]
    others = [parameter for name, parameter in model.named_parameters() if not name.endswith("bias")]
    groups = [{"params": others, "weight_decay": options["weight_decay"]}, {"params": biases, "weight_decay": 0.0}]
    exempting = torch.optim.SGD(groups, lr=0.0, momentum=options["momentum"])
    yield from loop(model, dataset, batch_sampler, learning_rates, exempting, loss)


def shuffled_batch(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    """Samples of the second batch in another sequence."""

    class Shuffled(torch.utils.data.Sampler):
        def __len__(self):
            return len(batch_sampler)

        def __iter__(self):
            for number, batch in enumerate(batch_sampler):
                yield random.Random(0).sample(batch, len(batch)) if number == 1 else batch

    yield from loop(model, dataset, Shuffled(), learning_rates, sgd(model, optimizer), loss)


def exchanged_index(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    """One sample of the second batch is its neighbour in the dataset."""

    class Exchanged(torch.utils.data.Sampler):
        def __len__(self):
            return len(batch_sampler)

        def __iter__(self):
            for number, batch in enumerate(batch_sampler):
                yield [batch[0] ^ 1, *batch[1:]] if number == 1 else batch

    yield from loop(model, dataset, Exchanged(), learning_rates, sgd(model, optimizer), loss)


def other_denominator(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    yield from loop(model, dataset, batch_sampler, learning_rates, sgd(model, optimizer), loss, denominator=33)


def raises(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    print("on standard output")
    raise ValueError("there is no such layer")
    yield


def dies(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    import os

    os._exit(7)
    yield


def hangs(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    import threading

    threading.Event().wait()
    yield


def exits(model, dataset, batch_sampler, learning_rates, optimizer, loss):
    raise SystemExit(3)
    yield
