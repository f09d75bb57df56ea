"""A run starts from a known state of torch, whatever code of the user's did to it before."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from py_backend.codec import Packet
from py_backend.device import set_arithmetic
from py_backend.errors import BackendError
from py_backend.messages import Chosen, Close
from py_backend.references import importing
from py_backend.torch_state import TorchState
from py_backend.torch_switches import read_switches

MODELS = (Path(__file__).parent / "references/team_models.py").read_text()


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    state = TorchState()
    yield
    with contextlib.suppress(BackendError):
        state.restore("a test")


CHANGES: list[tuple[str, str]] = [
    ("torch.set_default_dtype(torch.float64)", "the default dtype (torch.float32, then torch.float64)"),
    ("torch.set_default_device('meta')", "the default device"),
    ("torch.backends.mkldnn.enabled = False", "torch.backends.mkldnn.enabled (True, then False)"),
    ("torch.backends.cudnn.benchmark = True", "torch.backends.cudnn.benchmark"),
    ("torch.set_flush_denormal(True)", "the flushing of denormal numbers"),
    ("torch.set_float32_matmul_precision('medium')", "the precision of float32 products"),
    ("torch.use_deterministic_algorithms(False)", "determinism"),
    ("torch.autograd.set_detect_anomaly(True)", "the detection of anomalies"),
    ("torch._C._set_grad_enabled(False)", "the mode of gradients"),
    ("torch.set_autocast_enabled('cpu', True)", "autocast on the CPU"),
    ("torch.backends.cuda.enable_flash_sdp(False)", "torch.backends.cuda.enable_flash_sdp"),
    ("torch.backends.cuda.matmul.allow_tf32 = True", "the precision of float32 products"),
    ("torch.backends.cudnn.allow_tf32 = True", "torch.backends.cudnn.allow_tf32 (False, then True)"),
    ("torch.backends.cuda.matmul.allow_fp16_accumulation = True", "torch.backends.cuda.matmul.allow_fp16_accumulation"),
    ("torch.backends.cuda.preferred_linalg_library('magma')", "torch.backends.cuda.preferred_linalg_library"),
    ("torch.backends.cuda.preferred_blas_library('cublaslt')", "torch.backends.cuda.preferred_blas_library"),
    ("torch.backends.mha.set_fastpath_enabled(False)", "torch.backends.mha.set_fastpath_enabled (True, then False)"),
    ("torch.backends.nnpack.set_flags(False)", "torch.backends.nnpack.enabled (True, then False)"),
]
NEWER = hasattr(torch.backends, "fp32_precision")
if NEWER:
    CHANGES += [
        ("torch.backends.fp32_precision = 'tf32'", "the precision of float32 products (highest, then unreadable)"),
        ("torch.backends.cuda.matmul.fp32_precision = 'tf32'", "the precision of float32 products"),
        ("torch.backends.cudnn.fp32_precision = 'tf32'", "torch.backends.cudnn.allow_tf32 (False, then unreadable)"),
        ("torch.backends.cudnn.conv.fp32_precision = 'tf32'", "torch.backends.cudnn.allow_tf32"),
        ("torch.backends.mkldnn.fp32_precision = 'bf16'", "the precision of float32 products"),
        ("torch.backends.mkldnn.conv.fp32_precision = 'bf16'", "torch.backends.mkldnn.conv.fp32_precision"),
        ("torch.backends.mkldnn.matmul.fp32_precision = 'bf16'", "the precision of float32 products"),
    ]


@pytest.mark.parametrize(("statement", "says"), CHANGES)
def test_a_switch_is_set_back_and_named(statement: str, says: str) -> None:
    set_arithmetic()
    state = TorchState()
    before = read_switches()
    exec(statement)
    (line,) = state.restore("code of team:Net")
    assert line.startswith(f"code of team:Net changed {says}")
    assert read_switches() == before
    assert state.restore("code of team:Net") == []


@pytest.mark.parametrize("statement", [statement for statement, _ in CHANGES])
def test_a_switch_is_set_back_in_a_session_with_tf32_too(statement: str) -> None:
    set_arithmetic(tf32=True, refuse_others=True)
    state = TorchState()
    before = read_switches()
    exec(statement)
    state.restore("code of team:Net")
    assert read_switches() == before
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == (True, True)


def patched(*_: object) -> None: ...


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (torch.nn.Linear, "forward"),
        (torch.nn.Module, "__call__"),
        (torch.nn.BatchNorm2d, "forward"),  # inherited
        (torch.nn.functional, "relu"),
        (torch.nn.init, "kaiming_uniform_"),
        (torch.Tensor, "backward"),
    ],
)
def test_a_method_that_was_replaced_is_refused_and_is_back(owner: Any, name: str) -> None:
    state = TorchState()
    before, own = getattr(owner, name), name in vars(owner)
    setattr(owner, name, patched)
    with pytest.raises(BackendError, match=f"code of team:Net replaced torch.*{name}.*derive a class"):
        state.restore("code of team:Net")
    assert (getattr(owner, name), name in vars(owner)) == (before, own)
    assert state.restore("code of team:Net") == []


@pytest.mark.parametrize(
    ("register", "table"),
    [
        (torch.nn.modules.module.register_module_forward_hook, "torch.nn.modules.module._global_forward_hooks"),
        (torch.nn.modules.module.register_module_forward_pre_hook, "torch.nn.modules.module._global_forward_pre_hooks"),
        (register_optimizer_step_pre_hook, "torch.optim.optimizer._global_optimizer_pre_hooks"),
    ],
)
def test_a_hook_on_all_there_is_is_refused_and_gone(register: Callable[[Any], Any], table: str) -> None:
    state = TorchState()
    calls: list[Any] = []
    register(lambda *given: calls.append(given))
    says = rf"code of team:Net put hooks on all there is \({re.escape(table)}\).*register hooks on your own modules"
    with pytest.raises(BackendError, match=says):
        state.restore("code of team:Net")
    layer = torch.nn.Linear(2, 2)
    layer(torch.ones(1, 2)).sum().backward()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
    assert calls == []
    assert state.restore("code of team:Net") == []


def test_a_module_that_hooks_all_modules_is_refused_and_the_next_run_is_as_ever(
    open_run: Callable[..., Any], write: Callable[[str, str], Chosen], batches: list[list[int]]
) -> None:
    first = open_run(owner="ours")
    alone = first.losses(batches).tolist()
    doubling = "torch.nn.modules.module.register_module_forward_hook(lambda module, given, output: output * 2)"
    with pytest.raises(BackendError, match="put hooks on all there is"):
        open_run(beside=first, owner="ours", model=write(f"import torch\n{doubling}", "pass"))
    assert open_run(beside=first, owner="ours").losses(batches).tolist() == alone


def test_what_torch_does_by_itself_is_no_change() -> None:
    state = TorchState()
    import copy
    import pickle

    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.MultiheadAttention(4, 2))
    copy.deepcopy(model)
    pickle.loads(pickle.dumps(model))
    optimizer = torch.optim.Adam(model.parameters())
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16), torch.random.fork_rng(devices=[]):
        model[1](model[0](torch.ones(1, 1, 4, 4)))
    optimizer.zero_grad()
    torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    assert state.restore("torch") == []


@pytest.fixture
def next_run(open_run: Callable[..., Any]) -> Callable[..., Any]:
    """next_run(before, **changes): on the host of a run that has ended."""

    def opened(before: Any, **changes: Any) -> Any:
        before.host.handle(Packet(1, Close(session=before.opened.body.session)))
        return open_run(beside=before, **changes)

    return opened


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Chosen]]:
    """Writes a module of models, of which each has statements of its own, and names the model in there."""
    monkeypatch.syspath_prepend(str(tmp_path))
    importing.allow(["odd"], [str(tmp_path)])

    def put(at_import: str, in_init: str) -> Chosen:
        name = f"odd_{time.monotonic_ns()}"
        model = f"class Odd(Net):\n    def __init__(self):\n        super().__init__()\n        {in_init}\n"
        (tmp_path / f"{name}.py").write_text(f"{MODELS}\n{at_import}\n{model}")
        importing.allow([name], [str(tmp_path)])
        return Chosen(origin="import", name=f"{name}:Odd", options={})

    yield put
    importing.allow([])
    for name in [name for name in sys.modules if name.startswith("odd_")]:
        del sys.modules[name]


STATEMENTS = [
    "torch.set_default_dtype(torch.float64); torch.backends.mkldnn.enabled = False",
    *["torch.set_default_dtype(torch.float64); torch.backends.mkldnn.conv.fp32_precision = 'bf16'"] * NEWER,
]


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize(("at_import", "in_init"), [(True, False), (False, True)])
def test_a_run_beside_a_module_that_changes_torch_has_the_bits_of_one_that_is_alone(
    open_run: Callable[..., Any],
    next_run: Callable[..., Any],
    write: Callable[[str, str], Chosen],
    batches: list[list[int]],
    at_import: bool,
    in_init: bool,
    statement: str,
) -> None:
    alone = open_run().losses(batches).tolist()
    odd = open_run(model=write(statement if at_import else "pass", statement if in_init else "pass"))
    assert any("the default dtype" in notice and "backends.mkldnn." in notice for notice in odd.opened.body.notices)
    assert torch.get_default_dtype() == torch.float32
    after = next_run(odd)
    assert after.losses(batches).tolist() == alone
    assert after.opened.body.notices == []


def test_a_module_that_patches_torch_is_refused_and_the_next_run_is_as_ever(
    open_run: Callable[..., Any],
    write: Callable[[str, str], Chosen],
    batches: list[list[int]],
) -> None:
    first = open_run()
    alone = first.losses(batches).tolist()
    model = write("F.relu = torch.sigmoid", "pass")
    first.host.handle(Packet(1, Close(session=first.opened.body.session)))
    for _ in range(2):
        with pytest.raises(BackendError, match=r"code of odd_\d+:Odd replaced torch.nn.functional.relu"):
            open_run(beside=first, model=model)
    assert open_run(beside=first).losses(batches).tolist() == alone


def test_what_a_run_changes_while_it_trains_does_not_reach_the_next_one(
    open_run: Callable[..., Any], next_run: Callable[..., Any], batches: list[list[int]]
) -> None:
    first = open_run()
    alone = first.losses(batches).tolist()
    torch.backends.mkldnn.enabled = False
    after = next_run(first)
    assert after.losses(batches).tolist() == alone
    assert "a run before this one changed torch.backends.mkldnn.enabled" in after.opened.body.notices[0]


def test_sys_exit_while_it_trains_fails_the_run_and_not_the_backend(
    open_run: Callable[..., Any],
    next_run: Callable[..., Any],
    write: Callable[[str, str], Chosen],
    batches: list[list[int]],
) -> None:
    leaving = """
