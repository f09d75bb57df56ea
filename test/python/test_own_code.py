"""What of users' code is hashed: what was executed, all that a reference reaches, and nothing else."""

from __future__ import annotations

import builtins
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from py_backend.errors import BackendError
from py_backend.messages import Chosen, Named
from py_backend.references import importing, own_code
from py_backend.references.asked_imports import PYTHONS

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes modules of the user's, of which `team` is allowed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    importing.allow(["team"], [str(tmp_path)])

    def put(**sources: str) -> None:
        for name, source in sources.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(source)

    yield put
    importing.allow([])
    for name in [name for name in sys.modules if name.partition(".")[0] in ("team", "beside", "lookup")]:
        del sys.modules[name]
        own_code.own_code.executed.pop(name, None)


def reached(*references: str) -> dict[str, str]:
    for reference in references:
        importing.import_callable(reference)
    return {part.module: part.sha256 for part in importing.code_of(references)}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


MODEL = "from .layers import WIDTH\nimport beside\nfrom torch import nn\nclass Net(nn.Linear): ..."


def test_a_helper_that_gives_a_number_alone_is_hashed(write: Write) -> None:
    write(team__layers="WIDTH = 64", team__models=MODEL, team__other="", beside="")
    importing.import_callable("team.models:Net")
    importing.import_module("team.other:x", "team.other")
    assert reached("team.models:Net") == {
        "team.models": sha256(MODEL),
        "team.layers": sha256("WIDTH = 64"),
        "beside": sha256(""),
    }


@pytest.mark.parametrize(
    "line",
    [
        "import team.parts.depth",
        "from team.parts import depth",
        "from .parts import depth",
        "from .parts.depth import DEPTH",
        "from .parts import *",
        "def f():\n    from .parts import depth\nf()",
        "import importlib\nimportlib.import_module('team.parts.depth')",
        "__import__('team.parts.depth')",
        "exec('import team.parts.depth')",
    ],
)
def test_every_way_to_import_is_followed(write: Write, line: str) -> None:
    write(team__models=f"{line}\nclass Net: ...", team__parts="")
    (Path(sys.path[0]) / "team/parts.py").unlink()
    (Path(sys.path[0]) / "team/parts").mkdir()
    (Path(sys.path[0]) / "team/parts/__init__.py").write_text("__all__ = ['depth']")
    (Path(sys.path[0]) / "team/parts/depth.py").write_text("DEPTH = 3")
    assert reached("team.models:Net")["team.parts.depth"] == sha256("DEPTH = 3")
    assert "team.parts" in reached("team.models:Net")


def test_another_reference_that_imports_by_name_what_was_loaded_before_reaches_it(write: Write) -> None:
    line = "import importlib\nlayers = importlib.import_module('team.layers')\nclass Net: ..."
    write(team__a=line, team__b=line, team__layers="WIDTH = 1")
    reached("team.a:Net")
    assert "team.layers" in reached("team.b:Net")


def test_the_source_that_was_executed_is_hashed_and_not_what_lies_there_now(write: Write, tmp_path: Path) -> None:
    write(team__models="WIDTH = 1\nclass Net: ...")
    before = reached("team.models:Net")
    write(team__models="WIDTH = 2\nclass Net: ...")
    assert reached("team.models:Net") == before == {"team.models": sha256("WIDTH = 1\nclass Net: ...")}
    code = importing.code_of(["team.models:Net"])
    assert own_code.own_code.edited(code) == [str(tmp_path / "team/models.py")]
    with pytest.raises(BackendError, match=r"team/models\.py changed after it was imported"):
        importing.refuse_edited("team.models:Net")
    (tmp_path / "team/models.py").unlink()
    assert own_code.own_code.edited(code) == [str(tmp_path / "team/models.py")]


def test_no_stale_bytecode_is_executed(write: Write, tmp_path: Path) -> None:
    """Python takes a .pyc for current where size and second of change agree."""
    source = tmp_path / "team/models.py"
    write(team__models="def width(): return 1")
    os.utime(source, (1_000_000_000, 1_000_000_000))
    import py_compile

    py_compile.compile(str(source))
    write(team__models="def width(): return 2")
    os.utime(source, (1_000_000_000, 1_000_000_000))
    assert importing.import_callable("team.models:width")() == 2
    assert reached("team.models:width") == {"team.models": sha256("def width(): return 2")}


