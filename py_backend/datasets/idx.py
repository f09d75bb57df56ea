"""Reader of IDX files, the format of MNIST and of the sets made in its likeness.

Big-endian: magic number (0x0000 08 dd: unsigned bytes, dd dimensions), then each dimension's length as uint32,
then the values, row major. Source: the description that came with MNIST (Y. LeCun, C. Cortes, C. Burges).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from .contract import Images, Labels, Part
from .files import checked_labels, damaged, missing, reading

IMAGES_MAGIC = 0x00000803
LABELS_MAGIC = 0x00000801
MAGIC_NAMES = {IMAGES_MAGIC: "IDX images", LABELS_MAGIC: "IDX labels"}

SIDE = 28
CLASSES = 10
MAX_ITEMS = 1_000_000  # 784 MB of images; the largest set in this format (EMNIST) has 814,255
BLOCK_BYTES = 1 << 20

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


def load_parts(dataset: str, data_dir: Path, folders: Sequence[str], where_to_get: str) -> tuple[Part, Part]:
    """Train and test part out of the first of the folders (relative to data_dir) that has any of the four files.

    Each file may be plain or gzipped (.gz); where it is both, the plain one is read. A folder with some of the files is
    refused and not passed over, so that which copy is read never depends on which download broke off.
    """
    with reading(data_dir):
        paths = _find_files(dataset, data_dir, folders, where_to_get)
    train = read_part(paths[TRAIN_IMAGES], paths[TRAIN_LABELS])
    test = read_part(paths[TEST_IMAGES], paths[TEST_LABELS])
    return train, test


def read_part(images_path: Path, labels_path: Path) -> Part:
    """One part out of its two files, which must hold equally many items."""
    images = read_images(images_path)
    labels = read_labels(labels_path)
    if len(images) != len(labels):
        raise damaged(labels_path, f"{len(labels)} labels", f"{len(images)}, as there are images in {images_path}")
    return Part(images, labels)


def read_images(path: Path) -> Images:
    """Images of an IDX file, plain or .gz: uint8 [n, 28, 28, 1]."""
    return _read_items(path, IMAGES_MAGIC, (SIDE, SIDE)).reshape(-1, SIDE, SIDE, 1)


def read_labels(path: Path) -> Labels:
    """Labels of an IDX file, plain or .gz: uint32 [n], each 0..9."""
    return checked_labels(path, _read_items(path, LABELS_MAGIC, ()), CLASSES)


def _find_files(dataset: str, data_dir: Path, folders: Sequence[str], where_to_get: str) -> dict[str, Path]:
    """The path of each of the four files, all in one folder."""
    places = [data_dir / folder for folder in folders]
    for place in places:
        paths = _files_in(place)
        lacking = [f"{name}[.gz]" for name in FILES if name not in paths]
        if paths and lacking:
            raise missing(dataset, lacking, [place], where_to_get, data_dir)
        if paths:
            return paths
    raise missing(dataset, [f"{name}[.gz]" for name in FILES], places, where_to_get, data_dir)


def _files_in(folder: Path) -> dict[str, Path]:
    """Those of the four files that the folder has, plain before .gz."""
    paths = {}
    for name in FILES:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                paths[name] = path
                break
    return paths


def _read_items(path: Path, magic: int, item_shape: tuple[int, ...]) -> Images:
    """The values of an IDX file of exactly this kind: uint8 [n, *item_shape], writable."""
    with reading(path):
        count, body = _read_header_and_body(path, magic, item_shape)
    size = count * math.prod(item_shape)
    if len(body) != size:
        seen = f"only {len(body)} bytes" if len(body) < size else "more bytes"
        raise damaged(path, f"{seen} after the header", f"exactly {size} for {count} items")
    return np.frombuffer(body, np.uint8).reshape(count, *item_shape)


def _read_header_and_body(path: Path, magic: int, item_shape: tuple[int, ...]) -> tuple[int, bytearray]:
    """The number of items, and the bytes after the header: all of them, but one more than there must be at most."""
    try:
        with _open(path) as stream:
            count = _read_header(path, stream, magic, item_shape)
            # The one more shows a file that is too long, and takes gzip to the check sum at its end.
            return count, _read_at_most(stream, count * math.prod(item_shape) + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, f"gzip says '{error}'", "a whole gzip file") from error


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def _read_header(path: Path, stream: BinaryIO, magic: int, item_shape: tuple[int, ...]) -> int:
    """The number of items, once magic number, dimensions and limit are seen to be right."""
    (seen_magic,) = _read_uint32s(path, stream, 1)
    if seen_magic != magic:
        known = f" ({MAGIC_NAMES[seen_magic]})" if seen_magic in MAGIC_NAMES else ""
        expected = f"0x{magic:08x} ({MAGIC_NAMES[magic]})"
        raise damaged(path, f"magic number 0x{seen_magic:08x}{known}", expected)
    count, *shape = _read_uint32s(path, stream, 1 + len(item_shape))
    if tuple(shape) != item_shape:
        raise damaged(path, f"items of {_by(shape)}", f"items of {_by(item_shape)}")
    if not 1 <= count <= MAX_ITEMS:
        raise damaged(path, f"{count} items", f"1 to {MAX_ITEMS}")
    return count


def _read_uint32s(path: Path, stream: BinaryIO, number: int) -> tuple[int, ...]:
    raw = stream.read(4 * number)
    if len(raw) != 4 * number:
        raise damaged(path, "an end within the header", "a whole header")
    return struct.unpack(f">{number}I", raw)


def _read_at_most(stream: BinaryIO, limit: int) -> bytearray:
    """Up to `limit` bytes, in blocks: a header that promises too much takes no memory."""
    body = bytearray()
    while len(body) < limit:
        block = stream.read(min(BLOCK_BYTES, limit - len(body)))
        if not block:
            break
        body += block
    return body


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
