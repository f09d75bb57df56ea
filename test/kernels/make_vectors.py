"""Makes test/kernels/argsort-vectors.json: keys, and where numpy's stable sort puts them.

Keys are written as the bits of their float32, since JSON has no NaN, no infinity and no −0. Descending is numpy's
stable sort of the negated keys, which leaves NaN last and equal keys in the order of their indices.
Run: .venv/bin/python test/kernels/make_vectors.py
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(20)
SPECIAL = np.array(
    [np.nan, -np.nan, 0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45, 1.1e-38, 3.4e38, -3.4e38, 1, -1], np.float32
)


def cases():
    for n in (0, 1, 2, 3, 7, 255, 256, 257):
        yield f"{n} losses", rng.exponential(size=n)
    yield "2049 of both signs", rng.normal(size=2049)
    yield "tied", rng.integers(-2, 3, 700)
    yield "constant", np.full(300, 2.5)
    yield "all NaN", np.full(20, np.nan)
    yield "sorted", np.sort(rng.normal(size=300))
    yield "reversed", np.sort(rng.normal(size=300))[::-1]
    yield "zeros of both signs", rng.choice(np.array([0.0, -0.0]), 100)
    yield "denormals", rng.integers(-50, 50, 400) * 1e-45
    yield (
        "infinities among numbers",
        np.where(rng.random(300) < 0.3, np.inf * rng.choice([-1, 1], 300), rng.normal(size=300)),
    )
    yield "NaN among numbers", np.where(rng.random(300) < 0.3, np.nan, rng.normal(size=300))
    yield "everything", rng.choice(SPECIAL, 500)
    # Any bit pattern at all, NaN of all kinds among them.
    yield "any bits", rng.integers(0, 2**32, 1000, dtype=np.uint32).view(np.float32)


def main() -> None:
    vectors = []
    for name, values in cases():
        keys = np.asarray(values).astype(np.float32)
        vectors.append(
            {
                "name": name,
                "keys": keys.view(np.uint32).tolist(),
                "ascending": np.argsort(keys, kind="stable").tolist(),
                "descending": np.argsort(-keys, kind="stable").tolist(),
            }
        )
    path = Path(__file__).with_name("argsort-vectors.json")
    lines = ",\n".join(json.dumps(vector, separators=(",", ":")) for vector in vectors)
    path.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
