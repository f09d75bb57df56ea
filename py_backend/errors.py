"""The one error of the backend, and the closed list of its codes (docs/PROTOCOL.md, section "Errors")."""

from __future__ import annotations

import sys
import traceback
from typing import Any, Literal, get_args

ErrorCode = Literal[
    # the message itself
    "too_large",
    "bad_message",
    "bad_version",
    "unknown_type",
    "bad_field",
    "bad_array",
    # what it asks for
    "unknown_name",
    "bad_option",
    "not_allowed",
    "module_missing",
    "bad_reference",
    "bad_index",
    "data_missing",
    "data_damaged",
    "no_device",
    "no_shared_memory",
    # the session it names
    "unknown_session",
    "session_busy",
    "session_failed",
    "step_gap",
    "step_conflict",
    "hash_mismatch",
    "bad_state",
    # the process
    "out_of_memory",
    "device_broken",
    "cancelled",
    "shutting_down",
    "internal",
]

ERROR_CODES: tuple[str, ...] = get_args(ErrorCode)


class BackendError(Exception):
    """An answer of the form {type: "error", code, message, details}.

    `message` is one line for a person: what was seen, what was expected, what to do.
    `details` holds the same facts for a program: strings, numbers, booleans, lists and maps of these.
    """

    def __init__(self, code: ErrorCode, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.details = details


def print_cause(error: BackendError) -> None:
    """Where code of the user's raised what is told is on standard error."""
    if error.code == "bad_reference" and error.__cause__ is not None:
        traceback.print_exception(error.__cause__, file=sys.stderr)
