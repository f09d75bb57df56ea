"""Tensors and values as the bytes of one safetensors document, and back. Nothing here unpickles.

The document is written here, since its bytes come from the device while the next chunk is started; it is read and
checked by the library. Values that are no tensors stand in its metadata, as exact_values.py says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError, deserialize
from torch import Tensor

from . import exact_values
from .device import BytesDownload

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint64: "U64",
    torch.uint32: "U32",
    torch.uint16: "U16",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.complex64: "C64",
}
"""What safetensors calls them; other dtypes it has no name for."""
DTYPES_BY_NAME = {name: dtype for dtype, name in DTYPES.items()}

LENGTH_BYTES = 8


@dataclass(frozen=True)
class State:
    """tensors and values by name; step: of the session; optimizer: its class."""

    step: int
    optimizer: str
    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]


def write(state: State, device: torch.device) -> BytesDownload:
    """The document, on its way to the host. Values must be encodable: see exact_values.py."""
    tensors = sorted(state.tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))
    coded = {name: exact_values.encode(value) for name, value in state.values.items()}
    header: dict[str, Any] = {
        "__metadata__": {"step": str(state.step), "optimizer": state.optimizer, "values": json.dumps(coded)}
    }
    at = 0
    for name, tensor in tensors:
        end = at + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH_BYTES)
    head = len(text).to_bytes(LENGTH_BYTES, "little") + text
    return BytesDownload(head, [tensor for _, tensor in tensors], device)


def read(content: bytes) -> State:
    """Tensors on the host. Raises ValueError saying what is wrong with the bytes."""
    try:
        found = deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ValueError(f"they are no safetensors document: {error}") from None
    tensors = {name: tensor_of(name, entry) for name, entry in found}
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    metadata = json.loads(content[LENGTH_BYTES : LENGTH_BYTES + length]).get("__metadata__") or {}
    if set(metadata) != {"step", "optimizer", "values"}:
        raise ValueError(f"their metadata has {sorted(metadata)}; expected optimizer, step and values")
    if not metadata["step"].isdecimal():
        raise ValueError(f"their step is {metadata['step'][:20]!r}; expected a number")
    try:
        coded = json.loads(metadata["values"])
        values = {name: exact_values.decode(value) for name, value in coded.items()}
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"their values cannot be read: {error}") from None
    return State(int(metadata["step"]), metadata["optimizer"], tensors, values)


def tensor_of(name: str, entry: Mapping[str, Any]) -> Tensor:
    """entry: shape, dtype and data, whose sizes the library checked."""
    dtype = DTYPES_BY_NAME.get(entry["dtype"])
    if dtype is None:
        raise ValueError(f"{name} is {entry['dtype']}, which is never saved")
    if not entry["data"]:
        return torch.empty(entry["shape"], dtype=dtype)
    return torch.frombuffer(entry["data"], dtype=dtype).reshape(entry["shape"])