def leave(module, images):
    module.calls += 1
    if module.calls > 20: sys.exit(3)
import sys
"""
    run = open_run(model=write(leaving, "self.calls = 0; self.register_forward_pre_hook(leave)"))
    with pytest.raises(BackendError, match=r"sys\.exit\(3\)"):
        for _ in range(30):
            run.losses([[1, 2]])
    assert len(next_run(run).losses(batches)) == sum(map(len, batches))


def test_a_module_that_patches_torch_while_it_trains_fails_its_own_run(
    open_run: Callable[..., Any],
    next_run: Callable[..., Any],
    write: Callable[[str, str], Chosen],
    batches: list[list[int]],
) -> None:
    alone = open_run().losses(batches).tolist()
    late = """
def patch(module, images):
    module.calls += 1
    if module.calls > 20: F.relu = torch.sigmoid
"""
    guilty = open_run(model=write(late, "self.calls = 0; self.register_forward_pre_hook(patch)"))
    with pytest.raises(BackendError, match=r"code of this run replaced torch\.nn\.functional\.relu"):
        guilty.losses(batches * 10)
    after = next_run(guilty)
    assert after.losses(batches).tolist() == alone
    assert after.opened.body.notices == []


IN_FORWARD = """
import itertools
calls = itertools.count()
def change(module, images):
    {statement}