def test_of_an_installed_package_that_is_allowed_every_source_counts(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site/installed_team"
    package.mkdir(parents=True)
    for name, text in (("__init__", ""), ("layers", "WIDTH = 1"), ("models", "class Net: ...")):
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(own_code, "INSTALLED", (*own_code.INSTALLED, tmp_path / "site"))
    importing.allow(["installed_team", "torch.nn"], [str(tmp_path)])
    importing.import_callable("installed_team.models:Net")
    (code,) = importing.code_of(["installed_team.models:Net", "torch.nn:Linear"])
    assert (code.module, code.file) == ("installed_team", str(package))
    assert own_code.own_code.edited([code]) == []
    (package / "layers.py").write_text("WIDTH = 2")
    assert own_code.own_code.edited([code]) == [str(package)]


def test_what_python_has_and_what_is_installed_is_not_the_users(write: Write) -> None:
    write(team__models="import json, numpy, msgspec\nfrom torch import nn\nclass Net: ...")
    assert list(reached("team.models:Net")) == ["team.models"]


def test_workers_are_not_started_on_other_code_of_the_dataset(
    write: Write, open_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (Path(__file__).parent / "references/team_data.py").read_text()
    write(team__data=source)
    dataset = Chosen(
        origin="import",
        name="team.data:both",
        options={"args": '{"kind": "ByteItems"}', "load": "fetch", "workers": 1},
    )
    run = open_run(dataset=dataset)
    run.host._resident[1].end_workers()
    write(team__data=f"{source}\n")
    with pytest.raises(BackendError, match=r"team/data\.py changed after it was imported, and worker processes"):
        run.losses([[1, 2]])


def test_open_says_what_was_executed(write: Write, open_run: Callable[..., Any]) -> None:
    source = (Path(__file__).parent / "references/team_models.py").read_text()
    write(team__layers="CLASSES = 3", team__models=f"{source}\nfrom .layers import CLASSES\n")
    opened = open_run(model=Chosen(origin="import", name="team.models:Net", options={})).opened.body
    assert [part.module for part in opened.code] == ["team.layers", "team.models"]
    assert opened.edited == []
    write(team__layers="CLASSES = 4")
    opened = open_run(model=Chosen(origin="import", name="team.models:Net", options={})).opened.body
    assert [Path(file).name for file in opened.edited] == ["layers.py"]
    assert {part.module: part.sha256 for part in opened.code}["team.layers"] == sha256("CLASSES = 3")


def test_what_a_library_imports_by_the_name_it_is_given_is_hashed(write: Write) -> None:
    located = "from lookup import located\nNet = located('beside.Net')\ndef make(): return Net(1, 1)"
    lookup = "def located(path):\n    module, _, name = path.rpartition('.')\n    return getattr(FIND(module), name)"
    library = lookup.replace("FIND", "__builtins__['__imp' + 'ort__']")
    write(team__models=located, lookup=library, beside="from torch import nn\nclass Net(nn.Linear): ...")
    with own_code.own_code.executing_for(["team.models:make"]):
        importing.import_callable("team.models:make")
    assert {"team.models", "lookup", "beside"} <= reached("team.models:make").keys()


LOOKUP = """
def located(path):
    module, _, name = path.rpartition(".")
    return getattr(__builtins__["__imp" + "ort__"](module), name)
"""
BESIDE = "class Net: ..."


def needed(reference: str) -> set[str]:
    """The modules of its code, after it was imported and called as for a run."""
    with own_code.own_code.executing_for([reference]):
        importing.import_callable(reference)()
    return reached(reference).keys()


@pytest.mark.parametrize(
    "source",
    [
        "from lookup import located\nmake = located('beside.Net')",
        "from lookup import located\ndef make(): return located('beside.Net')",
        "import pickletools\nmake = pickletools.pickle.loads(b'cbeside\\nNet\\n.')",
        "import zipimport\nmake = zipimport._bootstrap._gcd_import('beside').Net\nmake.__module__ = 'team.b'",
    ],
    ids=["as it is imported", "as it is called", "from a pickle", "by Python's own import"],
)
def test_what_another_reference_loaded_first_is_hashed_for_each_that_asks_for_it(write: Write, source: str) -> None:
    write(team__a=source, team__b=source, team__c="def make(): ...", lookup=LOOKUP, beside=BESIDE)
    importing.allow(["team", "beside"], [sys.path[0]])
    for reference in ("team.a:make", "team.b:make"):
        assert "beside" in needed(reference)
    assert needed("team.c:make") == {"team.c"}


def test_what_a_module_asked_for_is_hashed_for_all_that_it_makes(write: Write) -> None:
    source = "from lookup import located\nNet = located('beside.Net')\ndef small(): ...\ndef large(): ..."
    write(team__models=source, team__b="from .models import large", lookup=LOOKUP, beside=BESIDE)
    for reference in ("team.models:small", "team.models:large", "team.b:large"):
        assert "beside" in needed(reference)


def test_what_one_reference_of_a_run_loads_is_not_the_others(write: Write, open_run: Callable[..., Any]) -> None:
    data, models = ((Path(__file__).parent / f"references/team_{name}.py").read_text() for name in ("data", "models"))
    loss = (
        "from torch.nn import functional as F\nfrom lookup import located\n"
        "def loss(logits, labels):\n    located('beside.Net')\n"
        "    return F.cross_entropy(logits, labels, reduction='none')"
    )
    write(team__data=data, team__models=f"{models}\nfrom .layers import CLASSES", team__layers="CLASSES = 3")
    write(team__losses=loss, lookup=LOOKUP, beside=BESIDE)
    names = {"dataset": "team.data:arrays", "model": "team.models:Net", "loss": "team.losses:loss"}
    dataset, model = (Chosen(origin="import", name=names[what], options={}) for what in ("dataset", "model"))
    opened = open_run(dataset=dataset, model=model, loss=Named(name=names["loss"], options={})).opened.body
    own = {what: {part.module for part in importing.code_of([name])} for what, name in names.items()}
    assert own == {
        "dataset": {"team.data"},
        "model": {"team.models", "team.layers"},
        "loss": {"team.losses", "lookup", "beside"},
    }
    assert {part.module for part in opened.code} == set.union(*own.values())
    write(team__models="edited = 1", beside="edited = 1")
    importing.refuse_edited(names["dataset"])
    with pytest.raises(BackendError, match=r"beside\.py changed"):
        importing.refuse_edited(names["loss"])


def test_imports_are_python_s_again_when_a_run_is_open(write: Write) -> None:
    before = builtins.__import__, PYTHONS._gcd_import
    write(team__a="def make(): raise ValueError")
    with pytest.raises(ValueError, match=r"^$"):
        needed("team.a:make")
    assert (builtins.__import__, PYTHONS._gcd_import) == before
