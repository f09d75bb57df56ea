"""The number of torch's threads: bits depend on it, and any code in the process may set it."""

from __future__ import annotations

import torch

from .errors import BackendError


def restore_threads(expected: int) -> list[str]:
    """Sets the number back where it was changed, and says so: a line for a person, or none."""
    found = torch.get_num_threads()
    if found == expected:
        return []
    torch.set_num_threads(expected)
    return [
        f"what was imported set torch to {found} threads: back to the {expected} that the backend was started with "
        "(backend.threads)"
    ]


def refuse_other_threads(expected: int) -> None:
    """Raises BackendError (bad_reference) where code that trained meanwhile has set another number."""
    found = torch.get_num_threads()
    if found == expected:
        return
    torch.set_num_threads(expected)
    raise BackendError(
        "bad_reference",
        f"code of the model, the loss or the dataset set torch to {found} threads while it ran, and bits depend on "
        f"their number: take torch.set_num_threads out of it, or ask for backend.threads={found} (now {expected})",
    )
