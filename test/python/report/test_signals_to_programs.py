"""What goes to all processes of a job ends no program of ours before its controller does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from py_backend.process_signals import LEFT_TO_CONTROLLER

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(sys.platform == "win32", reason="a job's signals are of POSIX")
@pytest.mark.parametrize("program", ["statistics", "tensorboard_export"])
def test_they_are_left_to_the_controller(program: str, tmp_path: Path) -> None:
    signals = [int(number) for number in LEFT_TO_CONTROLLER]
    (tmp_path / "msgspec.py").write_text(
        f"import os\nfor number in {signals}: os.kill(os.getpid(), number)\nraise ImportError('not ended')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", f"py_report.{program}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=300,
    )
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "not ended" in ended.stderr
