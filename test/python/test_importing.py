"""The door to users' code: what a reference may lead to, and what code that ends or fails at import is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from py_backend.errors import BackendError
from py_backend.references import importing

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes modules of the user's, which are allowed below `door`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    importing.allow(["door"], [str(tmp_path)])

    def put(**sources: str) -> None:
        for name, source in sources.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(source)

    yield put
    importing.allow([])
    for name in [name for name in sys.modules if name.partition(".")[0] in ("door", "aside")]:
        del sys.modules[name]


def refused(reference: str) -> BackendError:
    with pytest.raises(BackendError) as caught:
        importing.import_callable(reference)
    return caught.value


DOOR = """
import functools, os, logging
from os import system, getcwd as shown
from functools import partial
import aside
from aside import Net as Exported, Net as Hidden
__all__ = ["Exported", "shown"]
log = logging.getLogger()
away = partial(partial(system, "true"))
class Own:
    os = os
    def __call__(self): ...
    @classmethod
    def small(cls): return cls()
own = Own()
half = functools.partial(Own)
lazily = None
del lazily
def _hidden(): ...
def __getattr__(name):
    if name == "lazily": return Own
    if name == "lazy_os": return os
    if name == "broken": raise ValueError("two\\nlines")
    raise AttributeError(name)
"""


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("os.system", "os"),
        ("system", os.system.__module__),
        ("Own.os.system", "os"),
        ("lazy_os.system", "os"),
        ("away", os.system.__module__),
        ("partial", "functools"),
        ("aside.Net", "aside"),
        ("Hidden", "aside"),
        ("log.info", "logging"),
        ("Own.mro", None),
        ("own.__class__.os.system", "Python's own"),
        ("Own.small.__globals__.get", "Python's own"),
        ("__builtins__.get", "Python's own"),
        ("_hidden", "private to its module"),
        ("own._hidden", "private to its module"),
    ],
)
def test_permission_for_a_module_is_none_for_what_it_has_imported(write: Write, path: str, home: str | None) -> None:
    write(door=DOOR, aside="class Net: ...")
    error = refused(f"door:{path}")
    if home in ("Python's own", "private to its module"):
        assert (error.code, home in error.message) == ("bad_reference", True)
        return
    where = "does not say from which module" if home is None else f"is from module {home}, which was not allowed"
    assert (error.code, where in error.message, "door.__all__" in error.message) == ("not_allowed", True, True)


@pytest.mark.parametrize("path", ["Own", "Own.small", "own", "half", "lazily", "Exported", "shown"])
def test_a_module_gives_what_is_its_own_and_what_it_exports(write: Write, path: str) -> None:
    write(door=DOOR, aside="class Net: ...")
    assert callable(importing.import_callable(f"door:{path}"))


def test_allowing_part_of_torch_opens_nothing_else_of_it() -> None:
    importing.allow(["torch.nn"])
    for path in ("modules.module.torch.hub.load", "functional.torch.load", "modules.module.itertools.chain"):
        assert refused(f"torch.nn:{path}").code == "not_allowed"
    importer = refused("torch.nn.attention._fa4:_fa4_import_module")  # imports what it is told
    assert (importer.code, "private" in importer.message) == ("bad_reference", True)
    for path in ("CrossEntropyLoss", "functional.cross_entropy", "modules.loss.NLLLoss"):
        assert callable(importing.import_callable(f"torch.nn:{path}"))
    importing.allow([])


def test_an_attribute_that_cannot_be_loaded_is_the_users(write: Write) -> None:
    write(door=DOOR, aside="class Net: ...")
    assert "loading door.broken failed: ValueError: two" in refused("door:broken").message


def test_all_modules_that_are_missing_are_named_at_once() -> None:
    importing.allow(["door"])
    with pytest.raises(BackendError) as caught:
        importing.refuse_not_allowed(["door:a", "left.one:a", "right:b", "right:c"])
    assert caught.value.message.endswith("start the backend with --allow-import left.one --allow-import right")
    importing.allow([])


@pytest.mark.parametrize("argument", ["3", "'no licence'", ""])
def test_sys_exit_ends_the_import_and_not_the_backend(write: Write, argument: str) -> None:
    write(door=f"import sys\nsys.exit({argument})")
    shown = argument or "None"
    assert refused("door:Net").message == f"door:Net: importing door failed: sys.exit({shown})"
    assert refused("door:Net").code == "bad_reference"


def test_sys_exit_ends_a_call_and_not_the_backend() -> None:
    def leave() -> None:
        sys.exit(3)

    with pytest.raises(BackendError) as caught:
        importing.call("door:leave", leave)
    assert caught.value.message == "door:leave: calling it with () failed: sys.exit(3)"


def test_a_module_that_was_mended_is_read_anew(write: Write) -> None:
    write(door__layers="WIDTH = 1", door__models="from .layers import DEPTH\nclass Net: ...")
    assert "cannot import name 'DEPTH'" in refused("door.models:Net").message
    write(door__layers="WIDTH = 1\nDEPTH = 2")
    assert importing.import_callable("door.models:Net").__name__ == "Net"
