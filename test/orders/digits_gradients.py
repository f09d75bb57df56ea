"""The loss and the gradient of 500 digits by mnist-cnn after some training, as the backend computes them. For
expected-gradient.test.ts.

    python test/orders/digits_gradients.py OUT

A gradient of 20,074 numbers goes out as its products with 8 directions: 7 random ones of unit length, and the one in
which a draw in proportion to the loss is expected to be off. That is all that linear algebra over draws needs. Writes
float64 [n, 1 + 8], the loss first, and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))
from py_backend import training
from py_backend.codec import Packet
from py_backend.host import Host
from py_backend.identity import Identity
from py_backend.learner import forward
from py_backend.messages import Augmentation, Chosen, Named, Open
from py_backend.progress import Progress
from py_backend.session import Session
from py_backend.step import Steps

SAMPLES, STEPS, BATCH = 500, 40, 32
RANDOM_DIRECTIONS = 7


def main(out: Path) -> None:
    torch.set_num_threads(1)
    session = opened()
    learner, data = session._learner, session._data.train
    random = np.random.default_rng(18)
    chunk = training.Chunk(
        first_step=0,
        indices=random.integers(0, SAMPLES, STEPS * BATCH).astype(np.uint32),
        offsets=np.arange(0, STEPS * BATCH + 1, BATCH).astype(np.uint32),
        learning_rates=np.full(STEPS, 0.02),
        weights=None,
        micro_batch=None,
        average=None,
    )
    training.train_chunk(Steps(learner), data, chunk, ["loss"], Progress())
    parameters = list(learner.model.parameters())
    rows = torch.arange(SAMPLES)
    losses = forward(learner, data.batch(rows), data.labels[rows])[1]

    # Reverse mode twice is forward mode: J v is the derivative by u of the product of Jᵀu and v.
    dummy = torch.zeros_like(losses, requires_grad=True)
    gradients = torch.autograd.grad(losses, parameters, dummy, create_graph=True)

    def products(direction: list[Tensor]) -> Tensor:
        """Of each sample's gradient with the direction, of unit length."""
        length = torch.sqrt(sum(part.square().sum() for part in direction))
        along = sum((gradient * part).sum() for gradient, part in zip(gradients, direction, strict=True))
        return torch.autograd.grad(along, dummy, retain_graph=True)[0].detach() / length

    weights = losses.detach() / losses.detach().sum() - 1 / SAMPLES
    off = list(torch.autograd.grad((losses * weights).sum(), parameters, retain_graph=True))
    directions = [
        [torch.from_numpy(random.standard_normal(part.shape).astype(np.float32)) for part in parameters]
        for _ in range(RANDOM_DIRECTIONS)
    ]
    columns = [losses.detach(), *map(products, directions), products(off)]
    out.write_bytes(torch.stack(columns, 1).double().numpy().astype("<f8").tobytes())


def opened() -> Session:
    """A session of the backend on the digits, without dropout: each sample has one gradient."""
    host = Host(Identity.of(torch.device("cpu"), 1), Progress())
    request = Open(
        dataset=Chosen(origin="catalogue", name="digits", options={}),
        data_dir=None,
        model=Chosen(origin="catalogue", name="mnist-cnn", options={"conv_dropout": 0.0, "fc_dropout": 0.0}),
        optimizer=Named(name="sgd", options={"momentum": 0.9}),
        augmentation=Augmentation(crop=0, flip=False),
        precision="float32",
        channels_last="auto",
        loss=None,
        equal_bits=False,
        fast=True,
        seed=1,
        model_seed=None,
        owner=None,
    )
    host.handle(Packet(1, request)).packet()
    assert host._session is not None
    return host._session


if __name__ == "__main__":
    main(Path(sys.argv[1]))
