"""What can be opened here, for `ibatch list` and the config check: read off the option types, declared nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite
from typing import Any, Protocol

import msgspec
from msgspec import NODEFAULT
from msgspec import inspect as types

from .datasets import DATASETS
from .errors import BackendError
from .messages import Catalogue, CatalogueEntry, Option, OptionType
from .models import MODELS
from .optimizers import OPTIMIZERS


class Definition(Protocol):
    """What models, datasets and optimisers have in common."""

    @property
    def name(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def when_to_choose(self) -> str: ...
    @property
    def options(self) -> type[msgspec.Struct]: ...


def catalogue() -> Catalogue:
    return Catalogue(
        models=entries(MODELS.values()),
        datasets=entries(DATASETS.values()),
        optimizers=entries(OPTIMIZERS.values()),
    )


def entries(definitions: Iterable[Definition]) -> list[CatalogueEntry]:
    return [
        CatalogueEntry(
            name=definition.name,
            summary=definition.summary,
            when_to_choose=definition.when_to_choose,
            options=describe(definition.options),
        )
        for definition in definitions
    ]


def describe(options: type[msgspec.Struct]) -> dict[str, Option]:
    """Each option of a struct: its type, default, help, and the ends of its range that belong to it. An end that does
    not is left to `read_options`, which says so when it is reached."""
    info = types.type_info(options)
    assert isinstance(info, types.StructType)
    return {field.name: describe_field(field) for field in info.fields}


def describe_field(field: types.Field) -> Option:
    kind, help_text = field.type, ""
    if isinstance(kind, types.Metadata):
        help_text = (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    return Option(
        type=option_type(field.name, kind),
        default=None if field.default is NODEFAULT else field.default,
        help=help_text,
        choices=list(kind.values) if isinstance(kind, types.LiteralType) else None,
        minimum=getattr(kind, "ge", None),
        maximum=getattr(kind, "le", None),
    )


def option_type(name: str, kind: types.Type) -> OptionType:
    if isinstance(kind, types.LiteralType):
        return "str"
    known: dict[type[types.Type], OptionType] = {
        types.BoolType: "bool",
        types.IntType: "int",
        types.FloatType: "float",
        types.StrType: "str",
    }
    if type(kind) not in known:
        raise TypeError(f"option `{name}` is of a type that the catalogue cannot tell: {kind}")
    return known[type(kind)]


def read_options(what: str, definition: Definition, given: dict[str, Any]) -> Any:
    """The options as the definition's struct, defaults filled in. Raises BackendError (bad_option)."""
    for name, value in given.items():
        if isinstance(value, float) and not isfinite(value):
            raise BackendError("bad_option", f"{what} {definition.name}: `{name}` is {value}; expected a finite number")
    try:
        return msgspec.convert(given, definition.options, strict=True)
    except msgspec.ValidationError as error:
        known = [field.name for field in msgspec.structs.fields(definition.options)]
        raise BackendError("bad_option", f"{what} {definition.name}: {in_words(error, given)}", known=known) from None


OUT_OF_RANGE = re.compile(r"Expected `\w+` (>=|>|<=|<) (\S+) - at `\$\.(\w+)`")
BOUNDS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}


def in_words(error: msgspec.ValidationError, given: dict[str, Any]) -> str:
    """A number beyond an end of its range, as a person would say it; else what msgspec says."""
    found = OUT_OF_RANGE.fullmatch(str(error))
    if found is None:
        return str(error)
    relation, end, name = found.groups()
    return f"`{name}` is {given.get(name)}; expected {BOUNDS[relation]} {float(end):g}"
