"""Whose failure it is, wherever users' code is called: theirs, ours, or the machine's that has no memory left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from py_backend.asked import error_packet
from py_backend.errors import BackendError
from py_backend.messages import Chosen, Named
from py_backend.references import importing
from py_backend.references.whose import Telling

MODELS = (Path(__file__).parent / "references/team_models.py").read_text()
FAILS = "def fail(*_, **__): raise ERROR"
AT_IMPORT = "raise ERROR"
ON_THE_WAY = "def __getattr__(name): raise ERROR"
MODEL_CALLED = f"{FAILS}\nMade = fail"
MODEL_TRIED = f"{MODELS}\n{FAILS}\nclass Made(Net): forward = fail"
LOSS_CALLED = f"{FAILS}\nclass Made: __init__ = fail"
LOSS_TRIED = f"{FAILS}\nclass Made: __call__ = fail"
DATA_CALLED = f"{FAILS}\nMade = fail"
DATA_READ = (
    f"{FAILS}\nclass Items:\n    __len__ = lambda _: 3\n    __getitem__ = fail\ndef Made(): return Items(), Items()"
)
DATA_SIZED = f"{FAILS}\nclass Items:\n    __len__ = fail\n    __getitem__ = fail\ndef Made(): return Items(), Items()"

PLACES = [
    *((part, source) for part in ("model", "loss", "dataset") for source in (AT_IMPORT, ON_THE_WAY)),
    *(("model", source) for source in (MODEL_CALLED, MODEL_TRIED)),
    *(("loss", source) for source in (LOSS_CALLED, LOSS_TRIED)),
    *(("dataset", source) for source in (DATA_CALLED, DATA_READ, DATA_SIZED)),
]


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_run: Callable[..., Any]
) -> Iterator[Callable[[str, str], BackendError]]:
    """refused(part, source): how a run is refused whose model, loss or dataset is `Made` of that source."""
    monkeypatch.syspath_prepend(str(tmp_path))
    importing.allow(["whose_own"], [str(tmp_path)])

    def refusal(part: str, source: str) -> BackendError:
        (tmp_path / "whose_own.py").write_text(source)
        name = "whose_own:Made"
        chosen = Named(name=name, options={}) if part == "loss" else Chosen(origin="import", name=name, options={})
        with pytest.raises(BackendError) as caught:
            open_run(**{part: chosen})
        return caught.value

    yield refusal
    importing.allow([])
    sys.modules.pop("whose_own", None)


@pytest.mark.parametrize(("part", "source"), PLACES)
def test_a_users_mistake_is_theirs_wherever_it_is_raised(
    refused: Callable[[str, str], BackendError], part: str, source: str
) -> None:
    error = refused(part, source.replace("ERROR", "ValueError('two\\nlines')"))
    assert error.code == "bad_reference"
    assert error.message.startswith("whose_own:Made: ") and error.message.endswith("ValueError: two lines")


@pytest.mark.parametrize(("part", "source"), PLACES)
def test_want_of_memory_is_no_mistake_of_the_users_wherever_it_is_raised(
    refused: Callable[[str, str], BackendError], part: str, source: str
) -> None:
    assert refused(part, source.replace("ERROR", "MemoryError('no room')")).code == "out_of_memory"


def test_without_a_reference_it_is_ours() -> None:
    with pytest.raises(ValueError, match="ours"), Telling(None, "it failed"):
        raise ValueError("ours")


def test_where_it_was_raised_is_on_standard_error_once_it_is_told(
    refused: Callable[[str, str], BackendError], capfd: pytest.CaptureFixture[str]
) -> None:
    error = refused("model", MODEL_TRIED.replace("ERROR", "ValueError('theirs')"))
    assert "Traceback" not in capfd.readouterr().err
    error_packet(1, error)
    assert capfd.readouterr().err.count("Traceback") == 1
