"""Uniform shuffles of numpy, uint32 [count, n], to a file: python numpy_shuffles.py FILE COUNT N SEED."""

import sys

import numpy as np

path, count, n, seed = sys.argv[1], *map(int, sys.argv[2:])
generator = np.random.default_rng(seed)
np.save(path, np.stack([generator.permutation(n) for _ in range(count)]).astype(np.uint32))
