"""What a node has, and what is said of it."""

from __future__ import annotations

from py_ray.resources import GIB, amounts_of, demanded, has, refusal, waiting_for
from py_ray.talk import Demand

SMALL, LARGE = {"CPU": 2.0}, {"CPU": 8.0, "GPU": 1.0, "memory": 16.0 * GIB}


def test_what_ray_counts_beside_these_is_left_out() -> None:
    assert amounts_of({"CPU": 2, "node:10.0.0.1": 1, "object_store_memory": 5}) == {"CPU": 2.0}


def test_a_demand_is_what_it_asks_for() -> None:
    assert demanded(Demand(2, 0, None)) == {"CPU": 2.0}
    assert demanded(Demand(1, 0.5, 4 * GIB)) == {"CPU": 1.0, "GPU": 0.5, "memory": 4.0 * GIB}


def test_one_node_has_to_have_all_of_it() -> None:
    assert has(LARGE, demanded(Demand(8, 1, None)))
    assert not has(SMALL, demanded(Demand(1, 1, None)))
    assert refusal({"CPU": 4.0}, [SMALL, LARGE]) is None


def test_what_no_node_has_is_refused_with_what_they_have() -> None:
    assert refusal({"CPU": 4.0, "GPU": 2.0}, [SMALL, SMALL, LARGE]) == (
        "no node of the cluster has {CPU: 4, GPU: 2}, which backend.resources asks for; its nodes have {CPU: 2, GPU: "
        "0} or {CPU: 8, GPU: 1}: ask for less, or add a node that has it"
    )
    assert "there is no node" in (refusal({"CPU": 1.0}, []) or "")


def test_what_is_waited_for_is_said_with_what_is_free() -> None:
    demand = {"CPU": 4.0, "memory": 2.5 * GIB}
    assert waiting_for(demand, {"CPU": 1.0}, [SMALL, LARGE]) == (
        "waiting for {CPU: 4, memory: 2.5 GiB}; free in the cluster: {CPU: 1 of 10, memory: 0 GiB of 16 GiB}"
    )
