"""Lines of JSON between the controller and py_ray."""

from __future__ import annotations

import io
import json

import pytest

from py_ray.talk import Demand, Order, Place, Release, RequestError, Teller, read_request

ORDER = {"client_key": "k" * 40, "arguments": ["--threads", "2"], "start_seconds": 120}


def place(**changes: object) -> str:
    demand = {"cpus": 2, "gpus": 0.5, "memory_bytes": None}
    return json.dumps({"type": "place", "id": 3, "demand": demand, "order": ORDER, **changes})


def test_a_request_is_read() -> None:
    assert read_request(place()) == Place(3, Demand(2, 0.5, None), Order("k" * 40, ["--threads", "2"], 120))
    assert read_request('{"type": "release", "id": 3}') == Release(3)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"type": "shout"}',
        '{"type": "release", "id": "3"}',
        place(demand={"cpus": "2", "gpus": 0, "memory_bytes": None}),
        place(demand={"cpus": 2}),
        place(order={**ORDER, "arguments": [1]}),
        place(order=None),
    ],
)
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(RequestError):
        read_request(line)


def test_what_is_told_is_a_line_each() -> None:
    channel = io.StringIO()
    teller = Teller(channel)
    teller.tell("said", id=1, line="a\nb")
    teller.tell("released", id=1)
    assert [json.loads(line) for line in channel.getvalue().splitlines()] == [
        {"type": "said", "id": 1, "line": "a\nb"},
        {"type": "released", "id": 1},
    ]


def test_a_controller_that_has_gone_is_no_matter() -> None:
    channel = io.StringIO()
    channel.close()
    Teller(channel).tell("released", id=1)
    assert channel.closed
