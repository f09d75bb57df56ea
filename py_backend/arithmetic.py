"""How a session's products are made. torch's switches for it are the process's, so they are set for the session whose
work is under way."""

from __future__ import annotations

from dataclasses import dataclass

from .device import makes_tf32, set_arithmetic
from .messages import Open, Precision
from .torch_state import TorchState


@dataclass(frozen=True)
class Arithmetic:
    """What a session asked for."""

    precision: Precision
    equal_bits: bool

    @staticmethod
    def of(request: Open) -> Arithmetic:
        return Arithmetic(request.precision, request.equal_bits)


class ArithmeticUnderWay:
    """Which session's torch is set for, and what `state` expects since."""

    def __init__(self, state: TorchState) -> None:
        self._state = state
        self._now: Arithmetic | None = None

    def take(self, arithmetic: Arithmetic) -> None:
        """Sets torch for this one. What others changed of torch was set back before."""
        if arithmetic == self._now:
            return
        set_arithmetic(refuse_others=arithmetic.equal_bits, tf32=arithmetic.precision == "tf32")
        self._state.expect_current()
        self._now = arithmetic


def made_in(asked: Precision) -> Precision:
    """The precision in which products are really made, as torch's switches stand now."""
    if asked == "bfloat16":
        return asked
    return "tf32" if makes_tf32() else "float32"
