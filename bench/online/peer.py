"""The same selection inside a Python training loop: a line of JSON in, a line of JSON out.

Each batch is drawn from all samples without replacement, in proportion to their newest losses, and weighted by rank
conditioning, as `order: { name: weighted, per: batch, unbiased: true }` does: keys of numpy's exponential variates, of
which the smallest are taken by `argpartition`, the fastest way that numpy has (`choice(replace=False, p=…)` takes ten
times as long). Two loops train on it:

  plain  the network as a user writes it in PyTorch, on tensors that are in memory
  same   our backend's own training, called from this process: all that is left is where the choice is made

Both run in a process that keeps freed memory as the backend does. `echo` is a ZeroMQ peer for the round trip.
"""

import contextlib
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
import zmq
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

# Behind the line above: Python finds them by it.
from noise import mnist_like  # noqa: E402

from py_backend import opening  # noqa: E402
from py_backend.__main__ import keep_freed_memory  # noqa: E402
from py_backend.identity import Identity  # noqa: E402
from py_backend.messages import Augmentation, Chosen, Named, Open  # noqa: E402
from py_backend.progress import Progress  # noqa: E402
from py_backend.references.importing import allow  # noqa: E402
from py_backend.resident import reside  # noqa: E402
from py_backend.step import Steps  # noqa: E402
from py_backend.training import Chunk, train_chunk  # noqa: E402

RATE = 0.01
MOMENTUM = 0.9
FLOOR = 0.1
CPU = torch.device("cpu")


class Selection:
    """Draws batches by the newest losses; samples never seen count as the highest."""

    def __init__(self, n, seed=0):
        self.losses = np.full(n, np.nan, dtype=np.float32)
        self._random = np.random.default_rng(seed)

    def draw(self, count):
        weights = self.losses / np.nanmax(self.losses) if np.isfinite(self.losses).any() else np.ones_like(self.losses)
        floor = np.float32(FLOOR * np.nanmean(weights))
        weights = np.maximum(np.where(np.isnan(weights), np.float32(1), weights), floor)
        keys = self._random.standard_exponential(len(weights), dtype=np.float32) / weights
        smallest = np.argpartition(keys, count)[: count + 1]
        smallest = smallest[np.argsort(keys[smallest])]
        drawn, threshold = smallest[:count], keys[smallest[count]]
        inclusion = -np.expm1(-weights[drawn].astype(np.float64) * threshold)
        return drawn, (count / (len(weights) * inclusion)).astype(np.float32)


class PlainLoop:
    def __init__(self):
        (images, labels), _ = mnist_like()
        scaled = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        self._images = (scaled - scaled.mean()) / scaled.std()
        self._labels = torch.from_numpy(labels)
        self._model = nn.Sequential(
            *[nn.Conv2d(1, 64, 2), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout(0.3)],
            *[nn.Conv2d(64, 32, 2), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout(0.3)],
            *[nn.Flatten(), nn.Dropout(0.5), nn.Linear(32 * 6 * 6, 10)],
        )
        self._optimizer = torch.optim.SGD(self._model.parameters(), lr=RATE, momentum=MOMENTUM)
        self._loss = nn.CrossEntropyLoss(reduction="none")
        self._model.train()

    def step(self, indices, weights):
        rows = torch.from_numpy(indices)
        self._optimizer.zero_grad()
        losses = self._loss(self._model(self._images[rows]), self._labels[rows])
        (losses * torch.from_numpy(weights)).mean().backward()
        self._optimizer.step()
        return losses.detach().numpy()


class SameLoop:
    def __init__(self):
        allow(["noise"])
        request = Open(
            dataset=Chosen(origin="import", name="noise:mnist_like", options={}),
            data_dir=None,
            model=Chosen(origin="catalogue", name="mnist-cnn", options={}),
            loss=None,
            optimizer=Named(name="sgd", options={"momentum": MOMENTUM}),
            augmentation=Augmentation(crop=0, flip=False),
            precision="float32",
            channels_last="auto",
            equal_bits=False,
            fast=True,
            seed=0,
            model_seed=None,
            owner=None,
        )
        choices = opening.choose(request)
        identity = Identity.of(CPU, torch.get_num_threads())
        data = reside(choices.dataset.load(Path("data"), choices.dataset_options), identity.device)
        learner, _ = opening.build_learner(request, choices, data, CPU)
        self._steps = Steps(opening.laid_out(learner, "channels_last"))
        self._data = data.train
        self._progress = Progress()
        self._step = 0

    def step(self, indices, weights):
        chunk = Chunk(
            first_step=self._step,
            indices=indices.astype(np.uint32),
            offsets=np.array([0, len(indices)], dtype=np.uint32),
            learning_rates=np.array([RATE]),
            weights=weights,
            micro_batch=None,
            average=None,
        )
        self._step += 1
        trained = train_chunk(self._steps, self._data, chunk, ["loss", "correct", "prediction"], self._progress)
        return trained.signals.arrays()["loss"]


class Peer:
    def __init__(self):
        self._loops = {"plain": PlainLoop(), "same": SameLoop()}
        self._selections = {name: Selection(60_000) for name in self._loops}

    def train(self, loop, count, steps, warm_up):
        """Seconds of these steps, after some that are not counted; and those of drawing alone."""
        step, selection = self._loops[loop].step, self._selections[loop]
        drawing = 0.0
        for at in range(warm_up + steps):
            if at == warm_up:
                started, drawing = time.perf_counter(), 0.0
            began = time.perf_counter()
            indices, weights = selection.draw(count)
            drawing += time.perf_counter() - began
            selection.losses[indices] = step(indices, weights)
        return {"seconds": time.perf_counter() - started, "drawing": drawing}

    def echo(self, endpoint):
        """Answers what comes with the same, from a thread, for as long as this process lives."""
        socket = zmq.Context.instance().socket(zmq.ROUTER)
        socket.bind(endpoint)

        def serve():
            while True:
                socket.send_multipart(socket.recv_multipart(copy=False), copy=False)

        threading.Thread(target=serve, daemon=True).start()
        return {}

    def round_trips(self, endpoint, frames, count):
        """Milliseconds of each, from this language."""
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.connect(endpoint)
        parts = [bytes(size) for size in frames]
        times = []
        for _ in range(count):
            began = time.perf_counter()
            socket.send_multipart(parts)
            socket.recv_multipart()
            times.append((time.perf_counter() - began) * 1000)
        socket.close(linger=0)
        return {"milliseconds": times}

    def versions(self):
        return {"numpy": np.__version__, "torch": torch.__version__, "zmq": zmq.__version__}


def main():
    threads = int(sys.argv[1])
    keep_freed_memory()
    torch.set_num_threads(threads)
    peer = Peer()
    for line in sys.stdin:
        question = json.loads(line)
        answer = getattr(peer, question.pop("do"))(**question)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
