"""The door to the user's code: from "package.module:callable" to what that names, and what is recorded of it.

Importing runs code, so only modules that were allowed when the process was started are imported, with their submodules.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from ..errors import BackendError
from ..messages import Imported


class Arguments(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """args: keyword arguments of what a reference names, as the JSON text of a map."""

    args: str = "{}"


ERROR_CHARACTERS = 500
"""Of what the user's code raised, in our line: torch lists all its kernels in some."""

_allowed: tuple[str, ...] = ()


def allow(modules: Iterable[str]) -> None:
    """Says, once and before anything is imported, which modules may be."""
    global _allowed
    _allowed = tuple(modules)


def import_callable(reference: str) -> Callable[..., Any]:
    """What the reference names. Raises BackendError (not_allowed, module_missing, bad_reference)."""
    module_name, path = split(reference)
    if not any(module_name == name or module_name.startswith(f"{name}.") for name in _allowed):
        raise BackendError(
            "not_allowed",
            f"{reference} runs code of module {module_name}, which was not allowed: start with --allow-import "
            f"{module_name}",
            module=module_name,
        )
    found: Any = import_module(reference, module_name)
    at = module_name
    for name in path.split("."):
        if not hasattr(found, name):
            raise BackendError("bad_reference", f"{reference}: {at} has no `{name}`{did_you_mean(name, found)}")
        found, at = getattr(found, name), f"{at}.{name}"
    if not callable(found):
        raise BackendError("bad_reference", f"{reference} is a {type(found).__name__}, expected something to call")
    called: Callable[..., Any] = found
    return called


def split(reference: str) -> tuple[str, str]:
    """Module and callable. Raises BackendError (bad_reference)."""
    module_name, colon, path = reference.partition(":")
    if colon and all(part.isidentifier() for name in (module_name, path) for part in name.split(".")):
        return module_name, path
    raise BackendError(
        "bad_reference",
        f"`{reference}` is no reference: package.module:callable is expected, as torchvision.models:vgg11",
    )


def import_module(reference: str, name: str) -> ModuleType:
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            raise BackendError(
                "module_missing",
                f"{reference}: {sys.executable} finds no module `{missing}`: name its folder with --python-path, or a "
                "Python that has it with --python",
                module=missing,
            ) from None
        raise failed(reference, f"importing {name} needs module `{missing}`, which is not there", error) from None
    except Exception as error:
        raise failed(reference, f"importing {name} failed", error) from None


def call(reference: str, function: Callable[..., Any], *given: Any, **args: Any) -> Any:
    """What the user's callable returns. Raises BackendError (bad_reference) with what it raised."""
    try:
        return function(*given, **args)
    except BackendError:
        raise
    except Exception as error:
        shown = ", ".join(f"{name}={value!r}" for name, value in args.items())
        raise failed(reference, f"calling it with ({shown}) failed", error) from None


def keywords(reference: str, text: str) -> dict[str, Any]:
    """Keyword arguments from their JSON text, in which 1.0 is a float, an integer may be of any size, and NaN, Infinity
    and -Infinity are numbers. Raises BackendError (bad_option)."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BackendError("bad_option", f"{reference}: its arguments are no JSON: {error}") from None
    if not isinstance(given, dict):
        raise BackendError("bad_option", f"{reference}: its arguments are a {type(given).__name__}, expected a map")
    return given


def failed(reference: str, what: str, error: Exception) -> BackendError:
    """The error in a line; where it was raised is on standard error."""
    traceback.print_exception(error, file=sys.stderr)
    return in_a_line(reference, what, error)


def in_a_line(reference: str, what: str, error: Exception) -> BackendError:
    text = " ".join(str(error).split())
    text = text if len(text) <= ERROR_CHARACTERS else f"{text[:ERROR_CHARACTERS]} …"
    return BackendError("bad_reference", f"{reference}: {what}: {type(error).__name__}: {text}")


def did_you_mean(name: str, owner: object) -> str:
    near = difflib.get_close_matches(name, dir(owner), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def describe(reference: str) -> Imported:
    """What is recorded of a reference that was imported: its module's file and that file's hash, and the version of the
    distribution that it came with."""
    module_name, _ = split(reference)
    file = getattr(sys.modules.get(module_name), "__file__", None)
    return Imported(
        reference=reference,
        file=file,
        version=version_of(module_name.partition(".")[0]),
        sha256=None if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest(),
    )


def version_of(package: str) -> str | None:
    distributions: Mapping[str, list[str]] = metadata.packages_distributions()
    names = distributions.get(package)
    return metadata.version(names[0]) if names else None
