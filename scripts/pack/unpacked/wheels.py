"""Prints, for PYTHONPATH, the folders with what this Python lacks of what ibatch needs; what it has stays its own.

Reads ../packed.json, which `npm run pack` wrote. Says on standard error in a line what does not fit, and ends with 4.
Runs on Python 3.7, too, for that line.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import sys
import sysconfig
from typing import Any

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAME_ANOTHER = "Name another with IBATCH_PYTHON or --python"
LEAST = (3, 10)


def main() -> int:
    # what lies beside this file is not what the environment has
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != os.path.join(HERE, "packed")]
    with open(os.path.join(HERE, "packed.json"), encoding="utf-8") as file:
        packed = json.load(file)
    mistake = wrong_machine(packed) or wrong_python()
    folders: list[str] = []
    if mistake is None:
        mistake = left_out(packed)
    if mistake is None:
        missing = [wheel for wheel in packed["wheels"] if not has(wheel["module"])]
        folders, mistake = fitting(missing, packed["pythons"])
    if mistake is not None:
        sys.stderr.write(f"ibatch: {mistake}\n")
        return 4
    print(os.pathsep.join(os.path.join(HERE, "wheels", folder) for folder in folders))
    return 0


def wrong_machine(packed: dict[str, Any]) -> str | None:
    seen, expected = f"{platform.system()} {platform.machine()}", f"Linux {packed['machine']}"
    if seen != expected:
        return (
            f"this machine is {seen}. Expected: {expected}, for which the archive was made. "
            "Make another one with npm run pack -- --node PATH, the Node of such a machine."
        )
    library = c_library()
    if library is not None and library >= number(packed["glibc"]):
        return None
    seen = "another C library than glibc" if library is None else "glibc " + ".".join(map(str, library))
    return f"this machine has {seen}. Expected: glibc {packed['glibc']} or newer. Take another one, or a container."


def c_library() -> tuple[int, ...] | None:
    """glibc's version, or None where it is another library."""
    try:
        name, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    except (AttributeError, OSError, ValueError):
        return None
    return number(version) if name == "glibc" else None


def wrong_python() -> str | None:
    if sys.version_info < LEAST:
        return f"{this_python()}. Expected: Python 3.10 to 3.13 with torch. {NAME_ANOTHER}."
    if not has("torch"):
        return f"{this_python()}, and has no torch. Expected: torch 2.8 or newer. {NAME_ANOTHER}."
    return None


def left_out(packed: dict[str, Any]) -> str | None:
    """What is wrong where the archive was made without something that this Python lacks, too."""
    there = {wheel["module"] for wheel in packed["wheels"]}
    lacking = [module for module in packed["needs"] if module not in there and not has(module)]
    if not lacking:
        return None
    names = ", ".join(lacking)
    return (
        f"{this_python()}, and has no {names}, nor has this archive. Expected: one that has it. {NAME_ANOTHER}, "
        f"or make the archive anew without --without {names}."
    )


def fitting(missing: list[dict[str, Any]], pythons: list[str]) -> tuple[list[str], str | None]:
    """Of each missing module the folder for this Python; or what is wrong where one that is needed has none."""
    found: dict[str, str] = {}
    for wheel in missing:
        if fits(wheel["python"], wheel["abi"]):
            found.setdefault(wheel["module"], wheel["folder"])
    needed = sorted({wheel["module"] for wheel in missing if wheel["needed"]} - set(found))
    if not needed:
        return list(found.values()), None
    version = ".".join(map(str, sys.version_info[:2]))
    return [], (
        f"{this_python()}, and has no {', '.join(needed)}. Expected: Python {' or '.join(pythons)}, for which this "
        f"archive has them, or one that has them. {NAME_ANOTHER}, or make the archive anew with "
        f"npm run pack -- --python-version {version}."
    )


def fits(python: str, abi: str) -> bool:
    """Whether a wheel with these tags runs on this Python."""
    own = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    if abi == "none":
        return "py3" in python.split(".") or own in python.split(".")
    if abi == "abi3":
        return not is_free_threaded() and python.startswith("cp3") and int(python[3:]) <= sys.version_info[1]
    return python == own and abi == own + ("t" if is_free_threaded() else "")


def is_free_threaded() -> bool:
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def this_python() -> str:
    version = ".".join(map(str, sys.version_info[:3])) + (", free-threaded" if is_free_threaded() else "")
    return f"{sys.executable} is Python {version}"


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


if __name__ == "__main__":
    sys.exit(main())
