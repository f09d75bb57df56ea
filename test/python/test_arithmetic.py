"""Torch is set for the session whose work is under way, and the record says what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from py_backend import device, host
from py_backend.arithmetic import made_in
from py_backend.codec import Packet
from py_backend.errors import BackendError
from py_backend.messages import Named
from py_backend.torch_switches import read_switches

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    device.set_arithmetic()


@pytest.fixture
def with_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU that is taken for a GPU, whose switches can be set and read."""
    monkeypatch.setattr(host, "refuse_precision", lambda *_: None)


@pytest.mark.parametrize("asked", ["float32", "tf32", "bfloat16"])
def test_the_settings_say_what_the_switches_said(open_run: Callable[..., Any], with_tf32: None, asked: str) -> None:
    assert open_run(precision=asked).opened.body.settings.precision == asked
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == (asked == "tf32",) * 2


@pytest.mark.parametrize("switch", [torch.backends.cudnn, torch.backends.cuda.matmul])
def test_tf32_is_claimed_only_where_both_kinds_of_products_have_it(switch: Any) -> None:
    device.set_arithmetic(tf32=True)
    assert made_in("tf32") == "tf32"
    switch.allow_tf32 = False
    assert made_in("tf32") == "float32"


def test_each_session_has_its_own(open_run: Callable[..., Any], with_tf32: None, batches: list[list[int]]) -> None:
    first = open_run(owner="ours")
    usual = read_switches()
    second = open_run(beside=first, owner="ours", precision="tf32", equal_bits=True)
    assert torch.backends.cuda.matmul.allow_tf32
    assert torch.get_deterministic_debug_mode() == 2
    assert second.opened.body.notices == []
    third = open_run(beside=second, owner="ours")
    assert read_switches() == usual
    assert third.opened.body.notices == []
    assert third.losses(batches).tolist() == open_run().losses(batches).tolist()


def test_an_open_that_is_refused_leaves_the_session_its_own(
    open_run: Callable[..., Any], with_tf32: None, batches: list[list[int]], make_open: Callable[..., Any]
) -> None:
    run = open_run(owner="ours")
    usual = read_switches()
    other = make_open(owner="ours", precision="tf32", equal_bits=True, model=Named(name="no-such-model", options={}))
    with pytest.raises(BackendError, match="no-such-model"):
        run.host.handle(Packet(2, other))
    run.losses(batches)
    assert read_switches() == usual


def test_tf32_is_refused_on_a_cpu_before_anything_is_loaded(open_run: Callable[..., Any], tiny: Any) -> None:
    with pytest.raises(BackendError, match=r"^precision tf32 is of NVIDIA GPUs .* has cpu \(.*take precision float32"):
        open_run(precision="tf32")
    assert tiny.loads == []


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (
            {"fma", "avx2", "avx512f"},
            "slower than float32 on this CPU: /proc/cpuinfo names none of amx_bf16, avx512_bf16",
        ),
        ({"avx512f", "avx512_bf16"}, ""),
        ({"amx_bf16", "amx_tile"}, ""),
        ({"asimd", "bf16"}, ""),
        (None, ""),
    ],
)
def test_bfloat16_that_is_slow_on_a_cpu_is_told(
    open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, flags: set[str] | None, says: str
) -> None:
    monkeypatch.setattr(device, "processor_flags", lambda: None if flags is None else frozenset(flags))
    assert device.precisions(CPU)["bfloat16"].startswith(says)
    notices = open_run(precision="bfloat16").opened.body.notices
    assert [notice.startswith(f"precision bfloat16 is {says}") for notice in notices] == [True] * bool(says)
    assert open_run().opened.body.notices == []


@pytest.mark.parametrize(("capability", "has"), [((9, 0), True), ((8, 0), True), ((7, 5), False)])
def test_gpus_have_tf32_from_ampere_on(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], has: bool) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    found = device.precisions(torch.device("cuda", 0))
    assert ("tf32" in found, found["bfloat16"] == "") == (has, has)
