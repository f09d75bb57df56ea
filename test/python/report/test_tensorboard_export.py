"""What is written, read back by TensorBoard's own EventAccumulator."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from py_report import tensorboard_export
from py_report.tensorboard_export import EVENTS

Run = Callable[[str], subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[3]
STARTED_AT = 1_767_323_045.5

METRICS = """
{"step": 45, "train": {"loss": 1.2693360012146973, "accuracy": 0.6061238691718859}, "test": {"loss": 0.125}}
{"step": 90, "train": {"loss": "NaN", "accuracy": 0.75}}
{"step": 135, "train": {"loss": "-Infinity", "accuracy": 1e-30}, "test": {"loss": "Infinity"}}
"""


def start(text: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "py_report.tensorboard_export"]
    variables = {**os.environ, **env}
    return subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, timeout=120, env=variables)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """As `start`, in this process."""

    def ended(text: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        code = tensorboard_export.main()
        return subprocess.CompletedProcess([], code, *capsys.readouterr())

    return ended


def recorded() -> dict[str, list[tuple[int, float, float]]]:
    """By tag: step, wall time, value in single precision, as TensorBoard keeps it."""
    points: dict[str, list[tuple[int, float, float]]] = {}
    for number, line in enumerate(map(json.loads, METRICS.split("\n")[1:-1]), 1):
        step = line.pop("step")
        for part, measured in line.items():
            for name, value in measured.items():
                points.setdefault(f"{part}/{name}", []).append(
                    (step, STARTED_AT + number, float(np.float32(float(value))))
                )
    return points


def request(out: Path, points: dict[str, list[tuple[int, float, float]]]) -> str:
    def point(step: int, wall_time: float, value: float) -> dict[str, Any]:
        spelled = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        return {"step": step, "wallTime": wall_time, "value": spelled.get(str(value), value)}

    one = {
        "arm": "shuffled",
        "seed": 3,
        "startedAt": STARTED_AT,
        "hyperparameters": {"arm": "shuffled", "seed": 3},
        "scalars": [{"tag": tag, "points": [point(*each) for each in of_tag]} for tag, of_tag in points.items()],
    }
    return json.dumps({"out": str(out), "metrics": ["test/loss"], "runs": [one]})


def events(directory: Path) -> EventAccumulator:
    read = EventAccumulator(str(directory), size_guidance={"scalars": 0})
    read.Reload()
    return read


def scalars_in(directory: Path) -> dict[str, list[tuple[int, float, float]]]:
    read = events(directory)
    tags: dict[str, Any] = read.Tags()
    return {tag: [(event.step, event.wall_time, event.value) for event in read.Scalars(tag)] for tag in tags["scalars"]}


def test_scalars_come_back_at_their_steps_and_times(tmp_path: Path) -> None:
    ended = start(request(tmp_path, recorded()))
    assert (ended.returncode, ended.stdout) == (0, "")
    np.testing.assert_equal(scalars_in(tmp_path / "shuffled" / "seed-3"), recorded())  # a NaN equals a NaN


def test_hyperparameters_come_back_with_the_metric_to_compare(run: Run, tmp_path: Path) -> None:
    run(request(tmp_path, recorded()))
    read = events(tmp_path / "shuffled" / "seed-3")

    def content(tag: str) -> plugin_data_pb2.HParamsPluginData:
        message = plugin_data_pb2.HParamsPluginData()
        message.ParseFromString(read.SummaryMetadata(tag).plugin_data.content)
        return message

    start = content("_hparams_/session_start_info").session_start_info.hparams
    assert (start["arm"].string_value, start["seed"].number_value) == ("shuffled", 3)
    [metric] = content("_hparams_/experiment").experiment.metric_infos
    assert metric.name.tag == "test/loss"


def test_a_second_export_replaces_the_first_and_nothing_else(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "shuffled" / "seed-3"
    run(request(tmp_path, recorded()))
    (directory / "events.out.tfevents.other").write_bytes(b"")
    longer = {**recorded(), "more": [(45, STARTED_AT, 1.0)]}
    assert run(request(tmp_path, longer)).returncode == 0
    assert {path.name for path in directory.iterdir()} == {EVENTS, "events.out.tfevents.other"}
    np.testing.assert_equal(scalars_in(directory), longer)


def test_what_cannot_be_written_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    ended = run(request(taken, recorded()))
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr.startswith(f"py_report.tensorboard_export: {taken}")
    assert "cannot be written" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert taken.read_text() == "mine"


@pytest.mark.parametrize("text, place", [("{", "truncated"), ('{"out": 1}', "$.out"), ('{"runs": []}', "`out`")])
def test_a_wrong_request_is_told_with_its_place(run: Run, text: str, place: str) -> None:
    ended = run(text)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("py_report.tensorboard_export: the request is wrong: ")
    assert place in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_without_tensorboard_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "tensorboard.py").write_text("raise ImportError('No module named tensorboard')\n")
    ended = start("{}", PYTHONPATH=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == (
        f"py_report.tensorboard_export: No module named tensorboard (Python at {sys.executable}): "
        f"run `{sys.executable} -m pip install tensorboard`, or name another Python with --python\n"
    )
