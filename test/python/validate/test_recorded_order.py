"""The module that `ibatch export --to torch` hands out, on run directories written here after the README."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader, TensorDataset

import py_validate.recorded_order as module
from py_backend.noise import derive, signed
from py_backend.opening import INITIAL_WEIGHTS_PLACE
from py_validate.recorded_order import RecordedOrder, initial_seed

from .recorded import write_epoch

INDICES, OFFSETS, RATES = [3, 1, 4, 1, 5, 0], [0, 2, 5, 6], [0.1, 0.05, 1 / 3]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_epoch(tmp_path, 0, INDICES, OFFSETS, RATES)
    write_epoch(tmp_path, 1, INDICES, OFFSETS, RATES, [1.0, 0.5, 2.0, 0.25, 1.5, 3.0])
    return tmp_path


def edit(run: Path, **changes: Any) -> None:
    path = run / "orders/0000.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_gives_the_batches_with_rates_and_weights(run: Path) -> None:
    plain, weighted = RecordedOrder(run, 0, labels=None), RecordedOrder(str(run), 1, labels=None)
    assert list(plain) == [[3, 1], [4, 1, 5], [0]]
    assert len(plain) == 3
    assert plain.learning_rates == RATES
    assert plain.weights is None
    assert weighted.weights is not None
    assert [weights.tolist() for weights in weighted.weights] == [[1.0, 0.5], [2.0, 0.25, 1.5], [3.0]]


def test_is_a_batch_sampler_and_may_be_gone_through_twice(run: Path) -> None:
    import torch

    order = RecordedOrder(run, 0, labels=None)
    loader: DataLoader[Any] = DataLoader(TensorDataset(torch.arange(6)), batch_sampler=order)
    for _ in range(2):
        assert [images.tolist() for (images,) in loader] == [[3, 1], [4, 1, 5], [0]]


def test_set_epoch_goes_to_another_one(run: Path) -> None:
    order = RecordedOrder(run, labels=[0] * 6)
    assert (order.epoch, order.weights) == (0, None)
    write_epoch(run, 1, [2, 0], [0, 2], [0.5], [4.0, 8.0])
    order.set_epoch(1)
    assert (order.epoch, list(order), len(order), order.learning_rates) == (1, [[2, 0]], 1, [0.5])
    assert order.weights is not None
    assert [weights.tolist() for weights in order.weights] == [[4.0, 8.0]]
    with pytest.raises(FileNotFoundError, match=r"0007\.json is not there"):
        order.set_epoch(7)
    assert list(order) == [[2, 0]], "as it was"


LABELS = [0, 1, 2, 0, 1, 2]


def export_dataset(run: Path) -> None:
    """As `ibatch export --to torch` writes it."""
    sha256 = hashlib.sha256(np.array(LABELS, "<u4").tobytes()).hexdigest()
    (run / "dataset.json").write_text(json.dumps({"name": "tiny", "n": 6, "labelsSha256": sha256}))


def record_dataset(run: Path) -> Path:
    """As a run's experiment has it; returns the run's own directory there."""
    directory = run / "shuffled" / "seed-0"
    write_epoch(directory, 0, INDICES, OFFSETS, RATES)
    (directory / "run.json").write_text(json.dumps({"surroundings": {"dataSha256": "0123456789"}}))
    datasets = run / "datasets" / "01234567"
    datasets.mkdir(parents=True)
    (datasets / "dataset.json").write_text(json.dumps({"name": "tiny"}))
    (datasets / "labels.u32").write_bytes(np.array(LABELS, "<u4").tobytes())
    return directory


@pytest.mark.parametrize("where", ["export", "experiment"])
def test_the_dataset_is_that_of_the_run(run: Path, where: str) -> None:
    import torch

    directory = run
    if where == "export":
        export_dataset(run)
    else:
        directory = record_dataset(run)
    for labels in (LABELS, np.array(LABELS, np.uint8), torch.tensor(LABELS)):
        assert len(RecordedOrder(directory, labels=labels)) == 3
    with pytest.raises(ValueError, match=r"this is not dataset tiny, .* it has 6 samples, here are 5"):
        RecordedOrder(directory, labels=LABELS[:5])
    with pytest.raises(ValueError, match=r"this is not dataset tiny, .* or is in another sequence: its 6 labels are"):
        RecordedOrder(directory, labels=LABELS[::-1])
    with pytest.raises(ValueError, match=r"expected \[n\] whole numbers from 0 on, not float64 \[6\]"):
        RecordedOrder(directory, labels=[0.5] * 6)


def test_without_a_named_dataset_one_that_is_too_small_is_refused(run: Path) -> None:
    with pytest.raises(ValueError, match=r"0000\.u32 has a sample 5, and the dataset 5 labels: it is another one"):
        RecordedOrder(run, labels=[0] * 5)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]"])
def test_a_damaged_dataset_is_named(run: Path, text: str) -> None:
    (run / "dataset.json").write_text(text)
    with pytest.raises(ValueError, match=r"dataset\.json is damaged: "):
        RecordedOrder(run, labels=LABELS)


def test_refuses_what_is_not_there(run: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"0007\.json is not there: name a run's directory"):
        RecordedOrder(run, 7, labels=None)
    (run / "orders/0000.u32").unlink()
    with pytest.raises(FileNotFoundError, match=r"0000\.u32 is not there: was the run recorded with .*orders: hash"):
        RecordedOrder(run, 0, labels=None)


def test_refuses_another_order(run: Path) -> None:
    np.array([1, 3, 4, 1, 5, 0], "<u4").tofile(run / "orders/0000.u32")
    with pytest.raises(
        ValueError, match=r"0000\.u32 is not what the run was trained on: it hashes to \w+, recorded is"
    ):
        RecordedOrder(run, 0, labels=None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"offsets": [0, 2, 5]}, r"offsets must rise from 0 to the 6 indices, they are \[0, 2, 5\]"),
        ({"offsets": [0, 2, 2, 6]}, "offsets must rise"),
        ({"offsets": [1, 6]}, "offsets must rise"),
        ({"offsets": []}, "offsets must rise"),
        ({"offsets": [0, 3, 5, 6]}, "is not what the run was trained on"),
        ({"learningRates": [0.1, 0.05, 0.3]}, "is not what the run was trained on"),
        ({"learningRates": [0.1]}, "it has 1 learning rates; 3 were expected, one a batch"),
    ],
)
def test_refuses_another_plan(run: Path, changes: dict[str, Any], said: str) -> None:
    edit(run, **changes)
    with pytest.raises(ValueError, match=said):
        RecordedOrder(run, 0, labels=None)


def test_refuses_damaged_files(run: Path) -> None:
    weights = run / "orders/0001.weights.f32"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(ValueError, match="it has 5 weights; 6 were expected, one a index"):
        RecordedOrder(run, 1, labels=None)
    (run / "orders/0000.u32").write_bytes(b"12345")
    with pytest.raises(ValueError, match="5 bytes are no whole number of 4-byte values"):
        RecordedOrder(run, 0, labels=None)
    (run / "orders/0000.json").write_text('{"epoch": 0}')
    with pytest.raises(ValueError, match="it has no orderSha256, planSha256, weighted, offsets, learningRates"):
        RecordedOrder(run, 0, labels=None)
    (run / "orders/0000.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        RecordedOrder(run, 0, labels=None)


@pytest.mark.parametrize("seed", [0, 1, 2, 4_294_967_295])
def test_initial_seed_is_that_of_the_backend(seed: int) -> None:
    assert initial_seed(seed) == signed(derive(seed, INITIAL_WEIGHTS_PLACE))


def test_stands_alone(run: Path, tmp_path: Path) -> None:
    """Copied out, it runs where nothing of ibatch can be imported."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / "recorded_order.py").write_bytes(Path(module.__file__).read_bytes())
    shown = "list(r.RecordedOrder(sys.argv[1], labels=None)), r.initial_seed(0) % 2**64"
    program = f"import sys, recorded_order as r; print({shown})"
    done = subprocess.run(
        [sys.executable, "-c", program, str(run)], cwd=home, env={}, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"[[3, 1], [4, 1, 5], [0]] {initial_seed(0) % 2**64}\n"
    assert "py_backend" not in Path(module.__file__).read_text()


def test_hashes_are_plain_sha256_of_the_files(run: Path) -> None:
    order = RecordedOrder(run, 0, labels=None)
    assert order.order_sha256 == hashlib.sha256((run / "orders/0000.u32").read_bytes()).hexdigest()


def test_labels_that_the_run_trained_on_come_along_where_they_are_not_the_datasets(run: Path) -> None:
    clean = [0, 1, 2, 0, 1, 2]
    assert RecordedOrder(run, labels=clean).trained_labels is None
    np.array([0, 1, 1, 0, 1, 2], "<u4").tofile(run / "trained-labels.u32")
    trained = RecordedOrder(run, labels=clean).trained_labels
    assert trained is not None
    assert (trained.dtype, trained.tolist()) == (np.int64, [0, 1, 1, 0, 1, 2])
    np.array([0, 1], "<u4").tofile(run / "trained-labels.u32")
    with pytest.raises(ValueError, match="has 2 labels, the dataset 6: it is damaged"):
        RecordedOrder(run, labels=clean)
    assert RecordedOrder(run, labels=None).trained_labels is not None
