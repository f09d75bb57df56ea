"""The recorded batches of several epochs, one after another, announced to all that depends on the step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor
from torch.utils.data import Sampler

from .data import Pictures
from .noise import StepNoise
from .recorded_order import RecordedOrder


class Steps(Sampler[list[int]]):
    """A batch sampler that begins a step, for the noise and the record of what is read, whenever it gives a batch.

    For each batch: learning_rates; weights, float32 [B], or None where no epoch has any; epochs, whose it is.
    """

    def __init__(self, orders: Sequence[tuple[int, RecordedOrder]], dataset: Pictures, noise: StepNoise) -> None:
        self._batches = [batch for _, order in orders for batch in order]
        self._dataset = dataset
        self._noise = noise
        self.learning_rates = [rate for _, order in orders for rate in order.learning_rates]
        self.epochs = [epoch for epoch, order in orders for _ in order]
        self.weights = weights_of([order for _, order in orders])

    def __iter__(self) -> Iterator[list[int]]:
        for step, batch in enumerate(self._batches):
            self._noise.begin(step, len(batch))
            self._dataset.begin()
            yield list(batch)

    def __len__(self) -> int:
        return len(self._batches)


def weights_of(orders: Sequence[RecordedOrder]) -> list[Tensor] | None:
    """Raises ValueError where some epochs have weights and others none."""
    weighted = [order.weights for order in orders if order.weights is not None]
    if weighted and len(weighted) < len(orders):
        raise ValueError(
            f"{len(weighted)} of {len(orders)} epochs have weights; one loop takes all with, or all without"
        )
    return [weight for weights in weighted for weight in weights] if weighted else None
