"""The user's code as it was executed: hashed at import, followed from a reference, compared with the disk.

The user's own is every Python source that is neither Python's, nor installed, nor ours. It is compiled from the very
bytes that are hashed, never from a cached `.pyc`, which Python takes for current where size and second of change agree.
Of what is installed, the allowed modules are hashed as a whole; torch is known by its version.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from ..messages import CodeFile
from .asked_imports import watching_imports

OURS = Path(__file__).resolve().parent.parent
SOURCE_SUFFIXES = {".py", ".so", ".pyd"}
IMPORTS_BY_NAME = {
    *("importlib", "import_module", "__import__", "exec", "eval", "runpy", "pkgutil"),
    *("pydoc", "hydra", "omegaconf", "pickle", "cloudpickle", "dill", "joblib", "pkg_resources"),
}
"""Names in a source with which it may import what its import statements do not say."""
ALL_OF = ".*"


@dataclass(frozen=True)
class Executed:
    """A source of the user's: its file, the SHA-256 of what was executed, and the modules that it may have imported."""

    file: str
    sha256: str
    imports: frozenset[str]
    imports_by_name: bool


class OwnCode(MetaPathFinder):
    """Sees every import of this process from `watch` on. `executed`: the user's modules, by name."""

    def __init__(self) -> None:
        self.executed: dict[str, Executed] = {}
        self._asked_by: dict[str, set[str]] = {}
        """By module: what was asked for while it was executed."""
        self._needed_for: dict[str, set[str]] = {}
        """By reference."""
        self._called: list[tuple[str, ...]] = []
        """References whose code is called just now, the innermost last; none where nobody watches."""
        self._under_way: list[str] = []
        self._installed: dict[str, CodeFile] = {}
        self._named_directories: tuple[Path, ...] = ()

    def watch(self, directories: Iterable[str]) -> None:
        """directories: where the user's modules are, wherever these lie."""
        self._named_directories = tuple(Path(os.path.abspath(directory)) for directory in directories)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is not None and type(spec.loader) is SourceFileLoader and self._is_own(spec.loader.path):
            spec.loader = Executing(fullname, spec.loader.path, self)
        return spec

    @contextmanager
    def executing_for(self, references: Iterable[str]) -> Iterator[None]:
        """What is executed or asked for meanwhile belongs to these references, or to the one that is called within (see
        `entering`), whoever loaded it first, and however it is imported: by a library that is given its name, from a
        pickle."""
        self._called.append(tuple(references))
        try:
            with watching_imports(self._asked):
                yield
        finally:
            self._called.clear()

    def entering(self, reference: str | None) -> None:
        """Code of this reference is called, until `leaving`; None: of whichever is called already."""
        if self._called:
            self._called.append(self._called[-1] if reference is None else (reference,))

    def leaving(self) -> None:
        if len(self._called) > 1:
            self._called.pop()

    def _asked(self, name: str) -> None:
        if self._under_way:
            self._asked_by[self._under_way[-1]].add(name)
        else:
            self._credit(name)

    def _credit(self, name: str) -> None:
        for reference in self._called[-1] if self._called else ():
            self._needed_for.setdefault(reference, set()).add(name)

    @contextmanager
    def executing(self, name: str) -> Iterator[None]:
        """What is asked for meanwhile is asked for by this module of the user's."""
        self._credit(name)
        self._asked_by[name] = set()
        self._under_way.append(name)
        try:
            yield
        finally:
            self._under_way.remove(name)

    def needed_for(self, reference: str) -> set[str]:
        """The user's modules that were executed for it, or asked for."""
        return self._needed_for.get(reference, set()) & self.executed.keys()

    def reached(self, modules: Iterable[str], allowed: Sequence[str]) -> list[CodeFile]:
        """What these modules' code consists of, by module: their files, and those of all that they import."""
        found: dict[str, CodeFile] = {}
        waiting = [name for module in modules for name in with_parents(module)]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            if (executed := self.executed.get(name)) is not None:
                found[name] = CodeFile(module=name, file=executed.file, sha256=executed.sha256)
                waiting.extend(self._imported_by(executed))
                waiting.extend(part for asked in self._asked_by.get(name, ()) for part in with_parents(asked))
            elif (installed := self._installed_code(name, allowed)) is not None:
                found[installed.module] = installed
        return [found[name] for name in sorted(found)]

    def edited(self, code: Iterable[CodeFile]) -> list[str]:
        """The files, or folders, that are no longer what was imported."""
        return [part.file for part in code if hash_on_disk(Path(part.file)) != part.sha256]

    def _is_own(self, file: str) -> bool:
        """A folder of installed modules may lie within a named one, as an environment does, or the other way round."""
        path = Path(os.path.abspath(file))
        named, others = (depth(path, within) for within in (self._named_directories, (OURS, *INSTALLED)))
        return named > others or others == 0

    def _imported_by(self, executed: Executed) -> Iterator[str]:
        if executed.imports_by_name:
            yield from self.executed
        for name in executed.imports:
            if name.endswith(ALL_OF):
                package = name.removesuffix(ALL_OF)
                yield from (other for other in self.executed if other.rpartition(".")[0] == package)
            yield from with_parents(name.removesuffix(ALL_OF))

    def _installed_code(self, name: str, allowed: Sequence[str]) -> CodeFile | None:
        """That of the allowed module to which this one belongs, hashed when it is first asked for."""
        top = next((top for top in allowed if name == top or name.startswith(f"{top}.")), None)
        if top is None or top.partition(".")[0] == "torch" or top in self.executed:
            return None
        file = getattr(sys.modules.get(top), "__file__", None)
        if file is None:
            return None
        if top not in self._installed:
            place = Path(file).parent if hasattr(sys.modules[top], "__path__") else Path(file)
            sha256 = hash_on_disk(place)
            if sha256 is None:
                return None
            self._installed[top] = CodeFile(module=top, file=str(place), sha256=sha256)
        return self._installed[top]