"""
TF32 = "torch.backends.cuda.matmul.allow_tf32 = True"


def test_a_module_that_changes_a_switch_whenever_it_runs_is_refused_before_it_is_trained(
    open_run: Callable[..., Any], write: Callable[[str, str], Chosen], batches: list[list[int]]
) -> None:
    first = open_run(owner="ours")
    alone = first.losses(batches).tolist()
    model = write(IN_FORWARD.format(statement=TF32), "self.register_forward_pre_hook(change)")
    says = r":Odd, each time it was tried, changed the precision of float32 products .* set back what is set"
    with pytest.raises(BackendError, match=says):
        open_run(beside=first, owner="ours", model=model)
    assert open_run(beside=first, owner="ours").losses(batches).tolist() == alone


def test_a_module_that_changes_a_switch_once_is_told_and_trained_without(
    open_run: Callable[..., Any], write: Callable[[str, str], Chosen], batches: list[list[int]]
) -> None:
    once = f"if next(calls) == 0: {TF32}"
    run = open_run(model=write(IN_FORWARD.format(statement=once), "self.register_forward_pre_hook(change)"))
    (notice,) = [line for line in run.opened.body.notices if "float32 products" in line]
    assert re.match(r"a first training pass of odd_\d+:Odd changed the precision of float32 products", notice)
    assert run.opened.body.settings.precision == "float32"
    assert len(run.losses(batches)) == sum(map(len, batches))


def test_what_a_module_changes_once_is_no_difference_between_equal_passes(
    open_run: Callable[..., Any], write: Callable[[str, str], Chosen]
) -> None:
    once = "if next(calls) == 0: torch.backends.mkldnn.enabled = False"
    model = write(IN_FORWARD.format(statement=once), "self.register_forward_pre_hook(change)")
    opened = open_run(model=model, equal_bits=True).opened.body
    assert opened.settings.deterministic
    assert [notice for notice in opened.notices if "other bits" in notice] == []


LATE = """
def change(module, images):
    module.calls += 1
    if module.calls > 20 and module.training is {training}: {statement}
