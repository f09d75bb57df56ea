"""Amounts of what a node has, as Ray counts it, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .talk import Demand

GIB = 2**30
Amounts = dict[str, float]
"""By Ray's names: CPU, GPU, memory in bytes."""
NAMES = ("CPU", "GPU", "memory")


def amounts_of(resources: Mapping[str, float]) -> Amounts:
    return {name: float(resources[name]) for name in NAMES if name in resources}


def demanded(demand: Demand) -> Amounts:
    """Without what it does not ask for."""
    amounts = {"CPU": float(demand.cpus), "GPU": float(demand.gpus), "memory": float(demand.memory_bytes or 0)}
    return {name: amount for name, amount in amounts.items() if amount > 0}


def has(available: Amounts, demand: Amounts) -> bool:
    return all(available.get(name, 0) >= amount for name, amount in demand.items())


def sum_of(nodes: Sequence[Amounts]) -> Amounts:
    return {name: sum(node.get(name, 0) for node in nodes) for name in NAMES}


def in_words(amounts: Amounts) -> str:
    """As {CPU: 2, memory: 4 GiB}."""
    return f"{{{', '.join(f'{name}: {amount(name, amounts[name])}' for name in NAMES if name in amounts)}}}"


def amount(name: str, value: float) -> str:
    return f"{value / GIB:.3g} GiB" if name == "memory" else f"{value:g}"


def refusal(demand: Amounts, nodes: Sequence[Amounts]) -> str | None:
    """Why no node that is there could ever take it; None where one could."""
    if any(has(node, demand) for node in nodes):
        return None
    of_demand = [{name: node.get(name, 0.0) for name in demand} for node in nodes]
    kinds = list(dict.fromkeys(map(in_words, of_demand)))
    there = " or ".join(kinds) if kinds else "nothing: there is no node"
    return (
        f"no node of the cluster has {in_words(demand)}, which backend.resources asks for; its nodes have {there}: "
        "ask for less, or add a node that has it"
    )


def waiting_for(demand: Amounts, free: Amounts, nodes: Sequence[Amounts]) -> str:
    total = sum_of(nodes)
    parts = [f"{name}: {amount(name, free.get(name, 0))} of {amount(name, total[name])}" for name in demand]
    return f"waiting for {in_words(demand)}; free in the cluster: {{{', '.join(parts)}}}"
