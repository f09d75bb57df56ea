"""The mean of a model's parameters over updates, and a look at the model with it in their place.

    uniform      m_n = (1/n) Σ w_i: Polyak and Juditsky 1992; SWA (Izmailov et al. 2018, arXiv 1803.05407)
    exponential  m_n = Σ d^(n-i) w_i / Σ d^(n-i), with a decay d

Both are m_n = m_(n-1) + r_n (w_n - m_(n-1)), with r_n = 1/n and r_n = (1 - d)/(1 - d^n). So the exponential one has its
bias corrected as Adam's means have: r_1 is 1, and no weights from before the first update count. torch's
`swa_utils.get_ema_avg_fn` starts from w_1 and does not correct, which leaves w_1 the weight d^(n-1).

Means are kept in float64 (complex128), on the device: in float32 an update of w/n is lost to rounding from some n on.
What is looked at is the mean rounded to the parameter's own type. Frozen parameters have none, for what is infinite (a
mask) would have NaN. Nor have buffers: BatchNorm's statistics are re-estimated where `norm` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from .errors import BackendError


class AveragedWeights:
    """count: updates that are in the mean. Of tied parameters there is one mean, of integers and frozen ones none."""

    def __init__(self, model: nn.Module) -> None:
        self.count = 0
        self._parameters: dict[str, Parameter] = {
            name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad
        }
        self._means: dict[str, Tensor] = {}
        self._decays: set[float | None] = set()  # of what was counted here; one that was put back does not say its own

    def refuse_other(self, from_step: int, decay: float | None, step: int) -> None:
        """Refuses what would not go on with the mean at this step. Raises BackendError (bad_field)."""
        due = max(0, step - from_step)
        if due != self.count:
            raise BackendError(
                "bad_field",
                f"average from_step {from_step} came at step {step}: {due} updates would be in the mean, and "
                f"{self.count} are; send the same `average` with every chunk of a run",
            )
        if others := self._decays - {decay}:
            raise BackendError(
                "bad_field",
                f"average decay {decay} came at step {step}, and {others.pop()} before; send the same "
                "`average` with every chunk of a run",
            )

    @torch.no_grad()
    def count_in(self, decay: float | None) -> None:
        """The parameters as they are now; decay None: a uniform mean. The device is not waited for."""
        self.count += 1
        self._decays.add(decay)
        if self.count == 1:
            self._means = {name: self._fresh(name).copy_(parameter) for name, parameter in self._parameters.items()}
            return
        rate = 1 / self.count if decay is None else (1 - decay) / (1 - decay**self.count)
        means = list(self._means.values())
        torch._foreach_lerp_(means, [parameter.to(mean.dtype) for parameter, mean in self._pairs()], rate)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The parameters are their means; afterwards, come what may, what they were, to the bit. Their storage is kept:
        tied ones, and whatever a module made of it, stay so. Raises BackendError (bad_field) where nothing was counted.
        """
        if self.count == 0:
            raise BackendError(
                "bad_field",
                "weights averaged: no update was counted into a mean yet; train with `average` first, or take last",
            )
        kept = [parameter.detach().clone() for parameter, _ in self._pairs()]
        try:
            with torch.no_grad():
                for parameter, mean in self._pairs():
                    parameter.copy_(mean)
            yield
        finally:
            with torch.no_grad():
                for (parameter, _), own in zip(self._pairs(), kept, strict=True):
                    parameter.copy_(own)

    @property
    def means(self) -> Mapping[str, Tensor]:
        """By the names of the parameters; none before the first update. The tensors themselves."""
        return self._means

    def expected(self) -> dict[str, Tensor]:
        """What means there are once something is counted, without values."""
        return {name: self._fresh(name, "meta") for name in self._parameters}

    def put_back(self, count: int, means: Mapping[str, Tensor]) -> None:
        """means: as `expected` says, of any device."""
        self._means = {name: self._fresh(name).copy_(means[name]) for name in self._parameters}
        self.count = count
        self._decays = set()

    def _fresh(self, name: str, device: str | None = None) -> Tensor:
        parameter = self._parameters[name]
        dtype = torch.promote_types(parameter.dtype, torch.float64)
        return torch.empty_like(parameter, dtype=dtype, device=device, requires_grad=False)

    def _pairs(self) -> Iterator[tuple[Parameter, Tensor]]:
        for name, mean in self._means.items():
            yield self._parameters[name], mean