"""
CHANGE = "torch.backends.mkldnn.enabled = False"
CHANGED = r"torch\.backends\.mkldnn\.enabled \(True, then False\)"
HOOKED = "self.calls = 0; self.register_forward_pre_hook(change)"


@pytest.mark.parametrize("kind", ["train", "test", "score"])
def test_a_module_that_changes_a_switch_while_it_runs_fails_its_own_run(
    open_run: Callable[..., Any],
    next_run: Callable[..., Any],
    write: Callable[[str, str], Chosen],
    batches: list[list[int]],
    kind: str,
) -> None:
    alone = open_run().losses(batches).tolist()
    guilty = open_run(model=write(LATE.format(statement=CHANGE, training=kind == "train"), HOOKED))
    advice = "which every run of this backend uses: set back what is set, before your code returns"
    with pytest.raises(BackendError, match=f"^code of this run changed {CHANGED}, {advice}$"):
        for _ in range(30):
            _ = guilty.losses([[1, 2]]) if kind == "train" else guilty.look(kind, [1, 2], ["loss"])
    with pytest.raises(BackendError, match="an earlier chunk failed"):
        guilty.losses([[1, 2]])
    after = next_run(guilty)
    assert after.losses(batches).tolist() == alone
    assert after.opened.body.notices == []


def test_a_switch_that_is_changed_before_a_failure_is_nothing_to_the_next_run(
    open_run: Callable[..., Any], next_run: Callable[..., Any], write: Callable[[str, str], Chosen]
) -> None:
    late = LATE.format(statement=f"{CHANGE}; raise ValueError('theirs')", training=True)
    guilty = open_run(model=write(late, HOOKED))
    with pytest.raises(BackendError, match="ValueError: theirs"):
        for _ in range(30):
            guilty.losses([[1, 2]])
    assert next_run(guilty).opened.body.notices == []


@pytest.mark.parametrize(
    ("change", "says"),
    [(lambda: setattr(torch.backends.mkldnn, "enabled", False), CHANGED), (lambda: patch_relu(), "nn.functional.relu")],
)
def test_what_is_changed_after_the_last_evaluation_fails_the_close_and_the_session_is_gone(
    open_run: Callable[..., Any], write: Callable[[str, str], Chosen], change: Callable[[], object], says: str
) -> None:
    guilty = open_run(model=write("pass", "pass"))
    change()  # as by a thread of the user's
    with pytest.raises(BackendError, match=says):
        guilty.close()
    assert open_run(beside=guilty).opened.body.notices == []


def patch_relu() -> None:
    torch.nn.functional.relu = patched


def test_those_who_come_after_are_told_of_switches_and_methods_without_advice() -> None:
    state = TorchState()
    patch_relu()
    torch.backends.mkldnn.enabled = False
    (line,) = state.restore_after("a run before this one")
    changed = "torch.backends.mkldnn.enabled (True, then False) and replaced torch.nn.functional.relu"
    assert line.startswith(f"a run before this one changed {changed}: set back")
    assert "your own" not in line
    assert state.restore_after("a run before this one") == []


def test_torch_compile_is_no_patch_of_the_users() -> None:
    state = TorchState()
    model = torch.compile(torch.nn.Linear(2, 2), backend="eager")
    model(torch.ones(1, 2))
    assert state.restore("torch.compile") == []
