"""The README's Python, run as it stands there against a run that was recorded after the README."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .validate.recorded import write_epoch

README = Path(__file__).parents[2] / "README.md"
SNIPPETS = dict(re.findall(r"```python\n# (.+)\n([\s\S]*?)```", README.read_text()))
BY_LOSS = "hold an order by loss against the recorded losses"
HASHES = "check the recorded orders"

NEVER_DRAWN = np.nan
LOSSES = [0.5, 2.0, NEVER_DRAWN, 0.5, 2.0, 0.125]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Sample 2 is never drawn; 1 and 4, and 0 and 3, have equal losses."""
    (tmp_path / "signals/loss").mkdir(parents=True)
    np.array(LOSSES, "<f4").tofile(tmp_path / "signals/loss/0000.f32")
    write_epoch(tmp_path, 0, [0, 1, 3, 4, 5], [0, 5], [0.1])
    return tmp_path


def printed(snippet: str, run: Path) -> str:
    command = [sys.executable, "-c", SNIPPETS[snippet]]
    return subprocess.run(command, cwd=run, capture_output=True, text=True, check=True).stdout.strip()


def test_all_of_them_are_run_here() -> None:
    assert README.read_text().count("```python") == len(SNIPPETS)
    assert set(SNIPPETS) == {HASHES, BY_LOSS}


@pytest.mark.parametrize("order", [[4, 1, 3, 0, 5], [1, 4, 0, 3, 5]])
def test_an_order_by_loss_is_one_whatever_the_sequence_of_equal_losses(run: Path, order: list[int]) -> None:
    write_epoch(run, 1, order, [0, 5], [0.1])
    assert printed(BY_LOSS, run) == "True True"


@pytest.mark.parametrize(
    ("order", "expected"),
    [([4, 0, 1, 3, 5], "False True"), ([4, 1, 3, 5], "True False"), ([4, 1, 3, 0, 5, 2], "False False")],
)
def test_an_order_that_is_not_by_loss_is_seen(run: Path, order: list[int], expected: str) -> None:
    write_epoch(run, 1, order, [0, len(order)], [0.1])
    assert printed(BY_LOSS, run) == expected


def test_a_changed_order_has_another_hash(run: Path) -> None:
    write_epoch(run, 1, [4, 1, 3, 0, 5], [0, 5], [0.1])
    assert printed(HASHES, run) == "0 True\n1 True"
    np.array([1, 4, 3, 0, 5], "<u4").tofile(run / "orders/0001.u32")
    assert printed(HASHES, run) == "0 True\n1 False"