class Executing(SourceFileLoader):
    """Executes a source, and says what it was."""

    def __init__(self, fullname: str, path: str, own_code: OwnCode) -> None:
        super().__init__(fullname, path)
        self._own_code = own_code

    def exec_module(self, module: ModuleType) -> None:
        with self._own_code.executing(module.__name__):
            super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path)
        code: CodeType = self.source_to_code(source, self.path)
        package = fullname if self.is_package(fullname) else fullname.rpartition(".")[0]
        tree = ast.parse(source)
        self._own_code.executed[fullname] = Executed(
            file=os.path.abspath(self.path),
            sha256=hashlib.sha256(source).hexdigest(),
            imports=frozenset(imports_of(tree, package)),
            imports_by_name=any(names_of(node) & IMPORTS_BY_NAME for node in ast.walk(tree)),
        )
        return code


own_code = OwnCode()
"""That of this process: imports are the process's, too."""


def installed_directories() -> tuple[Path, ...]:
    """Where Python has its own modules and those that were installed."""
    paths = sysconfig.get_paths()
    named = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(Path(os.path.abspath(path)) for path in (*named, *site.getsitepackages(), site.getusersitepackages()))


INSTALLED = installed_directories()


def depth(path: Path, within: Iterable[Path]) -> int:
    """Parts of the longest of these directories that holds the path; 0 where none does."""
    return max((len(directory.parts) for directory in within if path.is_relative_to(directory)), default=0)


def imports_of(tree: ast.AST, package: str) -> Iterator[str]:
    """Modules that import statements may name, wherever these stand; with `.*` where all of a module is asked for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                try:
                    module = importlib.util.resolve_name("." * node.level + module, package)
                except ImportError:  # beyond the top: it fails where it is executed
                    continue
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def names_of(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    return set()


def with_parents(module: str) -> Iterator[str]:
    """a.b.c: a.b.c, a.b, a."""
    while module:
        yield module
        module = module.rpartition(".")[0]


def hash_on_disk(place: Path) -> str | None:
    """SHA-256 of a file; of a folder, over names and hashes of the sources in it. None where it is not there."""
    try:
        if not place.is_dir():
            return hashlib.sha256(place.read_bytes()).hexdigest()
        digest = hashlib.sha256()
        for file in sorted(place.rglob("*")):
            if file.suffix in SOURCE_SUFFIXES and file.is_file():
                digest.update(f"{file.relative_to(place).as_posix()} {hash_on_disk(file)}\n".encode())
        return digest.hexdigest()
    except OSError:
        return None
