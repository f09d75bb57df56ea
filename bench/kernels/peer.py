"""numpy's and torch's side of the benchmark: reads questions from stdin and answers with milliseconds.

Started by bench/kernels/peer.mjs. Each way of doing a thing is a function of the losses; peers may return what they
like (int64 indices, copies), as they do for their users.
"""

import json
import platform
import sys
import time

import numpy as np
import torch
import zmq

torch.set_num_threads(1)


class Data:
    """n losses, and what the peers would have ready: tensors, classes, probabilities."""

    def __init__(self, n: int) -> None:
        rng = np.random.default_rng(0)
        self.n = n
        self.losses = rng.exponential(size=n).astype(np.float32)
        self.tensor = torch.from_numpy(self.losses)
        self.classes = {count: rng.integers(0, count, n, dtype=np.uint32) for count in (10, 1000)}
        self.p = self.losses.astype(np.float64) / self.losses.astype(np.float64).sum()
        self.rng = rng


def in_one(d: Data, classes: np.ndarray) -> np.ndarray:
    """Class and key as one integer. Losses are not negative, so their bits sort as they do."""
    return classes.astype(np.uint64) << np.uint64(32) | d.losses.view(np.uint32)


def loop_over_classes(d: Data, classes: np.ndarray, count: int, kind: str | None) -> np.ndarray:
    grouped = np.argsort(classes.astype(np.uint16), kind="stable")  # a radix sort
    keys = d.losses[grouped]
    start = 0
    for size in np.bincount(classes, minlength=count):
        part = slice(start, start + size)
        grouped[part] = grouped[part][np.argsort(keys[part], kind=kind)]
        start += size
    return grouped


def by_key_then_class(d: Data, classes: np.ndarray) -> np.ndarray:
    by_key = np.argsort(d.losses, kind="stable")
    return by_key[np.argsort(classes[by_key].astype(np.uint16), kind="stable")]


def within(count: int) -> dict:
    return {
        "lexsort": lambda d: np.lexsort((d.losses, d.classes[count])),
        "loop over classes, stable": lambda d: loop_over_classes(d, d.classes[count], count, "stable"),
        "loop over classes, default": lambda d: loop_over_classes(d, d.classes[count], count, None),
        "by key, then by class as uint16": lambda d: by_key_then_class(d, d.classes[count]),
        "class and key in one uint64, stable": lambda d: np.argsort(in_one(d, d.classes[count]), kind="stable"),
        "class and key in one uint64, default": lambda d: np.argsort(in_one(d, d.classes[count])),
    }


def largest_tenth(d: Data) -> np.ndarray:
    chosen = np.argpartition(d.losses, d.n - d.n // 10)[d.n - d.n // 10 :]
    return chosen[np.argsort(d.losses[chosen])[::-1]]


def order_over_wire(socket: zmq.Socket, d: Data) -> np.ndarray:
    socket.send(d.losses, copy=False)
    return np.frombuffer(socket.recv(copy=False).buffer, dtype=np.uint32)


def ways(socket: zmq.Socket) -> dict:
    sorts = {
        "numpy stable": lambda d: np.argsort(d.losses, kind="stable"),
        "numpy default": lambda d: np.argsort(d.losses),
        "torch": lambda d: torch.argsort(d.tensor),
    }
    return {
        "argsort": sorts,
        "within-10": within(10),
        "within-1000": within(1000),
        "top-k": {
            "numpy argpartition": largest_tenth,
            "torch topk": lambda d: torch.topk(d.tensor, d.n // 10),
        },
        "weighted": {
            "torch multinomial": lambda d: torch.multinomial(d.tensor, d.n),
            "numpy choice": lambda d: d.rng.choice(d.n, d.n, replace=False, p=d.p),
        },
        "weighted-tenth": {"torch multinomial": lambda d: torch.multinomial(d.tensor, d.n // 10)},
        "shuffle": {
            "numpy permutation": lambda d: d.rng.permutation(d.n),
            "torch randperm": lambda d: torch.randperm(d.n, dtype=torch.int32),
        },
        "wire": {**sorts, "ours": lambda d: order_over_wire(socket, d)},
    }


def timed(way, d: Data, calls: int) -> list[float]:
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        way(d)
        times.append((time.perf_counter() - start) * 1000)
    return times


def main() -> None:
    socket = zmq.Context().socket(zmq.REQ)
    socket.linger = 0
    socket.connect(sys.argv[1])
    table = ways(socket)
    data = Data(1)
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "data":
            data = Data(question["n"])
            check_wire(socket, data)
            answer = None
        elif question["do"] == "time":
            answer = timed(table[question["case"]][question["way"]], data, question["calls"])
        else:
            answer = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__}
        print(json.dumps(answer), flush=True)


def check_wire(socket: zmq.Socket, data: Data) -> None:
    """What comes back is numpy's own stable order."""
    if not np.array_equal(order_over_wire(socket, data), np.argsort(data.losses, kind="stable")):
        sys.exit("the order that came back over the wire is not numpy's stable one")


if __name__ == "__main__":
    main()
