"""The table of datasets: equal to the folder, and every entry keeps the contract."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

import py_backend.datasets
from py_backend.datasets import DATASETS, find
from py_backend.errors import BackendError

FOLDER = Path(py_backend.datasets.__file__).parent
NOT_DATASETS = {"__init__", "contract", "files", "idx", "cifar", "unpickle"}

each_name = pytest.mark.parametrize("name", DATASETS)


def undescribed(options: type[msgspec.Struct]) -> list[str]:
    """Names of the options that have no description."""
    _, definitions = msgspec.json.schema_components([options])
    (schema,) = definitions.values()
    return [name for name, option in schema["properties"].items() if "description" not in option]


def test_the_table_holds_every_dataset_file_and_nothing_else() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - NOT_DATASETS
    declared = {file: importlib.import_module(f"py_backend.datasets.{file}").DATASET for file in files}
    assert {file: definition.name.replace("-", "_") for file, definition in declared.items()} == {
        file: file for file in files
    }
    assert {definition.name: definition for definition in declared.values()} == DATASETS


def test_the_names_on_the_wire() -> None:
    assert sorted(DATASETS) == ["cifar10", "cifar100", "digits", "fashion-mnist", "mnist"]


@each_name
def test_find_gives_the_definition_of_that_name(name: str) -> None:
    assert find(name).name == name
    assert find(name) is DATASETS[name]


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BackendError) as caught:
        find("mnits")
    assert caught.value.code == "unknown_name"
    assert caught.value.message == ("no dataset `mnits`; there are: digits, mnist, fashion-mnist, cifar10, cifar100")
    assert caught.value.details == {"name": "mnits", "known": list(DATASETS)}


@each_name
def test_texts_are_one_line_each(name: str) -> None:
    definition = DATASETS[name]
    for text in (definition.summary, definition.when_to_choose):
        assert text and text == " ".join(text.split())
    assert definition.where_to_get == " ".join(definition.where_to_get.split())


@each_name
def test_options_have_defaults_and_refuse_unknown_keys(name: str) -> None:
    options = DATASETS[name].options
    assert msgspec.convert({}, options) == options()
    with pytest.raises(msgspec.ValidationError, match="unknown field `mistyped`"):
        msgspec.convert({"mistyped": 1}, options)
    assert options.__struct_config__.frozen


@each_name
def test_every_option_is_described(name: str) -> None:
    assert undescribed(DATASETS[name].options) == []


def test_an_option_without_a_description_is_noticed() -> None:
    class Sample(msgspec.Struct):
        bare: int = 0
        described: Annotated[int, msgspec.Meta(description="a count")] = 0

    assert undescribed(Sample) == ["bare"]


@pytest.mark.parametrize("name", [name for name in DATASETS if DATASETS[name].where_to_get])
def test_an_empty_folder_is_data_missing_and_says_where_the_set_is_to_be_had(name: str, tmp_path: Path) -> None:
    definition = DATASETS[name]
    with pytest.raises(BackendError) as caught:
        definition.load(tmp_path, definition.options())
    assert caught.value.code == "data_missing"
    assert definition.where_to_get in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", [name for name in DATASETS if DATASETS[name].where_to_get])
def test_a_folder_that_is_not_there_or_is_a_file_is_called_so(name: str, tmp_path: Path) -> None:
    definition = DATASETS[name]
    file = tmp_path / "file"
    file.write_text("x")
    for place, said in [
        (tmp_path / "no where", f"{name}: there is no directory {tmp_path}/no where; "),
        (file, f"{name}: {file} is a file, and a directory is expected; "),
    ]:
        with pytest.raises(BackendError) as caught:
            definition.load(place, definition.options())
        assert caught.value.code == "data_missing"
        assert caught.value.message.startswith(said)
    with pytest.raises(BackendError, match=f"`ibatch data {name} --data '{tmp_path}/no where'`"):
        definition.load(tmp_path / "no where", definition.options())


def imported_modules(path: Path) -> set[str]:
    """The top-level modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_only_unpickle_imports_pickle() -> None:
    unpicklers: set[str] = {"pickle", "_pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}
    who: dict[str, Any] = {path.stem: imported_modules(path) & unpicklers for path in FOLDER.glob("*.py")}
    assert {stem: modules for stem, modules in who.items() if modules} == {"unpickle": {"pickle"}}
