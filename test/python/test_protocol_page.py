"""docs/PROTOCOL.md says what the code says: types, fields, arrays, limits, error codes."""

from __future__ import annotations

import hashlib
import importlib
import re
from pathlib import Path
from typing import get_args

import torch
from msgspec import structs
from torch import nn

from py_backend import codec, connections, datasets, noise, server
from py_backend.errors import ERROR_CODES
from py_backend.messages import CONTROL, MESSAGES, SIGNAL_ARRAYS, WORK, Settings, SignalName
from py_backend.session import weights_sha256
from py_backend.signals import SIGNALS

PAGE = (Path(__file__).parents[2] / "docs" / "PROTOCOL.md").read_text("utf-8")
CODE = re.compile(r"`([a-z0-9_]+)`")


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return re.split(r"^#+ ", PAGE.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of the section's tables, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0].startswith("`")]


def items(cell: str) -> list[str]:
    """The parts between commas, leaving out what stands in brackets."""
    bare = re.sub(r"\([^)]*\)|\{[^}]*\}|\[[^\]]*\]", "", cell)
    return [item.strip() for item in bare.split(",") if item.strip()]


def first_name(item: str) -> str:
    found = CODE.search(item)
    assert found, item
    return found.group(1)


def fields_and_arrays() -> dict[str, tuple[list[str], list[tuple[str, str, int, bool]]]]:
    """Each type's fields and arrays: name, dtype, dimensions, whether it may be missing."""
    told = {}
    signals = re.search(r"^Signals: (.*)$", PAGE, re.MULTILINE)
    assert signals
    for title in ("control", "work"):
        for kind, fields, arrays in (row for row in rows(section(title)) if len(row) == 3):
            if arrays.startswith("each signal asked for"):
                dtypes = re.findall(r"`(\w+)` (u8|u32|i32|f32|f64)", signals[1])
                found = [(name, dtype, 1, True) for name, dtype in dtypes]
            else:
                found = [
                    (name, dtype, len(shape.split(",")), optional != "")
                    for optional, name, dtype, shape in re.findall(r"(optional )?`(\w+)` (\w+) \[([^\]]*)\]", arrays)
                ]
            told[first_name(kind)] = ([first_name(item) for item in items(fields)], found)
    return told


def test_every_type_with_its_fields_and_arrays_in_order() -> None:
    described = {
        kind: (
            [field.name for field in structs.fields(message)],
            [(name, spec.dtype, spec.dimensions, spec.optional) for name, spec in message.arrays.items()],
        )
        for kind, message in MESSAGES.items()
        if kind != "error"
    }
    assert fields_and_arrays() == described


def test_the_error_form() -> None:
    form = re.search(r'type: "error", ([a-z, ]+), arrays: \[\]', PAGE)
    assert form
    assert form[1].split(", ") == [field.name for field in structs.fields(MESSAGES["error"])]


def test_which_socket_takes_which_message() -> None:
    for socket, kinds in (("work", WORK), ("control", CONTROL)):
        (row,) = [line for line in section("Sockets").splitlines() if line.startswith(f"| {socket} |")]
        assert CODE.findall(row) == [kind.type for kind in kinds]


def test_the_error_codes() -> None:
    told = [code for row in rows(section("Errors")) for code in CODE.findall(row[0])]
    assert told == [code for code in ERROR_CODES if code in told]  # in the same order
    assert set(told) == set(ERROR_CODES)


def test_the_limits() -> None:
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\| ([\d,]+)(?: bytes)? \|", section("Limits"))]
    assert numbers == [codec.MAX_HEADER_BYTES, codec.MAX_FRAMES, codec.MAX_MESSAGE_BYTES, 1]


def test_what_connections_may_hold() -> None:
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\| at most ([\d,]+\d)", section("Limits"))]
    allowed = [limit for each in (server.STRANGERS, server.CONTROLLERS) for limit in (each.each, each.together)]
    assert numbers == [*allowed, connections.MOST_CONNECTIONS]
    files = connections.OTHER_FILES + connections.FILES_A_CONNECTION * connections.MOST_CONNECTIONS
    assert f"fewer than {files:,} open files" in section("Limits")


def test_every_signal_is_an_array_of_the_answers() -> None:
    for kind in ("train_ok", "score_ok", "evaluate_ok"):
        assert MESSAGES[kind].arrays == SIGNAL_ARRAYS


def test_every_signal_is_known_everywhere_and_defined_on_the_page() -> None:
    two_cells = [row for row in rows(section("work")) if len(row) == 2]
    defined = [name[1] for name in (re.fullmatch(r"`(\w+)`", row[0]) for row in two_cells) if name]
    assert defined == list(SIGNALS) == list(SIGNAL_ARRAYS) == list(get_args(SignalName))


def test_the_settings_of_a_session() -> None:
    told = re.search(r"`settings` map \(([^)]*)\)", PAGE)
    assert told
    assert CODE.findall(told[1]) == [field.name for field in structs.fields(Settings)]


# --- what an independent client has to compute as the backend does, written here from the page alone

GAMMA = 0x9E3779B97F4A7C15
BITS = (1 << 64) - 1


def mix(z: int) -> int:
    z &= BITS
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 & BITS
    z ^= z >> 27
    z = z * 0x94D049BB133111EB & BITS
    return z ^ z >> 31


def page_derive(*parts: int) -> int:
    key = 0
    for part in parts:
        key = mix(mix(key + GAMMA) + (part + 1) * GAMMA)
    return key


def test_derive_is_what_the_page_says() -> None:
    told = re.search(r"`derive\(1\)` is (0x\w+), `derive\(1, 2, 3\)` is (0x\w+)", PAGE)
    assert told
    assert [int(number, 16) for number in told.groups()] == [page_derive(1), page_derive(1, 2, 3)]
    for parts in [(), (0,), (2**32 - 1,), (1, 2, 3), (7, 2**33)]:
        assert noise.derive(*parts) == page_derive(*parts)
    key, places = page_derive(1, 2, 3), torch.tensor([0, 5])
    words = noise.words(torch.tensor(noise.signed(key)), places, 3)
    expected = [[noise.signed(mix(key + (3 * place + word + 1) * GAMMA)) for word in range(3)] for place in (0, 5)]
    assert words.tolist() == expected


def test_normalisation_is_what_the_page_says() -> None:
    told = dict(re.findall(r"^\| ([\w-]+) \| ([\d., ]+ \| [\d., ]+) \|$", PAGE, re.MULTILINE))
    kept = {}
    for name in datasets.DATASETS:
        module = importlib.import_module(f"py_backend.datasets.{name.replace('-', '_')}")
        kept[name] = " | ".join(", ".join(f"{part:.4f}" for part in parts) for parts in (module.MEAN, module.STD))
    assert told == kept


def test_padding_is_below_and_to_the_right() -> None:
    conv = nn.Conv2d(1, 1, 2, padding="same", bias=False)
    images = torch.rand(1, 1, 3, 3)
    below_and_right = nn.functional.pad(images, (0, 1, 0, 1))
    assert torch.allclose(conv(images), nn.functional.conv2d(below_and_right, conv.weight))


def test_the_hash_of_initial_weights_is_over_the_state_dict() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    content = b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())
    assert weights_sha256(model) == hashlib.sha256(content).hexdigest()
