"""Which parameter of ours is which of the reference: by their order and shapes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .check import Check
from .trace import Trace

Shapes = Sequence[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class Paired:
    """names: (ours, theirs) in ours' order; None where they do not fit, and `check` says how."""

    names: list[tuple[str, str]] | None
    check: Check


def pair_parameters(ours: nn.Module, theirs: nn.Module, our_trace: Trace, their_trace: Trace) -> Paired:
    return pair(
        "parameters",
        dict(ours.named_parameters()),
        dict(theirs.named_parameters()),
        list(our_trace.calls),
        list(their_trace.calls),
    )


def pair_buffers(ours: nn.Module, theirs: nn.Module, our_trace: Trace, their_trace: Trace) -> Paired:
    def floating(model: nn.Module) -> dict[str, Tensor]:
        return {name: buffer for name, buffer in model.named_buffers() if buffer.is_floating_point()}

    return pair("buffers", floating(ours), floating(theirs), list(our_trace.calls), list(their_trace.calls))


def pair(
    what: str, ours: dict[str, Tensor], theirs: dict[str, Tensor], our_calls: Sequence[str], their_calls: Sequence[str]
) -> Paired:
    """In state order, or where shapes do not fit so, in the order in which their modules were first called."""
    measured = f"ours {counted(ours)}; reference {counted(theirs)}"
    tolerance = "the same shapes"
    mine, other = shapes(ours), shapes(theirs)
    for how, left, right in (
        ("", mine, other),
        ("paired in the order of execution", executed(mine, our_calls), executed(other, their_calls)),
    ):
        if [shape for _, shape in left] == [shape for _, shape in right]:
            names = [(name, twin) for (name, _), (twin, _) in zip(left, right, strict=True)]
            return Paired(names, Check(what, "pass", measured, tolerance, how))
    return Paired(None, Check(what, "fail", measured, tolerance, describe_misfit(mine, other)))


def shapes(tensors: dict[str, Tensor]) -> Shapes:
    return [(name, tuple(tensor.shape)) for name, tensor in tensors.items()]


def executed(tensors: Shapes, calls: Sequence[str]) -> Shapes:
    """Sorted by when their module was first called; those of modules never called come last."""
    places = {name: place for place, name in enumerate(calls)}
    return sorted(tensors, key=lambda tensor: places.get(tensor[0].rpartition(".")[0], len(places)))


def describe_misfit(ours: Shapes, theirs: Shapes) -> str:
    """What one has and the other lacks, by the longest common subsequence of shapes."""
    matcher = difflib.SequenceMatcher(None, [s for _, s in ours], [s for _, s in theirs], autojunk=False)
    said = []
    for tag, start, end, their_start, their_end in matcher.get_opcodes():
        if tag == "replace" and end - start == their_end - their_start:
            said += [
                f"{of_shape(mine)} of ours against {of_shape(other)} of the reference"
                for mine, other in zip(ours[start:end], theirs[their_start:their_end], strict=True)
            ]
        elif tag != "equal":
            said += [f"ours has {of_shape(one)}, which the reference lacks" for one in ours[start:end]]
            said += [f"the reference has {of_shape(one)}, which ours lacks" for one in theirs[their_start:their_end]]
    more = f"; and {len(said) - 4} more" if len(said) > 4 else ""
    return ("; ".join(said[:4]) + more) if said else "the same shapes in another order, also of execution"


def of_shape(tensor: tuple[str, tuple[int, ...]]) -> str:
    return f"{tensor[0]} {list(tensor[1])}"


def counted(tensors: dict[str, Tensor]) -> str:
    return f"{len(tensors)} tensors, {sum(tensor.numel() for tensor in tensors.values()):,} values"


@torch.no_grad()
def carry_over(ours: nn.Module, theirs: nn.Module, names: Iterable[tuple[str, str]]) -> None:
    """The values of ours into the reference."""
    source = dict([*ours.named_parameters(), *ours.named_buffers()])
    target = dict([*theirs.named_parameters(), *theirs.named_buffers()])
    for name, twin in names:
        target[twin].copy_(source[name])


def pair_modules(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Modules that own paired parameters, ours to theirs; the first pair decides."""
    modules: dict[str, str] = {}
    for name, twin in names:
        modules.setdefault(name.rpartition(".")[0], twin.rpartition(".")[0])
    return modules
