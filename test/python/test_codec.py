"""The codec against vectors made by another library (test/vectors), and against mutations of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from py_backend.codec import Packet, decode, encode
from py_backend.errors import ERROR_CODES, BackendError
from py_backend.messages import MESSAGES, SIGNAL_ARRAYS, Average

VECTORS = Path(__file__).parents[1] / "vectors"
MESSAGE_VECTORS = json.loads((VECTORS / "messages.json").read_text("utf-8"))
DAMAGED = json.loads((VECTORS / "damaged.json").read_text("utf-8"))
DTYPES = {"u8": "u1", "u32": "<u4", "i32": "<i4", "f32": "<f4", "f64": "<f8"}

each_message = pytest.mark.parametrize("vector", MESSAGE_VECTORS, ids=lambda vector: vector["name"])
ENCODED = [vector for vector in MESSAGE_VECTORS if not vector.get("decode_only")]
each_encoded = pytest.mark.parametrize("vector", ENCODED, ids=lambda vector: vector["name"])
each_damaged = pytest.mark.parametrize("vector", DAMAGED, ids=lambda vector: vector["name"])


def frame(described: Any) -> bytes:
    if isinstance(described, str):
        return bytes.fromhex(described)
    byte, count = bytes.fromhex(described["byte"]), described["count"]
    repeated = bytes(count) if byte == b"\0" else byte * count  # zeros take no memory until they are read
    before, after = bytes.fromhex(described["before"]), bytes.fromhex(described["after"])
    return before + repeated + after if before or after else repeated


def frames(vector: dict[str, Any]) -> list[bytes]:
    return [frame(described) for described in vector["frames"]]


def array(described: dict[str, Any]) -> np.ndarray[Any, Any]:
    if "hex" in described:
        values = np.frombuffer(bytes.fromhex(described["hex"]), DTYPES[described["dtype"]])
    else:
        values = np.array(described["values"], DTYPES[described["dtype"]])
    return values.reshape(described["shape"])


def as_bytes(encoded: list[Any]) -> list[bytes]:
    return [bytes(part) for part in encoded]


def test_the_script_writes_the_vectors_that_are_here(tmp_path: Path) -> None:
    subprocess.run([sys.executable, VECTORS / "make_vectors.py", tmp_path], check=True)
    for name in ("messages.json", "damaged.json"):
        assert (tmp_path / name).read_bytes() == (VECTORS / name).read_bytes(), f"{name}: run make_vectors.py again"


def test_the_vectors_hold_every_type_and_every_check() -> None:
    assert {vector["type"] for vector in MESSAGE_VECTORS} == set(MESSAGES)
    checks = {"too_large", "bad_message", "bad_version", "unknown_type", "bad_field", "bad_array"}
    assert {vector["code"] for vector in DAMAGED} == checks


@each_message
def test_decodes_to_the_message_described(vector: dict[str, Any]) -> None:
    packet = decode(frames(vector))
    assert packet.id == vector["id"]
    assert packet.body.type == vector["type"]
    assert msgspec.to_builtins(packet.body) == vector["fields"]
    assert list(packet.arrays) == [described["name"] for described in vector["arrays"]]
    for described in vector["arrays"]:
        seen = packet.arrays[described["name"]]
        assert seen.dtype == np.dtype(DTYPES[described["dtype"]])
        assert list(seen.shape) == described["shape"]
        assert seen.tobytes() == array(described).tobytes()


@each_encoded
def test_encodes_to_exactly_these_bytes(vector: dict[str, Any]) -> None:
    body = msgspec.convert(vector["fields"], MESSAGES[vector["type"]])
    arrays = {described["name"]: array(described) for described in vector["arrays"]}
    assert as_bytes(encode(Packet(vector["id"], body, arrays))) == frames(vector)


@each_damaged
def test_refuses_what_is_damaged_with_the_code_of_the_first_check(vector: dict[str, Any]) -> None:
    with pytest.raises(BackendError) as refused:
        decode(frames(vector))
    assert refused.value.code == vector["code"], refused.value.message


@pytest.mark.parametrize("name", ["version", "id", "first_step", "micro_batch"])
def test_a_float_where_an_integer_stands_is_refused(name: str) -> None:
    train = next(vector for vector in MESSAGE_VECTORS if vector["type"] == "train")
    header, *arrays = frames(train)
    fields = msgpack.unpackb(header)
    fields[name] = 1.0
    with pytest.raises(BackendError) as refused:
        decode([msgpack.packb(fields), *arrays])
    assert refused.value.code == ("bad_version" if name == "version" else "bad_field")


@pytest.mark.parametrize("header", [b"\x81\xa1a\xa1\xff", b"\x81\xa1\xff\xc0"])
def test_text_that_is_not_utf8_is_not_messagepack(header: bytes) -> None:
    with pytest.raises(BackendError) as refused:
        decode([header])
    assert refused.value.code == "bad_message"


def test_the_refusal_names_the_id_that_could_be_read() -> None:
    header = {"version": 1, "id": 77, "type": "hello", "arrays": []}
    with pytest.raises(BackendError) as refused:
        decode([msgpack.packb(header)])
    assert refused.value.details["id"] == 77
    with pytest.raises(BackendError) as refused:
        decode([msgpack.packb({**header, "id": -1})])
    assert refused.value.details["id"] == 0


def test_arrays_are_views_into_the_frames_and_stay_readable_at_odd_addresses() -> None:
    train = next(vector for vector in MESSAGE_VECTORS if vector["type"] == "train")
    header, indices, *others = frames(train)
    shifted = memoryview(b"\0" + indices)[1:]
    packet = decode([header, shifted, *others])
    assert np.shares_memory(packet.arrays["indices"], np.frombuffer(shifted, np.uint8))
    assert packet.arrays["indices"].tolist() == [3, 0, 4, 1, 2]


def test_arrays_of_another_layout_are_sent_row_major() -> None:
    loss = np.arange(10, dtype=np.float32)[::2]
    body = msgspec.convert(
        {"session": "s", "first_step": 0, "batches_done": 1, "indices_sha256": "0" * 64, "seconds": 0.5},
        MESSAGES["train_ok"],
    )
    assert as_bytes(encode(Packet(1, body, {"loss": loss})))[1] == loss.tobytes()


# --- laws

SMALL = [frames(vector) for vector in MESSAGE_VECTORS if len(vector["frames"][0]) < 4000]
edits = st.lists(
    st.tuples(st.sampled_from(["flip", "drop", "insert"]), st.integers(0, 2**16), st.integers(0, 255)),
    min_size=1,
    max_size=4,
)


def mutated(data: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    content = bytearray(data)
    for kind, at, value in changes:
        place = at % (len(content) + 1)
        if kind == "insert":
            content.insert(place, value)
        elif place < len(content):
            if kind == "drop":
                del content[place]
            else:
                content[place] ^= value
    return bytes(content)


@settings(max_examples=3000, deadline=None, derandomize=True)
@given(st.sampled_from(SMALL), st.integers(0, 16), edits)
def test_a_mutated_message_is_understood_or_refused(parts: list[bytes], which: int, changes: Any) -> None:
    at = which if which < len(parts) else 0  # most often the header
    try:
        decode([mutated(part, changes) if place == at else part for place, part in enumerate(parts)])
    except BackendError as error:
        assert error.code in ERROR_CODES


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=40), max_size=4))
def test_rubbish_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(BackendError):
        decode(parts)


ints = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
trains = st.builds(
    lambda session, step, signals, micro, average: MESSAGES["train"](
        session=session, first_step=step, sha256="0" * 64, signals=signals, micro_batch=micro, average=average
    ),
    texts,
    ints,
    st.lists(st.sampled_from(list(SIGNAL_ARRAYS)), min_size=1, unique=True),
    st.none() | st.integers(1, 2**32 - 1),
    st.none()
    | st.builds(Average, from_step=ints, decay=st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True)),
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.integers(1, 2**32 - 1), trains, st.binary(max_size=64), st.booleans())
def test_train_survives_encoding_and_decoding(number: int, body: Any, content: bytes, weighted: bool) -> None:
    arrays = {
        "indices": np.frombuffer(content[: len(content) // 4 * 4], "<u4"),
        "offsets": np.frombuffer(content[: len(content) // 4 * 4], "<u4")[::2],
        "learning_rates": np.frombuffer(content[: len(content) // 8 * 8], "<f8"),
    }
    if weighted:
        arrays["weights"] = np.frombuffer(content[: len(content) // 4 * 4], "<f4")
    packet = decode(as_bytes(encode(Packet(number, body, arrays))))
    assert (packet.id, packet.body) == (number, body)
    assert {name: (array.dtype, array.tobytes()) for name, array in packet.arrays.items()} == {
        name: (array.dtype, array.tobytes()) for name, array in arrays.items()
    }


@settings(max_examples=500, deadline=None, derandomize=True)
@given(ints, texts, texts, st.dictionaries(texts, values, max_size=4))
def test_error_survives_encoding_and_decoding(number: int, code: str, text: str, details: dict[str, Any]) -> None:
    body = MESSAGES["error"](code=code, message=text, details=details)
    packet = decode(as_bytes(encode(Packet(number, body))))
    assert (packet.id, packet.body, packet.arrays) == (number, body, {})
