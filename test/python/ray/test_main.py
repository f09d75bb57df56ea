"""python -m py_ray, as far as it goes without Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def start(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(ROOT)])}
    command = [sys.executable, "-m", "py_ray", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd="/")


def test_where_ray_is_missing_a_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('no ray here')")
    ended = start("--address", "auto", "--requirements", "requirements-ray.txt", path=tmp_path)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == (
        f"py_ray: Ray cannot be imported by {sys.executable} (no ray here): run `{sys.executable} -m pip install -r "
        "requirements-ray.txt`, or name another Python by --python\n"
    )


def test_its_help_needs_no_ray(tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('no ray here')")
    ended = start("--help", path=tmp_path)
    assert ended.returncode == 0
    assert "--address" in ended.stdout
