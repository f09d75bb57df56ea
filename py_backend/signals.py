"""What is told of each sample: one line of the table a signal.

Definitions, z a sample's logits, p their softmax, y its class:

    loss        −ln p_y
    correct     1 where argmax z is y, else 0
    prediction  argmax z
    margin      z_y − max_{k≠y} z_k, in logits: below 0 where the sample is wrong (Pleiss et al. 2020, arXiv 2001.10528,
                "Identifying mislabeled data using the area under the margin ranking", equation 1)
    entropy     −Σ p ln p in nats, 0·ln 0 = 0: from 0 to ln of the number of classes
    el2n        ‖p − onehot(y)‖₂, from 0 to √2 (Paul, Ganguli and Dziugaite 2021, arXiv 2107.07075, "Deep learning on
                a data diet", the EL2N score; theirs is a mean over several networks, this is that of the one at hand)

All are computed in float32 from float32 logits: with bfloat16 from what the model gave. Where a sample has a logit that
is not finite, its margin, entropy and el2n are NaN. A margin needs a second class, so `open` refuses a single one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

NAN = float("nan")


def of_own_class(logits: Tensor, labels: Tensor) -> Tensor:
    """bool [B, classes]: true at each sample's own class."""
    return labels.unsqueeze(1) == torch.arange(logits.shape[1], device=logits.device)


def where_finite(values: Tensor, logits: Tensor) -> Tensor:
    """The values [B], NaN where one of the sample's logits is NaN or infinite."""
    return values.where(logits.isfinite().all(1), NAN)


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """z_y − max_{k≠y} z_k, float32 [B]."""
    others = logits.masked_fill(of_own_class(logits, labels), -torch.inf)
    own = logits.gather(1, labels.unsqueeze(1)).squeeze(1)
    return where_finite(own - others.amax(1), logits)


def entropy(logits: Tensor) -> Tensor:
    """−Σ p ln p in nats, float32 [B]."""
    return where_finite(torch.special.entr(logits.softmax(1)).sum(1), logits)


def el2n(logits: Tensor, labels: Tensor) -> Tensor:
    """‖p − onehot(y)‖₂, float32 [B]."""
    errors = logits.softmax(1) - of_own_class(logits, labels).to(logits.dtype)
    return where_finite(torch.linalg.vector_norm(errors, dim=1), logits)


# (losses float32 [B], logits float32 [B, classes], labels int64 [B]) → one value a sample, and its dtype on the device
SIGNALS: dict[str, tuple[torch.dtype, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "loss": (torch.float32, lambda losses, logits, labels: losses),
    "correct": (torch.uint8, lambda losses, logits, labels: logits.argmax(1) == labels),
    "prediction": (torch.int32, lambda losses, logits, labels: logits.argmax(1)),
    "margin": (torch.float32, lambda losses, logits, labels: margin(logits, labels)),
    "entropy": (torch.float32, lambda losses, logits, labels: entropy(logits)),
    "el2n": (torch.float32, lambda losses, logits, labels: el2n(logits, labels)),
}

KEPT_LOGITS = 1 << 24
"""Values that are kept, 64 MiB, until signals are made of them."""


class SignalBuffer:
    """The signals of `count` samples on the device, filled in sequence without waiting. What was not asked for is not
    computed. Logits are kept until there are many, so that a signal is computed once for many batches."""

    def __init__(self, names: Iterable[str], count: int, device: torch.device) -> None:
        self._names = list(names)
        self._losses = torch.empty(count, dtype=torch.float32, device=device)
        self._buffers = {
            name: self._losses if name == "loss" else torch.empty(count, dtype=SIGNALS[name][0], device=device)
            for name in self._names
        }
        self._of_logits = [name for name in self._names if name != "loss"]
        self._logits = torch.empty((0, 0), device=device)
        self._labels = torch.empty(0, dtype=torch.int64, device=device)
        self._computed = self._written = 0

    def write(self, start: int, losses: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Of samples start … start + B - 1 of the message: those behind the ones before."""
        end = start + len(labels)
        self._losses[start:end] = losses
        if self._of_logits:
            if end - self._computed > len(self._logits):
                self._compute()
                self._make_room(logits)
            kept = slice(start - self._computed, end - self._computed)
            self._logits[kept], self._labels[kept] = logits, labels
        self._written = end

    def first(self, count: int) -> dict[str, Tensor]:
        """The signals of the first `count` samples."""
        self._compute()
        return {name: buffer[:count] for name, buffer in self._buffers.items()}

    def _make_room(self, logits: Tensor) -> None:
        """For as many as are kept, and for those of this batch at least."""
        batch_size, classes = logits.shape
        room = min(max(KEPT_LOGITS // classes, batch_size), len(self._losses) - self._computed)
        if room > len(self._logits):
            self._logits = torch.empty((room, classes), dtype=torch.float32, device=logits.device)
            self._labels = torch.empty(room, dtype=torch.int64, device=logits.device)

    def _compute(self) -> None:
        """Of what is kept."""
        at, kept = slice(self._computed, self._written), self._written - self._computed
        for name in self._of_logits if kept else []:
            self._buffers[name][at] = SIGNALS[name][1](self._losses[at], self._logits[:kept], self._labels[:kept])
        self._computed = self._written
