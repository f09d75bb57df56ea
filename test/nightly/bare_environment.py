"""Makes an environment with torch and what that requires, by links, and nothing else: `bare_environment.py FOLDER`."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import sysconfig
import venv
from pathlib import Path


def closure(name: str, seen: dict[str, importlib.metadata.Distribution]) -> dict[str, importlib.metadata.Distribution]:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:  # required elsewhere: of another system, or another Python
        return seen
    key = found.metadata["Name"].lower()
    if key not in seen:
        seen[key] = found
        for requirement in found.requires or []:
            if "extra ==" not in requirement:
                closure(re.split(r"[^\w.-]", requirement)[0], seen)
    return seen


def main(folder: Path) -> None:
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python3*/site-packages")
    for distribution in closure("torch", {}).values():
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            source = Path(str(distribution.locate_file(top))).resolve()
            if not (site / top).is_symlink():
                (site / top).symlink_to(source)


if __name__ == "__main__":
    assert sysconfig.get_platform().startswith("linux")
    main(Path(sys.argv[1]))
