"""The catalogue says what the option types say."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from py_backend.catalogue import catalogue, describe
from py_backend.codec import Packet, decode, encode
from py_backend.datasets import DATASETS
from py_backend.messages import MESSAGES, Catalogue
from py_backend.models import MODELS
from py_backend.optimizers import OPTIMIZERS

TABLES = {"models": MODELS, "datasets": DATASETS, "optimizers": OPTIMIZERS}
DEFINITIONS = [definition for table in TABLES.values() for definition in table.values()]
each_definition = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)


def test_everything_in_the_tables_is_there_and_nothing_else() -> None:
    told = catalogue()
    for kind, table in TABLES.items():
        entries = getattr(told, kind)
        assert [entry.name for entry in entries] == list(table)
        for entry, definition in zip(entries, table.values(), strict=True):
            assert (entry.summary, entry.when_to_choose) == (definition.summary, definition.when_to_choose)
            assert entry.summary
            assert entry.when_to_choose


@each_definition
def test_names_and_defaults_are_those_of_the_struct(definition: object) -> None:
    options = definition.options  # type: ignore[attr-defined]
    defaults = msgspec.to_builtins(options())
    assert {name: option.default for name, option in describe(options).items()} == defaults


@each_definition
def test_every_option_has_help(definition: object) -> None:
    for name, option in describe(definition.options).items():  # type: ignore[attr-defined]
        assert option.help, name


@each_definition
def test_ranges_and_choices_are_those_that_are_checked(definition: object) -> None:
    options = definition.options  # type: ignore[attr-defined]
    for name, option in describe(options).items():
        for choice in option.choices or []:
            msgspec.convert({name: choice}, options)
        ends = [end for end in (option.minimum, option.maximum) if end is not None]
        for end in ends:
            assert getattr(msgspec.convert({name: end}, options, strict=False), name) == end
        outside = [option.minimum - 1e-9] if option.minimum is not None else []
        outside += [option.maximum + 1e-9] if option.maximum is not None else []
        outside += ["none of the choices"] if option.choices is not None else []
        for value in outside:
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert({name: value}, options)


class Everything(Struct):
    number: Annotated[int, Meta(ge=1, le=9, description="one to nine")]
    share: Annotated[float, Meta(gt=0, lt=1, description="a share")] = 0.5
    on: Annotated[bool, Meta(description="whether")] = True
    name: Annotated[str, Meta(description="a name")] = "x"
    kind: Annotated[Literal["a", "b"], Meta(description="a or b")] = "a"


def test_each_type_of_option() -> None:
    told = {name: msgspec.to_builtins(option) for name, option in describe(Everything).items()}
    nothing = {"choices": None, "minimum": None, "maximum": None}
    assert told == {
        "number": {**nothing, "type": "int", "default": None, "help": "one to nine", "minimum": 1, "maximum": 9},
        "share": {**nothing, "type": "float", "default": 0.5, "help": "a share"},
        "on": {**nothing, "type": "bool", "default": True, "help": "whether"},
        "name": {**nothing, "type": "str", "default": "x", "help": "a name"},
        "kind": {**nothing, "type": "str", "default": "a", "help": "a or b", "choices": ["a", "b"]},
    }


def test_an_option_that_cannot_be_told_is_a_fault_of_its_file() -> None:
    class Odd(Struct):
        when: dict[str, int]

    with pytest.raises(TypeError, match="`when`"):
        describe(Odd)


def test_the_catalogue_survives_the_wire() -> None:
    limits = {"header_bytes": 1, "message_bytes": 1, "frames": 1, "sessions": 1}
    empty = dict.fromkeys(("instance", "backend_version", "platform", "device", "device_name", "work_endpoint"), "")
    told: Catalogue = catalogue()
    fields = {
        **empty,
        "versions": {},
        "threads": 1,
        "precisions": {"float32": ""},
        "limits": limits,
        "catalogue": msgspec.to_builtins(told),
    }
    packet = Packet(1, msgspec.convert(fields, MESSAGES["hello_ok"]))
    assert decode([bytes(frame) for frame in encode(packet)]).body == packet.body
