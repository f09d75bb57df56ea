"""The one place that unpickles: files of the CIFAR sets' python version, whose bytes are known beforehand.

A pickle is a program. So nothing of a file is run before its MD5 is that of the official file, and, since MD5 can be
forged, what then runs may name only what the official files need to make numpy arrays.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from .files import damaged, reading

MAX_BYTES = 256 << 20  # the largest official file, CIFAR-100's `train`, has 155 MB

# numpy has moved this function; an array says where it is now. The files name either module.
_RECONSTRUCT = np.empty(0, np.uint8).__reduce__()[0]
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): codecs.encode,
}


class RestrictedUnpickler(pickle.Unpickler):
    """Unpickles lists, dicts, numbers, bytes and numpy arrays, and refuses every other name."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The object of that name if it is on the list, which needs no import."""
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}") from None


def load_cifar_pickle(path: Path, md5: str) -> dict[bytes, Any]:
    """The dict in the file, its Python 2 strings as bytes, if the file has this MD5 (hex)."""
    data = _read_limited(path)
    seen = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if seen != md5:
        raise damaged(path, f"MD5 {seen}", f"{md5}, that of the official file")
    try:
        content = RestrictedUnpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a broken pickle may raise anything, says the pickle module's documentation
        raise damaged(path, f"unpickling stops ({type(error).__name__}: {error})", "numpy arrays and lists") from error
    if not isinstance(content, dict):
        raise damaged(path, f"a {type(content).__name__}", "a dict")
    return content


def _read_limited(path: Path) -> bytes:
    """The whole file, or the error that it is too large to be an official one."""
    with reading(path):
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise damaged(path, f"{size} bytes", f"at most {MAX_BYTES}, more than any official file has")
        return path.read_bytes()
