"""Frames to messages and back (docs/PROTOCOL.md, sections "Messages" and "Checks")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from .errors import BackendError
from .messages import CONTROL, MESSAGES, WORK, Dtype, Message, Record

VERSION = 1
MAX_HEADER_BYTES = 262_144
MAX_MESSAGE_BYTES = 1 << 30
MAX_FRAMES = 17

Array = npt.NDArray[Any]
Frame = bytes | memoryview

NUMPY_DTYPES: dict[Dtype, np.dtype[Any]] = {
    "u8": np.dtype("u1"),
    "u32": np.dtype("<u4"),
    "i32": np.dtype("<i4"),
    "f32": np.dtype("<f4"),
    "f64": np.dtype("<f8"),
}
DTYPE_NAMES = {dtype: name for name, dtype in NUMPY_DTYPES.items()}


class ArrayHeader(Record):
    """What the header says of one array frame."""

    name: str
    dtype: str
    shape: list[int]


@dataclass(frozen=True)
class Packet:
    """A message with its number and its arrays."""

    id: int
    body: Message
    arrays: Mapping[str, Array] = field(default_factory=dict)


def encode(packet: Packet) -> list[Frame]:
    """Header frame and array frames. Arrays are sent as they lie in memory, which must not change until then."""
    headers = []
    frames: list[Frame] = []
    for name, array in packet.arrays.items():
        contiguous = np.ascontiguousarray(array)
        headers.append({"name": name, "dtype": DTYPE_NAMES[contiguous.dtype], "shape": list(array.shape)})
        frames.append(contiguous.reshape(-1).view(np.uint8).data)
    header = {
        "version": VERSION,
        "id": packet.id,
        "type": packet.body.type,
        **msgspec.structs.asdict(packet.body),
        "arrays": headers,
    }
    return [msgspec.msgpack.encode(header), *frames]


def decode(frames: Sequence[Frame]) -> Packet:
    """The message in these frames; arrays are views into them.

    Raises BackendError with one of the codes of docs/PROTOCOL.md, section "Checks", in that order. Whatever of the
    id could be read is in `details.id`, for the answer.
    """
    check_limits(frames)
    raw = decode_header(frames)
    message_id = raw.pop("id", None)
    try:
        body, headers = check_fields(message_id, raw)
        return Packet(message_id, body, check_arrays(body, headers, frames[1:]))
    except BackendError as error:
        error.details["id"] = message_id if is_id(message_id) else 0
        raise


def check_limits(frames: Sequence[Frame]) -> None:
    if len(frames) > MAX_FRAMES:
        raise BackendError("too_large", f"{len(frames)} frames in a message; at most {MAX_FRAMES} are allowed")
    if frames and len(frames[0]) > MAX_HEADER_BYTES:
        raise BackendError("too_large", f"a header of {len(frames[0])} bytes; at most {MAX_HEADER_BYTES} are allowed")
    total = sum(len(frame) for frame in frames)
    if total > MAX_MESSAGE_BYTES:
        raise BackendError("too_large", f"a message of {total} bytes; at most {MAX_MESSAGE_BYTES} are allowed")


def decode_header(frames: Sequence[Frame]) -> dict[str, Any]:
    if not frames:
        raise BackendError("bad_message", "a message without frames; a header frame was expected")
    try:
        raw = msgspec.msgpack.decode(frames[0], ext_hook=refuse_extension)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BackendError("bad_message", f"the header is not MessagePack: {error}") from None
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise BackendError("bad_message", "the header is not a map with string keys")
    return raw


def refuse_extension(code: int, _data: memoryview) -> None:
    raise BackendError("bad_message", f"the header holds MessagePack's extension type {code}; none are used")


def is_id(value: object, least: int = 0) -> bool:
    return type(value) is int and least <= value <= 2**32 - 1


def check_fields(message_id: Any, raw: dict[str, Any]) -> tuple[Message, list[ArrayHeader]]:
    version = raw.pop("version", None)
    if type(version) is not int or version != VERSION:
        raise BackendError(
            "bad_version",
            f"protocol version {version!r}; this backend speaks version {VERSION}: update one side",
        )
    kind = raw.pop("type", None)
    if not isinstance(kind, str) or kind not in MESSAGES:
        raise BackendError("unknown_type", f"message type {kind!r} is not known; known: {', '.join(MESSAGES)}")
    least = 1 if MESSAGES[kind] in (*CONTROL, *WORK) else 0
    if not is_id(message_id, least):
        raise BackendError("bad_field", f"`id` of a {kind} message must be an integer from {least} to 2^32-1")
    try:
        headers = msgspec.convert(raw.pop("arrays", None), list[ArrayHeader], strict=True)
        body = msgspec.convert(raw, MESSAGES[kind], strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BackendError("bad_field", f"{kind} message: {error}") from None
    signals = getattr(body, "signals", [])
    if len(set(signals)) != len(signals):
        raise BackendError("bad_field", f"{kind} message: `signals` names one twice: {signals}")
    return body, headers


def check_arrays(body: Message, headers: list[ArrayHeader], frames: Sequence[Frame]) -> dict[str, Array]:
    def refuse(reason: str) -> BackendError:
        return BackendError("bad_array", f"{body.type} message: {reason}")

    if len(headers) != len(frames):
        raise refuse(f"the header names {len(headers)} arrays, {len(frames)} frames came")
    arrays: dict[str, Array] = {}
    for header, frame in zip(headers, frames, strict=True):
        spec = body.arrays.get(header.name)
        if spec is None:
            raise refuse(f"no array `{header.name}` belongs to it")
        if header.name in arrays:
            raise refuse(f"array `{header.name}` comes twice")
        if header.dtype != spec.dtype or len(header.shape) != spec.dimensions:
            raise refuse(
                f"array `{header.name}` is {header.dtype} with {len(header.shape)} dimensions; "
                f"{spec.dtype} with {spec.dimensions} was expected"
            )
        dtype = NUMPY_DTYPES[spec.dtype]
        if not is_shape_of(header.shape, dtype.itemsize, len(frame)):
            raise refuse(f"array `{header.name}` of shape {header.shape} came with {len(frame)} bytes")
        arrays[header.name] = np.frombuffer(frame, dtype).reshape(header.shape)
    for name, spec in body.arrays.items():
        if not spec.optional and name not in arrays:
            raise refuse(f"array `{name}` is missing")
    return arrays


def is_shape_of(shape: list[int], element_bytes: int, frame_bytes: int) -> bool:
    """Whether so many bytes have this shape. Next to a 0, too, sizes are limited: numpy multiplies the others."""
    if any(size < 0 for size in shape) or prod(shape) * element_bytes != frame_bytes:
        return False
    return prod(size for size in shape if size) * element_bytes <= MAX_MESSAGE_BYTES
