"""The door to the user's code: from "package.module:callable" to what that names, and what is recorded of it.

Importing runs code, so only modules that were allowed when the process was started are imported, with their submodules.
"""

from __future__ import annotations

import difflib
import importlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from ..errors import BackendError
from ..listed import listed
from ..messages import CodeFile, Imported
from .own_code import hash_on_disk, own_code
from .whose import RAISED, Telling, in_a_line


class Arguments(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """args: keyword arguments of what a reference names, as the JSON text of a map."""

    args: str = "{}"


_allowed: tuple[str, ...] = ()


def allow(modules: Iterable[str], directories: Iterable[str] = ()) -> None:
    """Says, once and before anything is imported, which modules may be, and in which directories the user's lie."""
    global _allowed
    _allowed = tuple(modules)
    own_code.watch(directories)


def import_callable(reference: str) -> Callable[..., Any]:
    """What the reference names: every module on the way, and the one that the callable says it is from, must be below
    an allowed name, or an allowed module must list it in its `__all__`.

    Raises BackendError (not_allowed, module_missing, bad_reference).
    """
    refuse_not_allowed([reference])
    module_name, path = split(reference)
    owner: Any = import_module(reference, module_name)
    at = module_name
    *way, last = path.split(".")
    for name in way:
        found = attribute(reference, at, owner, name)
        if isinstance(found, ModuleType):
            refuse_foreign(reference, owner, name, found)
        owner, at = found, f"{at}.{name}"
    called: Any = attribute(reference, at, owner, last)
    if not callable(called):
        raise BackendError("bad_reference", f"{reference} is a {type(called).__name__}, expected something to call")
    refuse_foreign(reference, owner, last, called)
    named: Callable[..., Any] = called
    return named


def is_allowed(module: str | None) -> bool:
    return module is not None and any(module == name or module.startswith(f"{name}.") for name in _allowed)


def refuse_not_allowed(references: Sequence[str]) -> None:
    """Raises BackendError (not_allowed, bad_reference) naming all modules of these references that are missing."""
    missing = {split(reference)[0]: reference for reference in references if not is_allowed(split(reference)[0])}
    if not missing:
        return
    flags = " ".join(f"--allow-import {module}" for module in missing)
    runs = "runs code of a module that was" if len(missing) == 1 else "run code of modules that were"
    raise BackendError(
        "not_allowed",
        f"{', '.join(missing.values())} {runs} not allowed: start the backend with {flags}",
        modules=list(missing),
    )


def attribute(reference: str, at: str, owner: object, name: str) -> Any:
    """What a step of the way leads to; a module may load it only now."""
    if name.startswith("_"):
        whose = "Python's own" if name.startswith("__") else "private to its module"
        raise BackendError("bad_reference", f"{reference}: `{name}` is {whose}, and may lead to more than was allowed")
    with Telling(reference, f"loading {at}.{name} failed"):
        try:
            return getattr(owner, name)
        except AttributeError:
            what = f"{reference}: {at} has no `{name}`{did_you_mean(name, owner)}"
            raise BackendError("bad_reference", what) from None


def refuse_foreign(reference: str, owner: object, name: str, found: object) -> None:
    """Raises BackendError (not_allowed) where this is neither from an allowed module nor what one exports."""
    home = home_of(found)
    if is_allowed(home) or (isinstance(owner, ModuleType) and is_allowed(owner.__name__) and exports(owner, name)):
        return
    where = "does not say from which module it is" if home is None else f"is from module {home}, which was not allowed"
    allow_it = "" if home is None else f"allow it with --allow-import {home}, or "
    exporter = owner.__name__ if isinstance(owner, ModuleType) else split(reference)[0]
    raise BackendError("not_allowed", f"{reference}: `{name}` {where}: {allow_it}name it in {exporter}.__all__")


def exports(module: ModuleType, name: str) -> bool:
    return name in getattr(module, "__all__", ())


def home_of(found: object) -> str | None:
    """The module that it says it is from; of an object that is called, its class's."""
    if isinstance(found, ModuleType):
        return found.__name__
    if isinstance(found, partial):
        return home_of(found.func)
    module = getattr(found, "__module__", None)
    return module if isinstance(module, str) else None


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
    before = set(sys.modules)
    if name not in before:  # said first: it may end this process
        print(f"py_backend: importing {name} for {reference}", file=sys.stderr, flush=True)
    try:
        importlib.invalidate_caches()
        with Telling(reference, f"importing {name} failed"):
            try:
                return importlib.import_module(name)
            except ModuleNotFoundError as error:
                raise missing_module(reference, name, error) from error
    except RAISED:
        forget_own(set(sys.modules) - before)
        raise


def forget_own(modules: Iterable[str]) -> None:
    """What an import that failed brought along is read anew by the next one: it may have been mended by then."""
    for name in modules:
        if own_code.executed.pop(name, None) is not None:
            sys.modules.pop(name, None)


def missing_module(reference: str, name: str, error: ModuleNotFoundError) -> BackendError:
    missing = error.name or name
    if name == missing or name.startswith(f"{missing}."):
        return BackendError(
            "module_missing",
            f"{reference}: {sys.executable} finds no module `{missing}`: name its folder with --python-path, or a "
            "Python that has it with --python",
            module=missing,
        )
    return in_a_line(reference, f"importing {name} needs module `{missing}`, which is not there", error)


def call(reference: str, function: Callable[..., Any], *given: Any, **args: Any) -> Any:
    """What the user's callable returns. Raises BackendError (bad_reference) with what it raised."""
    shown = ", ".join(f"{name}={value!r}" for name, value in args.items())
    with Telling(reference, f"calling it with ({shown}) failed"):
        return function(*given, **args)


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


def did_you_mean(name: str, owner: object) -> str:
    near = difflib.get_close_matches(name, dir(owner), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def describe(reference: str) -> Imported:
    """What is recorded of a reference that was imported: its module's file and that file's hash, and the version of the
    distribution that it came with."""
    module_name, _ = split(reference)
    executed = own_code.executed.get(module_name)
    file = executed.file if executed else getattr(sys.modules.get(module_name), "__file__", None)
    return Imported(
        reference=reference,
        file=file,
        version=version_of(module_name.partition(".")[0]),
        sha256=executed.sha256 if executed else file and hash_on_disk(Path(file)),
    )


def code_of(references: Sequence[str]) -> list[CodeFile]:
    """All of the user's code that these reach by now: imports may come late, so ask when everything is built."""
    named = [split(reference)[0] for reference in references]
    needed = [name for reference in references for name in own_code.needed_for(reference)]
    return own_code.reached([*named, *needed], _allowed)


def refuse_edited(reference: str) -> None:
    """For processes that would import its code again. Raises BackendError (bad_reference) naming what changed."""
    edited = own_code.edited(code_of([reference]))
    if edited:
        raise BackendError(
            "bad_reference",
            f"{reference}: {listed(edited)} changed after it was imported, and worker processes would import what "
            "it is now: start again, with a backend that is started anew",
        )


def version_of(package: str) -> str | None:
    distributions: Mapping[str, list[str]] = metadata.packages_distributions()
    names = distributions.get(package)
    return metadata.version(names[0]) if names else None
