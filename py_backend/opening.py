"""What an `open` makes of its names: choosing what is meant, building it, and trying whether it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from . import datasets, losses, models, optimizers
from .averaging import AveragedWeights
from .batch_norm import batch_norm_layers
from .catalogue import read_options
from .datasets.contract import DatasetDefinition
from .device import recorder
from .errors import BackendError
from .fitting import Fit, Tried, fit
from .generators import generators_kept, seed_python
from .learner import Learner, Loss
from .memory_format import MemoryFormat, lay_out
from .messages import Open
from .models.contract import ModelDefinition
from .noise import StepNoise, attach, derive, signed
from .optimizers import OptimizerDefinition, fused_device
from .parameters import refuse_untrainable
from .recordable import why_not_recordable
from .references import dataset as dataset_reference
from .references import loss as loss_reference
from .references import model as model_reference
from .references.importing import refuse_not_allowed
from .references.whose import Telling
from .resident import Augmentation, ResidentDataset
from .step import Steps
from .torch_state import TorchState

CPU = torch.device("cpu")
"""Where every model is built."""
INITIAL_WEIGHTS_PLACE = 1 << 33
"""A place in derive(seed, …) that no step has."""


@dataclass(frozen=True)
class Choices:
    """What an `open` names, with its options: known and checked before anything is loaded."""

    dataset: DatasetDefinition
    dataset_options: Any
    model: ModelDefinition
    model_options: Any
    optimizer: OptimizerDefinition
    optimizer_options: Any
    loss: Loss | None
    """Of ours; None where it is imported."""


def choose(request: Open) -> Choices:
    """Raises BackendError (unknown_name, bad_option, not_allowed, module_missing, bad_reference)."""
    refuse_not_allowed(references(request))
    find_dataset = dataset_reference.definition if request.dataset.origin == "import" else datasets.find
    find_model = model_reference.definition if request.model.origin == "import" else models.find
    dataset, model = find_dataset(request.dataset.name), find_model(request.model.name)
    optimizer = optimizers.find(request.optimizer.name)
    return Choices(
        dataset=dataset,
        dataset_options=read_options("dataset", dataset, request.dataset.options),
        model=model,
        model_options=read_options("model", model, request.model.options),
        optimizer=optimizer,
        optimizer_options=read_options("optimizer", optimizer, request.optimizer.options),
        loss=loss_of_ours(request),
    )


def loss_of_ours(request: Open) -> Loss | None:
    """Cross-entropy where no other is named, None where it is imported. Raises BackendError (unknown_name,
    bad_option)."""
    if request.loss is not None and request.loss.origin == "import":
        return None
    name, options = (losses.USUAL, {}) if request.loss is None else (request.loss.name, request.loss.options)
    definition = losses.find(name)
    return definition.build(read_options("loss", definition, options))


def refuse_single_class(dataset: str, class_names: tuple[str, ...]) -> None:
    """Raises BackendError (bad_option) where there is nothing to tell apart."""
    if len(class_names) < 2:
        raise BackendError(
            "bad_option",
            f"dataset {dataset} has {len(class_names)} class; 2 at least are needed: with one every loss is 0 and no "
            "sample has a margin. Take another dataset, or give this one's samples their classes",
        )


def references(request: Open) -> list[str]:
    """What the request imports."""
    parts = (request.dataset, request.model, request.loss)
    return [part.name for part in parts if part is not None and part.origin == "import"]


def build_learner(
    request: Open, choices: Choices, data: ResidentDataset, device: torch.device
) -> tuple[Learner, list[float]]:
    """Model, optimiser and noise of a run, its weights not yet laid out; and the dropout probabilities as used."""
    reference = request.model.name if request.model.origin == "import" else None
    with generators_kept(CPU):
        key = derive(initial_seed(request), INITIAL_WEIGHTS_PLACE)
        torch.manual_seed(signed(key))
        seed_python(key)
        model = choices.model.build(data.input_shape, len(data.class_names), choices.model_options)
    noise = StepNoise()
    with Telling(reference, "it cannot be prepared for training"):
        model = model.to(device)
        dropouts = attach(model, noise)
        refuse_untrainable(reference, model)
        batch_norms = batch_norm_layers(model)
        optimizer = build_optimizer(choices, fused_on(request, model, device), model.parameters())
    learner = Learner(
        model=model,
        model_reference=reference,
        memory_format="contiguous" if request.channels_last == "off" else "channels_last",
        batch_norms=batch_norms,
        optimizer=optimizer,
        averaged=AveragedWeights(model),
        loss=loss_of(request, choices, device),
        loss_reference=None if request.loss is None or choices.loss is not None else request.loss.name,
        noise=noise,
        noisy_layers=len(dropouts),
        augmentation=Augmentation(request.augmentation.crop, request.augmentation.flip),
        device=device,
        precision=request.precision,
        seed=request.seed,
    )
    return learner, [layer.probability for layer in dropouts]


def initial_seed(request: Open) -> int:
    """Of the initial weights."""
    return request.seed if request.model_seed is None else request.model_seed


def fused_on(request: Open, model: nn.Module, device: torch.device) -> torch.device | None:
    """Where the optimiser's one kernel updates all parameters: on a GPU, if all that is trained are real numbers, and
    no gradient is sparse."""
    is_real = all(parameter.is_floating_point() for parameter in model.parameters() if parameter.requires_grad)
    is_sparse = any(getattr(module, "sparse", False) for module in model.modules())  # as torch's embeddings say it
    return device if request.fast and recorder(device) is not None and is_real and not is_sparse else None


def build_optimizer(
    choices: Choices, fused: torch.device | None, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    return choices.optimizer.build(parameters, choices.optimizer_options, fused)


def builder_like(choices: Choices, learner: Learner) -> Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]:
    """Builds optimisers as the learner's is, over other parameters."""
    return partial(build_optimizer, choices, fused_device(learner.optimizer))


