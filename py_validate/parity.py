"""Model parity: our model against a reference, in float64, with the same weights and without dropout."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .check import Check, skipped
from .dropout_calls import DropoutCall, NoDropout, silence_keyed
from .pairing import carry_over, pair_buffers, pair_modules, pair_parameters
from .trace import Event, Trace, tracing

TOLERANCE = 1e-9
SAID = f"{TOLERANCE:.0e} of the largest"
LATER = ("dropout", "forward, evaluation mode", "forward, training mode", "gradients", "buffers after a training pass")
SEEDS = (1, 2)
GRADIENT_FLOOR = 1e-3
"""Of the largest gradient: one that cancels to rounding noise, as of a bias before BatchNorm, counts as so large."""

Names = Sequence[tuple[str, str]]


def model_parity(ours: nn.Module, theirs: nn.Module, images: Tensor, labels: Tensor) -> list[Check]:
    """images: [B, C, H, W]; labels: int64 [B]. The models stay as they are; what they raise passes through."""
    ours, theirs, images = in_float64(ours), in_float64(theirs), images.double()
    our_trace, their_trace = evaluated(ours, images), evaluated(theirs, images)
    parameters = pair_parameters(ours, theirs, our_trace, their_trace)
    buffers = pair_buffers(ours, theirs, our_trace, their_trace)
    checks = [parameters.check, buffers.check]
    if parameters.names is None or buffers.names is None:
        return [*checks, *(skipped(name, "parameters or buffers cannot be carried over") for name in LATER)]
    carry_over(ours, theirs, [*parameters.names, *buffers.names])
    modules = pair_modules([*parameters.names, *buffers.names])
    mine, other = trained(ours, images, labels), trained(theirs, images, labels)
    return [
        *checks,
        dropout_check(mine.dropouts, other.dropouts),
        evaluation_check(ours, theirs, images, modules),
        forward_check("forward, training mode", mine.trace, other.trace, modules),
        tensors_check("gradients", parameters.names, mine.gradients, other.gradients, GRADIENT_FLOOR),
        tensors_check("buffers after a training pass", buffers.names, mine.buffers, other.buffers),
    ]


def in_float64(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).double()


@dataclass(frozen=True)
class Pass:
    """A training pass of a copy: what it did, its dropout calls, and what it left behind."""

    trace: Trace
    dropouts: Sequence[DropoutCall]
    gradients: dict[str, Tensor]
    buffers: dict[str, Tensor]


def trained(model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
    model = copy.deepcopy(model).train()
    mode = NoDropout()
    silence_keyed(model, mode)
    with mode, tracing(model) as trace:
        logits = model(images)
    trace.events.append(Event("output", "", "the model", 0, (logits.detach(),)))
    F.cross_entropy(logits, labels).backward()
    gradients = {name: own.grad for name, own in model.named_parameters() if own.grad is not None}
    return Pass(trace, mode.calls, gradients, dict(model.named_buffers()))


@torch.no_grad()
def evaluated(model: nn.Module, images: Tensor, seed: int = SEEDS[0]) -> Trace:
    model = copy.deepcopy(model).eval()
    with torch.random.fork_rng(devices=[]), tracing(model) as trace:
        torch.manual_seed(seed)
        logits = model(images)
    trace.events.append(Event("output", "", "the model", 0, (logits,)))
    return trace


def dropout_check(ours: Sequence[DropoutCall], theirs: Sequence[DropoutCall]) -> Check:
    def said(calls: Sequence[DropoutCall]) -> str:
        return ", ".join(f"{call.kind} {call.p:g}" for call in calls) or "none"

    same = list(ours) == list(theirs)
    detail = "" if same else f"in the order of calls: ours {said(ours)}; reference {said(theirs)}"
    return Check("dropout", "pass" if same else "fail", said(ours), "the same, in 1/256", detail)


def evaluation_check(ours: nn.Module, theirs: nn.Module, images: Tensor, modules: dict[str, str]) -> Check:
    name = "forward, evaluation mode"
    for whose, model in (("ours", ours), ("the reference", theirs)):
        first, again = (evaluated(model, images, seed) for seed in SEEDS)
        noisy = next((a for a, b in zip(first.events, again.events, strict=False) if apart(a, b) is not None), None)
        if noisy is not None:
            what = noisy.name or noisy.kind
            where = f"first at {what} ({noisy.kind})"
            detail = f"{whose} gives other values each time it is evaluated, {where}: dropout in evaluation?"
            return Check(name, "fail", "not the same twice", SAID, detail)
    return forward_check(name, evaluated(ours, images), evaluated(theirs, images), modules)


def forward_check(name: str, ours: Trace, theirs: Trace, modules: dict[str, str]) -> Check:
    """Layers in the order in which ours were called; the model's output last."""
    largest, before = 0.0, (0, 0)
    for place, twin_place in paired_events(ours, theirs, modules):
        event = ours.events[place]
        if twin_place is None:
            why = "the reference does not call it"
            return Check(name, "fail", why, SAID, f"{event.side} of our {event.name}, {event.kind}: {why}")
        twin = theirs.events[twin_place]
        difference = apart(event, twin)
        if difference is not None:
            between = passed(ours, theirs, before, (place, twin_place))
            return Check(name, "fail", difference, SAID, f"{described(event, twin)}: {difference}{between}")
        largest = max(largest, *(relative(a, b) for a, b in zip(event.tensors, twin.tensors, strict=False)), 0.0)
        before = (place, twin_place)
    return Check(name, "pass", "equal" if largest == 0 else f"{largest:.1e} at most", SAID)


