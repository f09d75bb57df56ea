"""BatchNorm in evaluation: whose statistics its layers normalise with (`norm` of `evaluate` in docs/PROTOCOL.md).

    running      the running statistics that training left: torch's evaluation mode
    batch        those of the batch under way, as in a training pass (biased variance)
    reestimated  those of calibration samples, pooled

No tensor of the model is ever written. A layer in evaluation mode without running statistics takes those of the
batch, so for a while its two buffers are put aside (`batch_statistics`), or others in their place
(`using_statistics`); afterwards the same tensors are back. `num_batches_tracked` counts training passes alone.

Re-estimated means and variances are the exact ones over all values (samples × positions) that came to a layer from all
calibration batches: each sample has the same weight, however the batches were cut. The variance is unbiased, as
torch's running one. Batches are merged pairwise in float64 (Chan, Golub and LeVeque 1979, "Updating formulae and a
pairwise algorithm for computing sample variances"). torch's own `optim.swa_utils.update_bn` (momentum None) averages
over batches instead: a short last batch counts as a whole one, and the variance between the batches' means is left out.
With a single calibration batch both are the same. As there, calibration is one pass in which each layer normalises with
the statistics of the batch under way. So the first BatchNorm has the exact statistics of what it will see, and a deeper
one those of inputs that earlier layers normalised batch by batch: exact at one batch (up to n/(n − 1) in earlier
variances), close where batches are large and mixed. To be exact at any cut, each layer would need a pass of its own: 20
in ResNet-18.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def batch_norm_layers(model: nn.Module) -> tuple[_BatchNorm, ...]:
    """The modules that take statistics over the batch in a training pass, so that micro-batches have another gradient:
    BatchNorm of any dimension and SyncBatchNorm, but those that the model keeps frozen (GroupNorm, LayerNorm and
    InstanceNorm look at one sample at a time). Leaves the model in training mode."""
    model.train()
    return tuple(module for module in model.modules() if isinstance(module, _BatchNorm) and module.training)


@contextmanager
def replaced_statistics(layer: _BatchNorm, mean: Tensor | None, variance: Tensor | None) -> Iterator[None]:
    """The layer with these in place of its running statistics, float32 [channels] each, or with none; afterwards, come
    what may, with its own tensors. One that keeps no running statistics is left alone: it takes the batch's always."""
    own_mean, own_variance = layer.running_mean, layer.running_var
    if own_mean is None or own_variance is None:
        yield
        return
    layer.running_mean, layer.running_var = mean, variance
    try:
        yield
    finally:
        layer.running_mean, layer.running_var = own_mean, own_variance


@contextmanager
def batch_statistics(layers: Sequence[_BatchNorm]) -> Iterator[None]:
    """In evaluation mode these layers normalise with the statistics of the batch under way, and learn nothing of it."""
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(replaced_statistics(layer, None, None))
        yield


class PooledStatistics:
    """Mean and variance of each channel over all values seen: one layer's input, batch by batch."""

    def __init__(self) -> None:
        self._count = 0
        self._mean: Tensor | None = None
        self._squares: Tensor | None = None  # sum of (x − mean)²

    def add(self, values: Tensor) -> None:
        """values: [B, channels, …] of any float type. The device is not waited for."""
        count = values.numel() // values.shape[1]
        others = [dimension for dimension in range(values.dim()) if dimension != 1]
        variance, mean = (part.double() for part in torch.var_mean(values.float(), others, correction=0))
        squares = variance * count
        if self._mean is None or self._squares is None:
            self._count, self._mean, self._squares = count, mean, squares
            return
        total = self._count + count
        difference = mean - self._mean
        self._squares = self._squares + squares + difference.square() * (self._count * count / total)
        self._mean = self._mean + difference * (count / total)
        self._count = total

    @property
    def mean_and_variance(self) -> tuple[Tensor, Tensor] | None:
        """float32 [channels] each, the variance unbiased; None where nothing was seen."""
        if self._mean is None or self._squares is None:
            return None
        return self._mean.float(), (self._squares / (self._count - 1)).float()


class Calibration:
    """What each of these layers saw while `observing`."""

    def __init__(self, layers: Sequence[_BatchNorm]) -> None:
        self._pooled = {layer: PooledStatistics() for layer in layers}

    @contextmanager
    def observing(self) -> Iterator[None]:
        """The layers take the batch's statistics, and their inputs are counted in."""
        with batch_statistics(tuple(self._pooled)), ExitStack() as stack:
            for layer in self._pooled:
                handle = layer.register_forward_pre_hook(self._count_in)
                stack.callback(handle.remove)
            yield

    def _count_in(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, _BatchNorm)
        self._pooled[layer].add(inputs[0])

    @contextmanager
    def using_statistics(self) -> Iterator[None]:
        """The layers normalise with what was pooled; one that no sample came to, with its running statistics."""
        with ExitStack() as stack:
            for layer, pooled in self._pooled.items():
                if (seen := pooled.mean_and_variance) is not None:
                    stack.enter_context(replaced_statistics(layer, *seen))
            yield
