"""A tiny dataset in place of the real ones, and sessions on it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from py_backend import datasets, models
from py_backend.choice import NoOptions
from py_backend.codec import Packet
from py_backend.datasets.contract import Dataset, DatasetDefinition, Part
from py_backend.host import Host
from py_backend.identity import Identity
from py_backend.messages import Augmentation, Chosen, Close, Evaluate, Named, Norm, Open, Score, Train, WhichWeights
from py_backend.models.contract import ModelDefinition
from py_backend.progress import Progress

ROOT = Path(__file__).parents[1]
ONE_THREAD = 1
"""The fixture below sets it."""
TRAIN_COUNT, TEST_COUNT, SIDE = 64, 20, 12


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two shared cores: a second thread of torch only spins, and equal bits are promised for one thread count."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def own_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What backends note in the user's configuration goes elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.delenv("IBATCH_KEYS", raising=False)
        patch.delenv("IBATCH_TOKEN", raising=False)
        yield


@pytest.fixture(scope="session")
def warm_python() -> Iterator[str]:
    """Stands in for Python by forking one that has imported torch. Not for tests of how Python starts or ends, or of
    what lies where it looks for torch."""
    if sys.platform != "linux":
        yield sys.executable
        return
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    with tempfile.TemporaryDirectory(prefix="ibatch-warm-") as folder:
        server = subprocess.Popen(
            [sys.executable, ROOT / "test" / "warm-python" / "server.py", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **one_thread},
        )
        assert server.stdin is not None and server.stdout is not None
        server.stdout.readline()
        yield str(Path(folder, "python"))
        server.stdin.close()
        server.wait()
        server.stdout.close()


def make_dataset(channels: int = 1, side: int = SIDE) -> Dataset:
    """Pixels drawn from a fixed seed, three classes, both parts."""
    random = np.random.default_rng(channels)

    def part(count: int) -> Part:
        images = random.integers(0, 256, (count, side, side, channels), np.uint8)
        return Part(images, (np.arange(count) % 3).astype(np.uint32))

    mean, std = (0.5, 0.4, 0.3)[:channels], (0.25, 0.3, 0.2)[:channels]
    return Dataset(f"tiny{channels}", ("a", "b", "c"), mean, std, part(TRAIN_COUNT), part(TEST_COUNT))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Datasets `tiny1` (grey) and `tiny3` (colour) in the table; `.loads` lists what was loaded."""
    seen = SimpleNamespace(loads=[], grey=make_dataset(1), colour=make_dataset(3))

    def define(dataset: Dataset) -> None:
        def load(data_dir: Path, options: NoOptions) -> Dataset:
            seen.loads.append((dataset.name, data_dir))
            return dataset

        definition = DatasetDefinition(dataset.name, "tiny", "in tests", "", NoOptions, load)
        monkeypatch.setitem(datasets.DATASETS, dataset.name, definition)

    define(seen.grey)
    define(seen.colour)
    return seen


def open_request(**changes: Any) -> Open:
    """An `open` for the grey tiny dataset and the small network, without any noise unless asked for."""
    fields: dict[str, Any] = {
        "dataset": Named(name="tiny1", options={}),
        "data_dir": None,
        "model": Named(name="mnist-cnn", options={"conv_dropout": 0.0, "fc_dropout": 0.0}),
        "optimizer": Named(name="sgd", options={"momentum": 0.9}),
        "augmentation": Augmentation(crop=0, flip=False),
        "precision": "float32",
        "channels_last": "auto",
        "loss": None,
        "equal_bits": False,
        "fast": True,
        "seed": 1,
        "model_seed": None,
        "owner": None,
        **changes,
    }
    for part in ("dataset", "model"):
        if isinstance(fields[part], Named):
            fields[part] = Chosen(origin="catalogue", name=fields[part].name, options=fields[part].options)
    if isinstance(fields["loss"], Named):
        fields["loss"] = Chosen(origin="import", name=fields["loss"].name, options=fields["loss"].options)
    return Open(**fields)