def paired_events(ours: Trace, theirs: Trace, modules: dict[str, str]) -> Iterator[tuple[int, int | None]]:
    """Places of what is held against each other; None where the reference has no such call."""
    for place, event in enumerate(ours.events):
        if event.side != "between" and (event.name == "" or event.name in modules):
            yield place, theirs.find(event.side, modules.get(event.name, event.name), event.call)


def apart(event: Event, twin: Event) -> str | None:
    """How two events differ by more than the tolerance."""
    if len(event.tensors) != len(twin.tensors):
        return f"{len(twin.tensors)} tensors against {len(event.tensors)}"
    for mine, other in zip(event.tensors, twin.tensors, strict=True):
        if mine.shape != other.shape:
            return f"{list(other.shape)} against {list(mine.shape)}"
        if not relative(mine, other) <= TOLERANCE:
            return f"{relative(mine, other):.1e} of the largest value"
    return None


def relative(mine: Tensor, other: Tensor, least: float = 0.0) -> float:
    if torch.equal(mine, other):
        return 0.0
    scale = max(float(mine.abs().max()), least) or 1.0
    return float((mine - other).abs().max()) / scale


def described(event: Event, twin: Event) -> str:
    if event.name == "":
        return "the model's output"
    return f"{event.side} of {twin.name} (ours {event.name}), {event.kind}"


def passed(ours: Trace, theirs: Trace, start: tuple[int, int], end: tuple[int, int]) -> str:
    """What the reference runs since the last equal layer, where ours runs something else."""

    def between(trace: Trace, first: int, last: int) -> list[str]:
        events = [event for event in trace.events[first:last] if event.side == "between"]
        return [event.name if event.kind == "function" else f"{event.name} ({event.kind})" for event in events]

    mine, other = (between(trace, start[at], end[at]) for at, trace in enumerate((ours, theirs)))
    if [name.split(" ")[0] for name in mine] == [name.split(" ")[0] for name in other]:
        return ""
    runs = f"the reference runs {', '.join(other) or 'nothing'}, ours {', '.join(mine) or 'nothing'}"
    return f"; since the last equal layer {runs}"


def tensors_check(
    name: str, names: Names, ours: dict[str, Tensor], theirs: dict[str, Tensor], floor: float = 0.0
) -> Check:
    """floor: the least that a tensor's largest value counts as, as a share of the largest of all of ours."""
    different, largest = [], 0.0
    least = floor * max((float(tensor.abs().max()) for tensor in ours.values() if tensor.numel()), default=0.0)
    for mine, other in names:
        if (mine in ours) != (other in theirs):
            different.append((f"{other} (ours {mine}), which one of them has not", 1.0))
        elif mine in ours:
            difference = relative(ours[mine], theirs[other], least)
            largest = max(largest, difference)
            if not difference <= TOLERANCE:
                different.append((f"{other} (ours {mine})", difference))
    if not different:
        return Check(name, "pass", "equal" if largest == 0 else f"{largest:.1e} at most", SAID)
    where, difference = different[0]
    detail = f"{len(different)} of {len(names)} differ, first {where} by {difference:.1e} of its largest value"
    return Check(name, "fail", f"{max(d for _, d in different):.1e} at most", SAID, detail)
