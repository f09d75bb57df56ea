"""Every kind of message, its fields and its arrays: docs/PROTOCOL.md as types.

`src/backend/messages.ts` describes the same; `test/vectors/` holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

Dtype = Literal["u8", "u32", "i32", "f32", "f64"]

Int = Annotated[int, Meta(ge=0, le=2**32 - 1)]
PositiveInt = Annotated[int, Meta(ge=1, le=2**32 - 1)]
Bytes = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Float = Annotated[float, Meta(ge=0, le=1.7976931348623157e308)]  # finite; NaN fails every comparison
Text = Annotated[str, Meta(max_length=4096)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
SignalName = Literal["loss", "correct", "prediction", "margin", "entropy", "el2n"]
Signals = Annotated[list[SignalName], Meta(min_length=1)]
Precision = Literal["float32", "tf32", "bfloat16"]
ChannelsLast = Literal["auto", "off"]
Part = Literal["train", "test"]
Norm = Literal["running", "batch", "reestimated"]
WhichWeights = Literal["last", "averaged"]
Decay = Annotated[float, Meta(gt=0, lt=1)]
OptionType = Literal["int", "float", "bool", "str"]


@dataclass(frozen=True)
class ArraySpec:
    """An array that a message carries: its dtype, its number of dimensions, whether it may be missing."""

    dtype: Dtype
    dimensions: int = 1
    optional: bool = False


SIGNAL_ARRAYS = {
    "loss": ArraySpec("f32", optional=True),
    "correct": ArraySpec("u8", optional=True),
    "prediction": ArraySpec("u32", optional=True),
    "margin": ArraySpec("f32", optional=True),
    "entropy": ArraySpec("f32", optional=True),
    "el2n": ArraySpec("f32", optional=True),
}


class Record(Struct, forbid_unknown_fields=True, kw_only=True):
    """A map of fixed fields."""


class Message(Record):
    """A message's fields, without version, id, type and arrays."""

    type: ClassVar[str]
    arrays: ClassVar[dict[str, ArraySpec]] = {}


class Named(Record):
    """What a user picks by name, with its options (checked by whoever owns the name)."""

    name: Text
    options: dict[Text, Any]


class Chosen(Record):
    """One of the backend's own (`catalogue`), or the user's: `name` is then "package.module:callable" (`import`)."""

    origin: Literal["catalogue", "import"]
    name: Text
    options: dict[Text, Any]


# --- control


class Hello(Message):
    type = "hello"
    client: Text


class Option(Record):
    type: OptionType
    default: Any
    help: Text
    choices: list[Any] | None
    minimum: float | None
    maximum: float | None


class CatalogueEntry(Record):
    name: Text
    summary: Text
    when_to_choose: Text
    options: dict[Text, Option]


class Catalogue(Record):
    models: list[CatalogueEntry]
    datasets: list[CatalogueEntry]
    optimizers: list[CatalogueEntry]


class Limits(Record):
    header_bytes: Int
    message_bytes: Int
    frames: Int
    sessions: Int


class HelloOk(Message):
    type = "hello_ok"
    instance: Text
    backend_version: Text
    versions: dict[Text, Text]
    platform: Text
    device: Text
    device_name: Text
    threads: Int
    precisions: dict[Text, Text]
    work_endpoint: Text
    limits: Limits
    catalogue: Catalogue


class Ping(Message):
    type = "ping"
    session: Text | None


class PingOk(Message):
    type = "ping_ok"
    instance: Text


class Status(Message):
    type = "status"
    session: Text | None


class StatusOk(Message):
    type = "status_ok"
    state: Literal["idle", "working"]
    session_open: bool
    step: Int
    seconds_since_progress: Float
    peak_bytes: Bytes


class Cancel(Message):
    type = "cancel"
    session: Text


class CancelOk(Message):
    type = "cancel_ok"
    working: bool


class Shutdown(Message):
    type = "shutdown"
    session: Text | None


class ShutdownOk(Message):
    type = "shutdown_ok"


# --- work


class Augmentation(Record):
    crop: Annotated[int, Meta(ge=0, le=64)]
    flip: bool


class Open(Message):
    type = "open"
    dataset: Chosen
    data_dir: Text | None
    model: Chosen
    loss: Chosen | None
    optimizer: Named
    augmentation: Augmentation
    precision: Precision
    channels_last: ChannelsLast
    equal_bits: bool
    fast: bool
    seed: Int
    model_seed: Int | None
    owner: Text | None


class Settings(Record):
    """What the session really uses, where that is not simply what was asked for."""

    memory_format: Text
    precision: Precision
    deterministic: bool
    fused_updates: bool
    recorded_steps: bool
    dropout: list[Float]
    batch_norm_layers: Int


class Imported(Record):
    """What was imported for a reference: where it came from, and what it was."""

    reference: Text
    file: Text | None
    version: Text | None
    sha256: Sha256 | None


