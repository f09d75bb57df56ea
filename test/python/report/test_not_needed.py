"""A Python without scipy, TensorBoard and scikit-learn holds the backend, and validates."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import py_backend
import py_report
import py_validate

ROOT = Path(__file__).parents[3]
BLOCKED = ("scipy", "tensorboard", "sklearn")
IMPORT_ALL = """
import importlib, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Blocker())
for module in {modules!r}:
    importlib.import_module(module)
assert not {blocked!r} & {{name.partition(".")[0] for name in sys.modules}}
print("all", len({modules!r}))
"""


def modules_of(package: object) -> list[str]:
    path, name = package.__path__, package.__name__  # type: ignore[attr-defined]
    found = [module.name for module in pkgutil.walk_packages(path, f"{name}.")]
    return [module for module in found if not module.endswith("__main__")]


def import_without(modules: list[str]) -> subprocess.CompletedProcess[str]:
    script = IMPORT_ALL.format(blocked=set(BLOCKED), modules=modules)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)


def test_nothing_that_trains_or_validates_needs_scipy_or_tensorboard() -> None:
    # the shim takes standard output; equivalence is for --accuracy alone
    apart = {"py_validate.shim", "py_validate.equivalence"}
    modules = [*modules_of(py_backend), "py_backend.__main__", *sorted(set(modules_of(py_validate)) - apart)]
    assert {"py_backend.server", "py_backend.datasets.digits", "py_validate.calls"} <= set(modules)
    ended = import_without(modules)
    assert (ended.stdout, ended.stderr, ended.returncode) == (f"all {len(modules)}\n", "", 0)


@pytest.mark.parametrize("needing", ["statistics.analysis", "tensorboard_export"])
def test_what_does_need_them_is_seen(needing: str) -> None:
    assert f"py_report.{needing}" in modules_of(py_report)
    ended = import_without([f"py_report.{needing}"])
    assert ended.returncode != 0
    assert "is blocked" in ended.stderr
