"""The generators that any code may draw from without a word: torch's, and those of Python's `random` and numpy.

Each is seeded before a model is built, and for models and losses that are the user's before each step and each pass in
evaluation mode, so that what they draw follows from seed, step and what is looked at. What draws from a generator of
its own is not seen here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from .device import seed_default_generators

NUMPY_SEED_MASK = (1 << 32) - 1


def seed_all(device: torch.device, seed: int) -> None:
    """seed: 0 … 2⁶⁴-1. numpy takes its low 32 bits."""
    seed_default_generators(device, seed)
    seed_python(seed)


def seed_python(seed: int) -> None:
    """Those of `random` and of numpy's functions; 50 µs."""
    random.seed(seed)
    np.random.seed(seed & NUMPY_SEED_MASK)


def states(device: torch.device) -> dict[str, object]:
    """Where each stands, by whose it is; to be compared."""
    found: dict[str, object] = {"torch's": torch.default_generator.get_state().numpy().tobytes()}
    if device.type == "cuda":
        found["CUDA's"] = torch.cuda.get_rng_state(device).numpy().tobytes()
    numpy_state = np.random.get_state()
    found["numpy's"] = tuple(part.tobytes() if isinstance(part, np.ndarray) else part for part in numpy_state)
    found["Python's"] = random.getstate()
    return found


def of_device(device: torch.device) -> str:
    """Whose a recording of the device's work draws from anew, as `states` names it."""
    return "CUDA's" if device.type == "cuda" else "torch's"


def drawn(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """Whose have moved on."""
    return [name for name, state in before.items() if after[name] != state]


@contextmanager
def generators_kept(device: torch.device) -> Iterator[None]:
    """All of them stand afterwards where they stood."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
