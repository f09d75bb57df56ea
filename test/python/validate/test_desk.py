"""The desk answers whatever happens, in JSON that has no NaN and no more bytes than it may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from py_backend.errors import BackendError
from py_validate import desk


def ask(monkeypatch: pytest.MonkeyPatch, act: Any) -> Any:
    monkeypatch.setitem(desk.CALLS, "try", lambda _desk, **_arguments: act())
    return json.loads(desk.rpc(json.dumps({"call": "try", "on": None, "arguments": {}})))


def raising(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act


def test_values_that_json_lacks_are_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"a": [float("nan"), float("inf"), -float("inf"), 0.5]}
    assert ask(monkeypatch, lambda: values) == {"ok": {"a": ["NaN", "Infinity", "-Infinity", 0.5]}}


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ValueError("two\nlines"), "failed", "ValueError: two lines"),
        (SystemExit(3), "failed", "the code called sys.exit(3)"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt"),
        (BackendError("bad_option", "take another"), "refused", "take another"),
    ],
)
def test_what_is_raised_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, kind: str, message: str
) -> None:
    answer = ask(monkeypatch, raising(error))["error"]
    assert (answer["kind"], answer["message"]) == (kind, message)
    assert type(error).__name__ in answer["traceback"]


def test_an_answer_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ask(monkeypatch, lambda: [0.125] * 2_000_000)["error"]
    assert answer["kind"] == "refused"
    assert "8388608 at most" in answer["message"]


def test_an_unknown_call_and_what_cannot_be_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no call `nothing`" in json.loads(desk.rpc('{"call": "nothing"}'))["error"]["message"]
    assert json.loads(desk.rpc("no JSON"))["error"]["kind"] == "failed"
    assert "not JSON serializable" in ask(monkeypatch, object)["error"]["message"]
