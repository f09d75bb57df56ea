"""What shuffles and published data loaders draw, int64 [seeds, epochs, n] in numpy's format, to be judged by
`ibatch order --quality`.

    python docs/results/shuffles.py grain grain.npy --samples 60000 --seeds 2 --epochs 4

Each loader is asked through its public interface, with the options that it has by default where it has them, for
the numbers 0 … n-1. Which package a loader needs is in docs/results/shuffles.md; none is needed for ibatch.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from typing import Any

import numpy as np

Epochs = list[Any]
"""The indices of each epoch."""
BATCH = 64
SHARD = 1000
"""Samples in a shard, where a loader has shards."""


def numpy_permutation(n: int, seed: int, epochs: int) -> Epochs:
    return [np.random.default_rng([seed, epoch]).permutation(n) for epoch in range(epochs)]


def torch_randperm(n: int, seed: int, epochs: int) -> Epochs:
    import torch

    generator = torch.Generator().manual_seed(seed)
    return [torch.randperm(n, generator=generator).numpy() for _ in range(epochs)]


def torch_random_sampler(n: int, seed: int, epochs: int) -> Epochs:
    import torch

    sampler = torch.utils.data.RandomSampler(range(n), generator=torch.Generator().manual_seed(seed))
    return [list(sampler) for _ in range(epochs)]


def torch_dataloader(n: int, seed: int, epochs: int) -> Epochs:
    import torch

    generator = torch.Generator().manual_seed(seed)
    loader = torch.utils.data.DataLoader(torch.arange(n), batch_size=BATCH, shuffle=True, generator=generator)
    return [torch.cat(list(loader)).numpy() for _ in range(epochs)]


def torch_distributed_sampler(n: int, seed: int, epochs: int) -> Epochs:
    import torch

    sampler = torch.utils.data.DistributedSampler(range(n), num_replicas=1, rank=0, seed=seed)
    drawn = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        drawn.append(list(sampler))
    return drawn


def grain(n: int, seed: int, epochs: int) -> Epochs:
    import grain.python as library

    dataset = library.MapDataset.range(n).shuffle(seed=seed).repeat(epochs)
    return [[dataset[epoch * n + place] for place in range(n)] for epoch in range(epochs)]


def grain_sampler(n: int, seed: int, epochs: int) -> Epochs:
    import grain.python as library

    sharding = library.NoSharding()
    sampler = library.IndexSampler(n, sharding, shuffle=True, num_epochs=epochs, seed=seed)
    return [[sampler[epoch * n + place].record_key for place in range(n)] for epoch in range(epochs)]


def streaming(algorithm: str) -> Callable[[int, int, int], Epochs]:
    """As a StreamingDataset does on one node with one worker: which shuffle and partition it takes is its default."""

    def draw(n: int, seed: int, epochs: int) -> Epochs:
        from streaming.base.partition import get_partitions
        from streaming.base.shuffle import get_shuffle

        shards = np.full(n // SHARD, SHARD, dtype=np.int64)
        nodes = 64 if algorithm in ("py1s", "py2s") else 1
        block = max(4_000_000 // nodes, 1 << 18)
        places = get_partitions("relaxed", n, nodes, 1, 1, 1, BATCH).flatten()
        places = places[places >= 0]
        return [get_shuffle(algorithm, shards, nodes, seed, epoch, block)[places] for epoch in range(epochs)]

    return draw


def webdataset(n: int, seed: int, epochs: int) -> Epochs:
    from webdataset.filters import detshuffle

    stage = detshuffle(seed=seed)
    return [list(stage.run(iter(range(n)))) for _ in range(epochs)]


def webdataset_shuffle(n: int, seed: int, epochs: int) -> Epochs:
    from webdataset.filters import shuffle

    stage = shuffle(1000, rng=random.Random(seed))
    return [list(stage(iter(range(n)))) for _ in range(epochs)]


def datasets(n: int, seed: int, epochs: int) -> Epochs:
    from datasets import Dataset

    if epochs > 1:
        raise SystemExit("Dataset.shuffle knows no epochs: --epochs 1")
    return [list(Dataset.from_dict({"index": range(n)}).shuffle(seed=seed)["index"])]


def datasets_iterable(n: int, seed: int, epochs: int) -> Epochs:
    from datasets import Dataset

    dataset = Dataset.from_dict({"index": range(n)}).to_iterable_dataset(num_shards=n // SHARD).shuffle(seed=seed)
    drawn = []
    for epoch in range(epochs):
        dataset.set_epoch(epoch)
        drawn.append([row["index"] for row in dataset])
    return drawn


LOADERS: dict[str, Callable[[int, int, int], Epochs]] = {
    "numpy": numpy_permutation,
    "torch-randperm": torch_randperm,
    "torch-random-sampler": torch_random_sampler,
    "torch-dataloader": torch_dataloader,
    "torch-distributed-sampler": torch_distributed_sampler,
    "grain": grain,
    "grain-sampler": grain_sampler,
    **{f"streaming-{name}": streaming(name) for name in ("naive", "py1s", "py2s", "py1br", "py1e")},
    "webdataset-shuffle": webdataset_shuffle,
    "webdataset-detshuffle": webdataset,
    "datasets": datasets,
    "datasets-iterable": datasets_iterable,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("loader", choices=LOADERS)
    parser.add_argument("out")
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=4)
    given = parser.parse_args()
    draw = LOADERS[given.loader]
    np.save(given.out, np.array([draw(given.samples, seed, given.epochs) for seed in range(given.seeds)], np.int64))


if __name__ == "__main__":
    main()
