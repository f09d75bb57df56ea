"""Values that are no tensors as JSON, and back to the bit: what Python's own JSON would change has its type beside it.

None, bool, str, int below 2⁶³    as they are
larger int                        {"int": hexadecimal}
float                             {"float": its 8 bytes, big-endian, hexadecimal}
list                              a list
tuple                             {"tuple": list}
dict                              {"map": [[key, value], …]}
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

INT_BOUND = 1 << 63


def encode(value: object) -> Any:
    """What `json` writes without loss. Raises TypeError naming the type that has no form here."""
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        return value if abs(value) < INT_BOUND else {"int": hex(value)}
    if type(value) is float:
        return {"float": struct.pack(">d", value).hex()}
    if type(value) is list:
        return [encode(item) for item in value]
    if type(value) is tuple:
        return {"tuple": [encode(item) for item in value]}
    if type(value) is dict:
        return {"map": [[encode(key), encode(item)] for key, item in value.items()]}
    raise TypeError(f"{type(value).__module__}.{type(value).__qualname__}")


def decode(coded: Any) -> Any:
    """The value that was encoded. Raises ValueError where it is no such form."""
    if coded is None or type(coded) in (bool, str, int):
        return coded
    if type(coded) is list:
        return [decode(item) for item in coded]
    if type(coded) is dict and len(coded) == 1:
        ((kind, content),) = coded.items()
        if kind in DECODERS:
            try:
                return DECODERS[kind](content)
            except (TypeError, struct.error) as error:
                raise ValueError(f"{kind}: {error}") from None
    raise ValueError(f"no value: {str(coded)[:80]}")


DECODERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda content: int(content, 16),
    "float": lambda content: struct.unpack(">d", bytes.fromhex(content))[0],
    "tuple": lambda content: tuple(decode(item) for item in content),
    "map": lambda content: {decode(key): decode(item) for key, item in content},
}