class CodeFile(Record):
    """A source of the user's as it was executed; `file` is a folder where an installed package is meant."""

    module: Text
    file: Text
    sha256: Sha256


class OpenOk(Message):
    type = "open_ok"
    session: Text
    instance: Text
    device: Text
    device_name: Text
    threads: Int
    versions: dict[Text, Text]
    platform: Text
    n: Int
    test_count: Int
    input_shape: list[Int]
    parameter_count: Int
    data_sha256: Sha256
    initial_weights_sha256: Sha256
    settings: Settings
    least_batch_size: PositiveInt
    imports: list[Imported]
    code: list[CodeFile]
    edited: list[Text]
    notices: list[Text]
    arrays = {"labels": ArraySpec("u32"), "test_labels": ArraySpec("u32"), "class_names": ArraySpec("u8")}


class Relabel(Message):
    type = "relabel"
    session: Text
    arrays = {"indices": ArraySpec("u32"), "labels": ArraySpec("u32")}


class RelabelOk(Message):
    type = "relabel_ok"
    session: Text


class Average(Record):
    """The mean that weights are counted into: a uniform one where decay is None."""

    from_step: Int
    decay: Decay | None


class Train(Message):
    type = "train"
    session: Text
    first_step: Int
    sha256: Sha256
    signals: Signals
    micro_batch: PositiveInt | None
    average: Average | None
    arrays = {
        "indices": ArraySpec("u32"),
        "offsets": ArraySpec("u32"),
        "learning_rates": ArraySpec("f64"),
        "weights": ArraySpec("f32", optional=True),
    }


class TrainOk(Message):
    type = "train_ok"
    session: Text
    first_step: Int
    batches_done: Int
    indices_sha256: Sha256
    seconds: Float
    arrays = SIGNAL_ARRAYS


class Score(Message):
    type = "score"
    session: Text
    signals: Signals
    batch_size: PositiveInt
    arrays = {"indices": ArraySpec("u32")}


class ScoreOk(Message):
    type = "score_ok"
    session: Text
    indices_sha256: Sha256
    seconds: Float
    arrays = SIGNAL_ARRAYS


class Evaluate(Message):
    type = "evaluate"
    session: Text
    part: Part
    norm: Norm
    weights: WhichWeights
    signals: Signals
    batch_size: PositiveInt
    arrays = {"indices": ArraySpec("u32"), "calibration": ArraySpec("u32", optional=True)}


class EvaluateOk(Message):
    type = "evaluate_ok"
    session: Text
    indices_sha256: Sha256
    seconds: Float
    arrays = SIGNAL_ARRAYS


class Images(Message):
    type = "images"
    session: Text
    part: Part
    arrays = {"indices": ArraySpec("u32")}


class ImagesOk(Message):
    type = "images_ok"
    session: Text
    indices_sha256: Sha256
    arrays = {"images": ArraySpec("u8", dimensions=4)}


class Weights(Message):
    type = "weights"
    session: Text


class TensorShape(Record):
    name: Text
    shape: list[Int]


class WeightsOk(Message):
    type = "weights_ok"
    session: Text
    step: Int
    tensors: list[TensorShape]
    arrays = {"values": ArraySpec("f32")}


class Save(Message):
    type = "save"
    session: Text
    step: Int
    part: Int


class SaveOk(Message):
    type = "save_ok"
    session: Text
    step: Int
    part: Int
    parts: PositiveInt
    sha256: Sha256
    total_bytes: Bytes
    notices: list[Text]
    arrays = {"bytes": ArraySpec("u8")}


class Load(Message):
    type = "load"
    session: Text
    step: Int
    part: Int
    parts: PositiveInt
    sha256: Sha256
    arrays = {"bytes": ArraySpec("u8")}


class LoadOk(Message):
    type = "load_ok"
    session: Text
    step: Int
    part: Int


class Close(Message):
    type = "close"
    session: Text


class CloseOk(Message):
    type = "close_ok"


class Error(Message):
    type = "error"
    code: Text
    message: Text
    details: dict[Text, Any]


CONTROL: tuple[type[Message], ...] = (Hello, Ping, Status, Cancel, Shutdown)
WORK: tuple[type[Message], ...] = (Open, Relabel, Train, Score, Evaluate, Images, Weights, Save, Load, Close)
ANSWERS: tuple[type[Message], ...] = (
    HelloOk,
    PingOk,
    StatusOk,
    CancelOk,
    ShutdownOk,
    OpenOk,
    RelabelOk,
    TrainOk,
    ScoreOk,
    EvaluateOk,
    ImagesOk,
    WeightsOk,
    SaveOk,
    LoadOk,
    CloseOk,
    Error,
)
MESSAGES: dict[str, type[Message]] = {kind.type: kind for kind in (*CONTROL, *WORK, *ANSWERS)}
