"""The desk that TypeScript asks at: one function, JSON to JSON, and whatever happens is an answer."""

from __future__ import annotations

import json
import math
import traceback
from typing import Any

from py_backend.errors import BackendError

from .calls import CALLS, Desk

MOST_ANSWER_BYTES = 8 * 1024 * 1024

REFUSALS = (BackendError, FileNotFoundError)

_desk = Desk()


def rpc(text: str) -> str:
    """Request {"call", "on", "arguments"}; answer {"ok": value} or {"error": {"kind", "message", "traceback"}}.

    kind `refused`: what was given does not fit; `failed`: something raised. Never raises itself.
    """
    try:
        answer = to_json({"ok": answer_to(json.loads(text))})
        size = len(answer.encode())
        if size > MOST_ANSWER_BYTES:
            limit = f"{MOST_ANSWER_BYTES} at most are sent: ask for less, or through a file"
            raise BackendError("too_large", f"the answer has {size} bytes, {limit}")
        return answer
    except BaseException as error:  # also SystemExit and KeyboardInterrupt of the user's code
        return to_json({"error": describe(error)})


def answer_to(request: dict[str, Any]) -> Any:
    call = request.get("call")
    if call not in CALLS:
        raise BackendError("unknown_name", f"no call `{call}`; there are: {', '.join(CALLS)}")
    arguments = dict(request.get("arguments") or {})
    if request.get("on") is not None:
        arguments["on"] = request["on"]
    return CALLS[call](_desk, **arguments)


def describe(error: BaseException) -> dict[str, str]:
    text = str(error).strip()
    if isinstance(error, SystemExit):
        message = f"the code called sys.exit({error.code!r})"
    elif isinstance(error, REFUSALS):
        message = text
    else:
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return {
        "kind": "refused" if isinstance(error, REFUSALS) else "failed",
        "message": " ".join(message.split()),
        "traceback": "".join(traceback.format_exception(error)),
    }


def to_json(value: Any) -> str:
    """JSON has no NaN and no infinities: they are the strings that Python's and JavaScript's numbers print as."""
    return json.dumps(finite(value), allow_nan=False)


def finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def reset() -> None:
    """Forgets all objects."""
    global _desk
    _desk = Desk()