def laid_out(learner: Learner, memory_format: MemoryFormat) -> Learner:
    lay_out(learner.model, memory_format)
    return replace(learner, memory_format=memory_format)


def loss_of(request: Open, choices: Choices, device: torch.device) -> Loss:
    if choices.loss is not None:
        return choices.loss
    assert request.loss is not None  # or it would be one of ours
    return loss_reference.build(request.loss.name, request.loss.options, device)


def fit_of(request: Open, choices: Choices, learner: Learner, data: ResidentDataset, torch_state: TorchState) -> Fit:
    """Raises BackendError (bad_option, bad_reference) where something does not fit."""
    if data.is_float and request.augmentation.crop:
        raise BackendError(
            "bad_option",
            "augmentation.crop pads with black pixels, and what is black in the float images of "
            f"{request.dataset.name} is not known: take crop 0, or uint8 images",
        )
    return fit(tried_on(choices, learner, data, torch_state), equal_bits=request.equal_bits)


def tried_on(choices: Choices, learner: Learner, data: ResidentDataset, torch_state: TorchState) -> Tried:
    return Tried(learner, builder_like(choices, learner), data.train, len(data.class_names), torch_state)


def steps_of(
    choices: Choices, learner: Learner, data: ResidentDataset, torch_state: TorchState, *, equal_bits: bool
) -> tuple[Steps, list[str]]:
    """The steps of a learner that is laid out as it will be trained: recorded where updates are fused and copies bear
    it. Gives a line for a person where they do not."""
    device = fused_device(learner.optimizer)
    record = None if device is None else recorder(device)
    if record is None:
        return Steps(learner), []
    tried = tried_on(choices, learner, data, torch_state)
    if (reason := why_not_recordable(tried, record, equal_bits=equal_bits)) is None:
        return Steps(learner, record), []
    return Steps(learner), [f"{tried.model_name}: its steps are launched one operation at a time: {reason}"]
