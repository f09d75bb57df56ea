"""python -m py_bench: a question a line, an answer a line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

PREPARE: dict[str, Any] = {
    "do": "prepare",
    "loop": "bare",
    "model": "mnist-cnn",
    "dataset": None,
    "data_dir": None,
    "samples": 64,
    "image_shape": [28, 28, 1],
    "batch_size": 32,
    "learning_rate": 0.01,
    "momentum": 0.9,
    "weight_decay": 0.0005,
    "precision": "float32",
    "memory_format": "channels_last",
    "augments": False,
    "workers": 0,
    "device": "cpu",
    "threads": 1,
    "keeps_freed_memory": False,
}


def answers(*questions: dict[str, Any]) -> list[dict[str, Any]]:
    text = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run(
        [sys.executable, "-m", "py_bench"], cwd=ROOT, input=text, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_prepares_trains_and_measures_the_device() -> None:
    prepared, trained, measured = answers(PREPARE, {"do": "train"}, {"do": "measure"})
    assert prepared == {"ok": {"parameters": 20074}}
    assert trained["ok"]["seconds"] > 0
    assert 0 < trained["ok"]["loss"] < 10
    assert trained["ok"]["peak_bytes"] > 2**24
    # three passes of each layer, but two of the first: nobody needs the gradient of images
    conv1, conv2, fc = 64 * 4 * 27 * 27, 32 * 64 * 4 * 12 * 12, 1152 * 10
    assert measured["ok"]["operations"] == 2 * (2 * conv1 + 3 * conv2 + 3 * fc)
    assert measured["ok"]["rate"] > 0


def test_what_it_refuses_is_an_answer_and_it_goes_on() -> None:
    refused, prepared = answers({**PREPARE, "device": "cuda:99"}, PREPARE)
    assert refused["refused"]["code"] == "no_device"
    assert "cuda:99" in refused["refused"]["message"]
    assert "ok" in prepared


MAPPED = """
import ctypes, sys
import msgspec
from py_bench.peer import Peer, Question

Peer().answer(msgspec.json.decode(sys.stdin.buffer.read(), type=Question))
libc = ctypes.CDLL(None)
class Info(ctypes.Structure):
    _fields_ = [(f"field_{at}", ctypes.c_int) for at in range(10)]
libc.mallinfo.restype = Info
libc.malloc.restype = ctypes.c_void_p
before = libc.mallinfo().field_3  # blocks that are maps of their own, and go back to the kernel when they are freed
assert libc.malloc(ctypes.c_size_t(64 << 20))
print(libc.mallinfo().field_3 - before)
"""


def maps_of_a_large_block(question: dict[str, Any]) -> int:
    run = [sys.executable, "-c", MAPPED]
    done = subprocess.run(run, cwd=ROOT, input=json.dumps(question), capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone keeps it")
def test_it_keeps_freed_memory_where_it_is_told_to_and_else_runs_as_a_script_does() -> None:
    assert maps_of_a_large_block(PREPARE) == 1
    assert maps_of_a_large_block({**PREPARE, "keeps_freed_memory": True}) == 0
