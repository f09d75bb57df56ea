"""What happens in a pass through a model: calls of its modules and functions in their order, with their tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class Event:
    """side: what is held; kind: the class of the module, or `function`. tensors: copies, float64.

    Modules with parameters of their own have an `input` and an `output` event at each call (call: 0, 1, …). Any other
    leaf module, and a function called outside of leaf modules, is one event `between` with its first input and output.
    """

    side: Literal["input", "output", "between"]
    name: str
    kind: str
    call: int
    tensors: tuple[Tensor, ...]


class Trace:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.calls: dict[str, int] = {}
        self.depth = 0

    def find(self, side: str, name: str, call: int) -> int | None:
        """The place of this event."""
        for place, event in enumerate(self.events):
            if (event.side, event.name, event.call) == (side, name, call):
                return place
        return None


class FunctionCalls(TorchFunctionMode):
    """Adds functions of tensors, called outside of leaf modules, to a trace."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if self._trace.depth or not args or not isinstance(args[0], Tensor):
            return func(*args, **(kwargs or {}))
        before = copies(args[:1])
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.is_floating_point() and not is_attribute(func):
            name = getattr(func, "__name__", str(func))
            self._trace.events.append(Event("between", name, "function", 0, (*before, *copies((result,)))))
        return result


@contextmanager
def tracing(model: nn.Module) -> Iterator[Trace]:
    """The trace of what `model` does within."""
    trace = Trace()
    handles = []
    for name, module in model.named_modules():
        owns = any(True for _ in module.parameters(recurse=False))
        leaf = next(module.children(), None) is None
        if owns or leaf:
            handles.append(module.register_forward_pre_hook(entering(trace, name, owns, leaf)))
            handles.append(module.register_forward_hook(leaving(trace, name, owns, leaf)))
    try:
        with FunctionCalls(trace):
            yield trace
    finally:
        for handle in handles:
            handle.remove()


def entering(trace: Trace, name: str, owns: bool, leaf: bool) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...]) -> None:
        if owns:
            call = trace.calls.get(name, -1) + 1
            trace.calls[name] = call
            trace.events.append(Event("input", name, type(module).__name__, call, copies(args)))
        else:
            trace.events.append(Event("between", name, type(module).__name__, 0, copies(args[:1])))
        trace.depth += leaf

    return hook


def leaving(trace: Trace, name: str, owns: bool, leaf: bool) -> Callable[..., None]:
    def hook(module: nn.Module, _: Any, output: Any) -> None:
        trace.depth -= leaf
        tensors = copies(output if isinstance(output, tuple | list) else (output,))
        if owns:
            trace.events.append(Event("output", name, type(module).__name__, trace.calls[name], tensors))
        else:
            entered = trace.events.pop()
            trace.events.append(Event("between", name, entered.kind, 0, (*entered.tensors, *tensors)))

    return hook


def copies(values: Iterable[Any]) -> tuple[Tensor, ...]:
    """Later operations may write in place. Called where functions may be watched."""
    with torch._C.DisableTorchFunction():
        return tuple(
            value.detach().clone() for value in values if isinstance(value, Tensor) and value.is_floating_point()
        )


def is_attribute(func: Callable[..., Any]) -> bool:
    """Reading `x.T` or `x.shape` is a call of a getter."""
    return getattr(func, "__name__", "") in ("__get__", "__set__")
