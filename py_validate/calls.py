"""What can be asked for at the desk. Arguments have the names of the request; arrays lie in files, little-endian."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from py_backend.errors import BackendError
from py_backend.references import importing

from .choice import Choice, read_choice
from .curve import curve_check
from .data import Augmentation, Pictures, open_data
from .evaluation import evaluate
from .loop import Loop
from .memory_format import MEMORY_FORMATS
from .models import build_loss, build_model, describe_state, load_weights, save_weights
from .open_loop import Settings, open_loop
from .parity import model_parity
from .recorded_order import RecordedOrder

T = TypeVar("T")


class Desk:
    """The objects that TypeScript holds, by number, and the device they live on."""

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self._objects: dict[int, Any] = {}
        self._numbers = itertools.count(1)

    def keep(self, value: Any) -> int:
        number = next(self._numbers)
        self._objects[number] = value
        return number

    def find(self, handle: int, kind: type[T]) -> T:
        """Raises BackendError (bad_field)."""
        value = self._objects.get(handle)
        if not isinstance(value, kind):
            seen = "nothing" if value is None else f"a {type(value).__name__}"
            raise BackendError("bad_field", f"object {handle} is {seen}; a {kind.__name__} was expected")
        return value

    def release(self, handle: int) -> None:
        self.find(handle, object)
        del self._objects[handle]


class Data:
    """A loaded dataset."""

    def __init__(self, loaded: Any) -> None:
        self.loaded = loaded

    def batch(self, indices: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Images float32 [B, C, H, W] and labels int64 [B] of the training part."""
        pictures = Pictures(self.loaded, "train")
        items = [pictures[index] for index in indices]
        return torch.stack([image for image, _ in items]), torch.tensor([label for _, label in items])


def start(desk: Desk, threads: int, device: str, allow_import: Sequence[str]) -> dict[str, Any]:
    """Threads and settings as the backend has them: bits depend on both."""
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("warn")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    importing.allow(allow_import)
    desk.device = torch.device(device)
    return {"python": sys.version.split()[0], "torch": torch.__version__, "executable": sys.executable}


def open_dataset(desk: Desk, dataset: Mapping[str, Any], data_dir: str | None) -> dict[str, Any]:
    data = open_data(read_choice(dataset), data_dir)
    return {
        "object": desk.keep(Data(data)),
        "n": data.train.size,
        "test_count": data.test.size,
        "class_count": len(data.class_names),
        "input_shape": list(data.input_shape),
    }


def build(
    desk: Desk, model: Mapping[str, Any], input_shape: Sequence[int], class_count: int, seed: int = 0
) -> dict[str, Any]:
    built = build_model(read_choice(model), input_shape, class_count, seed, desk.device)
    return {
        "object": desk.keep(built),
        "parameter_count": sum(parameter.numel() for parameter in built.parameters()),
        "tensors": describe_state(built),
    }


def load(desk: Desk, on: int, path: str, tensors: Sequence[dict[str, Any]]) -> dict[str, Any]:
    load_weights(desk.find(on, nn.Module), Path(path), tensors)
    return {}


def save(desk: Desk, on: int, path: str) -> dict[str, Any]:
    return {"tensors": save_weights(desk.find(on, nn.Module), Path(path))}


def open_training(
    desk: Desk,
    model: int,
    data: int,
    run_directory: str,
    epochs: Sequence[int],
    optimizer: Mapping[str, Any],
    augmentation: Mapping[str, Any],
    precision: str,
    seed: int,
    memory_format: str,
    loss: Mapping[str, Any] | None = None,
    micro_batch: int | None = None,
    loop: str | None = None,
) -> dict[str, Any]:
    settings = Settings(
        optimizer["name"],
        optimizer.get("options") or {},
        build_loss(loss_choice(loss), desk.device),
        Augmentation(augmentation["crop"], augmentation["flip"]),
        precision,
        seed,
        micro_batch,
        MEMORY_FORMATS[memory_format],
    )
    own = None if loop is None else importing.import_callable(loop)
    trained, loaded = desk.find(model, nn.Module), desk.find(data, Data).loaded
    opened, steps = open_loop(trained, loaded, Path(run_directory), epochs, settings, desk.device, own)
    return {"object": desk.keep(opened), "steps": steps}


def train(desk: Desk, on: int, batches: int, losses_path: str) -> dict[str, Any]:
    return dict(desk.find(on, Loop).train(batches, Path(losses_path)))


def seen(desk: Desk, on: int) -> dict[str, Any]:
    return {"epochs": desk.find(on, Loop).seen()}


def look(
    desk: Desk,
    on: int,
    data: int,
    part: str,
    indices_path: str,
    losses_path: str,
    precision: str,
    batch_size: int,
    memory_format: str,
    loss: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    indices = read_indices(indices_path)
    pictures = Pictures(desk.find(data, Data).loaded, part)
    named = build_loss(loss_choice(loss), desk.device)
    model, laid_out_as = desk.find(on, nn.Module), MEMORY_FORMATS[memory_format]
    losses, accuracy = evaluate(model, pictures, indices, batch_size, named, precision, desk.device, laid_out_as)
    losses.astype("<f4").tofile(losses_path)
    return {"accuracy": accuracy, "count": len(indices)}


def compare(desk: Desk, ours: int, theirs: int, data: int, indices_path: str) -> dict[str, Any]:
    """On the samples of the file, as one batch."""
    images, labels = desk.find(data, Data).batch(read_indices(indices_path))
    checks = model_parity(
        desk.find(ours, nn.Module), desk.find(theirs, nn.Module), images.to(desk.device), labels.to(desk.device)
    )
    return {"checks": [asdict(check) for check in checks]}


def curve(
    desk: Desk,
    ours: int,
    theirs: int,
    data: int,
    run_directory: str,
    epochs: Sequence[int],
    optimizer: Mapping[str, Any],
) -> dict[str, Any]:
    orders = [RecordedOrder(Path(run_directory), epoch, labels=None) for epoch in epochs]
    check = curve_check(
        desk.find(ours, nn.Module),
        desk.find(theirs, nn.Module),
        desk.find(data, Data).batch,
        orders,
        (optimizer["name"], optimizer.get("options") or {}),
        desk.device,
    )
    return {"checks": [asdict(check)]}


def equivalence(_: Desk, ours: Sequence[float], theirs: Sequence[float], margin: float) -> dict[str, Any]:
    from .equivalence import compare_accuracies  # scipy, which no other call needs

    return asdict(compare_accuracies(ours, theirs, margin))


def release(desk: Desk, on: int) -> dict[str, Any]:
    desk.release(on)
    return {}


def loss_choice(given: Mapping[str, Any] | None) -> Choice | None:
    return None if given is None else read_choice(given)


def read_indices(path: str) -> list[int]:
    indices: list[int] = np.fromfile(path, "<u4").tolist()
    return indices


CALLS: dict[str, Callable[..., Any]] = {
    "start": start,
    "open_data": open_dataset,
    "build_model": build,
    "load_weights": load,
    "save_weights": save,
    "open_loop": open_training,
    "train": train,
    "seen": seen,
    "evaluate": look,
    "compare": compare,
    "curve": curve,
    "equivalence": equivalence,
    "release": release,
}