class Run:
    """A host with one open session, asked as over the wire."""

    def __init__(self, host: Host, progress: Progress, request: Open) -> None:
        self.host = host
        self.progress = progress
        self.opened = host.handle(Packet(1, request)).packet()
        self.session = self.opened.body.session
        self.step = 0

    def train_packet(
        self,
        batches: list[list[int]],
        rates: list[float] | float = 0.05,
        *,
        weights: list[float] | None = None,
        first_step: int | None = None,
        **fields: Any,
    ) -> Packet:
        """A `train` with its right hash."""
        arrays = {
            "indices": np.array([index for batch in batches for index in batch], np.uint32),
            "offsets": np.cumsum([0, *map(len, batches)]).astype(np.uint32),
            "learning_rates": np.array([rates] * len(batches) if isinstance(rates, float) else rates, np.float64),
        }
        if weights is not None:
            arrays["weights"] = np.array(weights, np.float32)
        message: dict[str, Any] = {
            "session": self.session,
            "first_step": self.step if first_step is None else first_step,
            "sha256": hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest(),
            "signals": ["loss"],
            "micro_batch": None,
            "average": None,
            **fields,
        }
        return Packet(7, Train(**message), arrays)

    def train(self, batches: list[list[int]], *args: Any, **fields: Any) -> Packet:
        """Trains at the step where the session stands."""
        answer = self.ask(self.train_packet(batches, *args, **fields))
        self.step += answer.body.batches_done
        return answer

    def losses(self, batches: list[list[int]], *args: Any, **fields: Any) -> np.ndarray[Any, Any]:
        return self.train(batches, *args, **fields).arrays["loss"]

    def look(
        self,
        part: str,
        indices: list[int],
        signals: list[str],
        batch_size: int = 100,
        norm: Norm = "running",
        calibration: list[int] | None = None,
        weights: WhichWeights = "last",
    ) -> Packet:
        """An `evaluate`, or for part `score` that message."""
        common = {"session": self.session, "signals": signals, "batch_size": batch_size}
        request = Score(**common) if part == "score" else Evaluate(part=part, norm=norm, weights=weights, **common)
        arrays = {"indices": np.array(indices, np.uint32)}
        if calibration is not None:
            arrays["calibration"] = np.array(calibration, np.uint32)
        return self.ask(Packet(8, request, arrays))

    def close(self) -> Packet:
        return self.ask(Packet(9, Close(session=self.session)))

    def ask(self, packet: Packet) -> Packet:
        return self.host.handle(packet).packet()

    @property
    def model(self) -> torch.nn.Module:
        return self.host._session._learner.model

    def state(self) -> dict[str, torch.Tensor]:
        """Copies of all parameters and buffers."""
        return {name: tensor.clone() for name, tensor in self.model.state_dict().items()}


@pytest.fixture
def device() -> torch.device:
    """Where runs compute; in test/cuda it is a GPU."""
    return torch.device("cpu")


@pytest.fixture
def open_run(tiny: SimpleNamespace, device: torch.device) -> Callable[..., Run]:
    """open_run(**changes of the `open`) on a fresh host, or on that of the run `beside`; `on` another device."""

    def make(*, beside: Run | None = None, on: torch.device = device, **changes: Any) -> Run:
        progress = Progress() if beside is None else beside.progress
        host = Host(Identity.of(on, ONE_THREAD), progress) if beside is None else beside.host
        return Run(host, progress, open_request(**changes))

    return make


@pytest.fixture
def own_model(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., torch.nn.Module]], Named]:
    """Puts a model into the table and returns what `open` has to name."""

    def put(build: Callable[..., torch.nn.Module]) -> Named:
        monkeypatch.setitem(models.MODELS, "own", ModelDefinition("own", "", "", NoOptions, build))
        return Named(name="own", options={})

    return put


@pytest.fixture
def batches() -> list[list[int]]:
    """Ten batches of 6 in a fixed mixed order, and a last one of 4."""
    order = np.random.default_rng(0).permutation(TRAIN_COUNT).tolist()
    return [order[at : at + 6] for at in range(0, TRAIN_COUNT, 6)]


@pytest.fixture
def make_open() -> Callable[..., Open]:
    return open_request
