"""The IDX reader, against files written byte by byte after the format's description."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from py_backend.datasets import idx
from py_backend.errors import BackendError

IMAGES_HEADER = b"\x00\x00\x08\x03" + b"\x00\x00\x00\x03" + b"\x00\x00\x00\x1c" + b"\x00\x00\x00\x1c"
LABELS_HEADER = b"\x00\x00\x08\x01" + b"\x00\x00\x00\x03"
PIXELS = bytes((image * 90 + row * 3 + column) % 256 for image in range(3) for row in range(28) for column in range(28))
IMAGES = IMAGES_HEADER + PIXELS
LABELS = LABELS_HEADER + bytes([9, 0, 4])

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
WHERE = "https://example.org/the-set"

plain_and_gz = pytest.mark.parametrize("ending", ["", ".gz"])


def write(path: Path, content: bytes) -> Path:
    """The file, compressed if its name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def refused(path: Path, read: Callable[[Path], object]) -> str:
    """The message with which the file is refused as damaged."""
    with pytest.raises(BackendError) as caught:
        read(path)
    assert caught.value.code == "data_damaged"
    assert caught.value.message.startswith(f"{path} is damaged: ")
    assert caught.value.message.endswith("; remove it and fetch it again")
    assert "\n" not in caught.value.message
    return caught.value.message


@plain_and_gz
def test_images_are_n_28_28_1_with_each_pixel_in_its_place(tmp_path: Path, ending: str) -> None:
    images = idx.read_images(write(tmp_path / f"images{ending}", IMAGES))
    assert images.shape == (3, 28, 28, 1)
    assert images.dtype == np.uint8
    assert images.flags.c_contiguous
    for image, row, column in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2, 27, 27)]:
        assert images[image, row, column, 0] == (image * 90 + row * 3 + column) % 256
    assert images.tobytes() == PIXELS


@plain_and_gz
def test_labels_are_uint32(tmp_path: Path, ending: str) -> None:
    labels = idx.read_labels(write(tmp_path / f"labels{ending}", LABELS))
    assert labels.dtype == np.uint32
    assert labels.tolist() == [9, 0, 4]


@plain_and_gz
@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 17, len(IMAGES) - 784, len(IMAGES) - 1])
def test_images_that_end_early_are_refused(tmp_path: Path, ending: str, length: int) -> None:
    message = refused(write(tmp_path / f"images{ending}", IMAGES[:length]), idx.read_images)
    assert ("within the header" in message) == (length < 16)


@plain_and_gz
@pytest.mark.parametrize("length", [0, 7, 8, len(LABELS) - 1])
def test_labels_that_end_early_are_refused(tmp_path: Path, ending: str, length: int) -> None:
    refused(write(tmp_path / f"labels{ending}", LABELS[:length]), idx.read_labels)


@plain_and_gz
@pytest.mark.parametrize("extra", [b"\x00", bytes(784)])
def test_files_with_more_than_they_promise_are_refused(tmp_path: Path, ending: str, extra: bytes) -> None:
    message = refused(write(tmp_path / f"images{ending}", IMAGES + extra), idx.read_images)
    assert "more bytes after the header, expected exactly 2352 for 3 items" in message
    refused(write(tmp_path / f"labels{ending}", LABELS + extra), idx.read_labels)


def test_a_wrong_magic_number_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "images", b"\x00\x00\x0d\x03" + IMAGES[4:])
    assert "magic number 0x00000d03, expected 0x00000803 (IDX images)" in refused(path, idx.read_images)


def test_labels_in_the_place_of_images_are_refused_and_the_reverse(tmp_path: Path) -> None:
    labels, images = write(tmp_path / "labels", LABELS), write(tmp_path / "images", IMAGES)
    assert "0x00000801 (IDX labels), expected 0x00000803 (IDX images)" in refused(labels, idx.read_images)
    assert "0x00000803 (IDX images), expected 0x00000801 (IDX labels)" in refused(images, idx.read_labels)


@pytest.mark.parametrize(("rows", "columns"), [(27, 28), (28, 27), (32, 32), (0, 28), (14, 56)])
def test_images_of_another_size_are_refused(tmp_path: Path, rows: int, columns: int) -> None:
    content = struct.pack(">4I", 0x803, 3, rows, columns) + bytes(3 * rows * columns)
    message = refused(write(tmp_path / "images", content), idx.read_images)
    assert f"items of {rows} x {columns}, expected items of 28 x 28" in message


@pytest.mark.parametrize("count", [0, idx.MAX_ITEMS + 1, 2**32 - 1])
def test_counts_outside_the_limits_are_refused(tmp_path: Path, count: int) -> None:
    images = write(tmp_path / "images", struct.pack(">4I", 0x803, count, 28, 28))
    labels = write(tmp_path / "labels", struct.pack(">2I", 0x801, count))
    assert f"{count} items, expected 1 to 1000000" in refused(images, idx.read_images)
    assert f"{count} items, expected 1 to 1000000" in refused(labels, idx.read_labels)


def peak_bytes(run: Callable[[], object]) -> int:
    """The most memory that Python took while run() ran."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@plain_and_gz
def test_a_header_that_promises_784_mb_takes_no_memory(tmp_path: Path, ending: str) -> None:
    content = struct.pack(">4I", 0x803, idx.MAX_ITEMS, 28, 28) + PIXELS
    path = write(tmp_path / f"images{ending}", content)
    assert peak_bytes(lambda: refused(path, idx.read_images)) < 8 << 20


def test_a_gzip_file_that_unpacks_to_far_too_much_is_not_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "images.gz", IMAGES + bytes(64 << 20))
    assert peak_bytes(lambda: refused(path, idx.read_images)) < 8 << 20


@pytest.mark.parametrize("cut", [5, 40, -9, -8, -4, -1])
def test_gzip_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(IMAGES)[:cut])
    assert "gzip says" in refused(path, idx.read_images)


@pytest.mark.parametrize("place", [0, 2, 60, -8, -1])
def test_gzip_with_one_wrong_byte_is_refused(tmp_path: Path, place: int) -> None:
    packed = bytearray(gzip.compress(IMAGES))
    packed[place] ^= 0xFF
    path = tmp_path / "images.gz"
    path.write_bytes(packed)
    refused(path, idx.read_images)


def test_a_plain_file_named_gz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(IMAGES)
    assert "expected a whole gzip file" in refused(path, idx.read_images)


@pytest.mark.parametrize("label", [10, 255])
def test_a_label_above_nine_is_refused_with_its_place(tmp_path: Path, label: int) -> None:
    path = write(tmp_path / "labels", LABELS_HEADER + bytes([9, label, 4]))
    assert f"label {label} at record 1, expected 0..9" in refused(path, idx.read_labels)


@pytest.mark.parametrize("count", [2, 4])
def test_other_counts_of_labels_than_of_images_are_refused(tmp_path: Path, count: int) -> None:
    images = write(tmp_path / "images", IMAGES)
    labels = write(tmp_path / "labels", struct.pack(">2I", 0x801, count) + bytes(count))
    message = refused(labels, lambda path: idx.read_part(images, path))
    assert f"{count} labels, expected 3, as there are images in {images}" in message


def test_a_file_that_the_system_does_not_read_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        idx.read_images(tmp_path)
    assert caught.value.code == "data_missing"
    assert caught.value.message == (
        f"{tmp_path} cannot be read: Is a directory; check that it is there and its permissions"
    )


def write_set(folder: Path, ending: str = "", shift: int = 0) -> None:
    """Four files: three training images, two test images whose pixels are 200 and 201, plus `shift` on each."""
    train = IMAGES_HEADER + bytes((value + shift) % 256 for value in PIXELS)
    test = struct.pack(">4I", 0x803, 2, 28, 28) + bytes([200 + shift]) * 784 + bytes([201 + shift]) * 784
    contents = (train, LABELS, test, struct.pack(">2I", 0x801, 2) + bytes([5, 6]))
    for name, content in zip(NAMES, contents, strict=True):
        write(folder / f"{name}{ending}", content)


def load(data_dir: Path) -> tuple[idx.Part, idx.Part]:
    return idx.load_parts("the-set", data_dir, ("Set/raw", "set"), WHERE)


@plain_and_gz
@pytest.mark.parametrize("folder", ["Set/raw", "set"])
def test_the_four_files_become_train_and_test(tmp_path: Path, folder: str, ending: str) -> None:
    write_set(tmp_path / folder, ending)
    train, test = load(tmp_path)
    assert train.images.tobytes() == PIXELS
    assert train.labels.tolist() == [9, 0, 4]
    assert test.images[:, 0, 0, 0].tolist() == [200, 201]
    assert test.labels.tolist() == [5, 6]


def test_each_file_may_be_plain_or_gz(tmp_path: Path) -> None:
    write_set(tmp_path / "set")
    for name in (NAMES[0], NAMES[3]):
        path = tmp_path / "set" / name
        write(path.with_name(f"{name}.gz"), path.read_bytes())
        path.unlink()
    train, test = load(tmp_path)
    assert train.images.tobytes() == PIXELS
    assert test.labels.tolist() == [5, 6]


def test_plain_is_read_where_a_file_is_there_in_both_forms(tmp_path: Path) -> None:
    write_set(tmp_path / "set")
    write_set(tmp_path / "set", ".gz", shift=1)
    train, test = load(tmp_path)
    assert train.images.tobytes() == PIXELS
    assert test.images[0, 0, 0, 0] == 200


def test_the_first_folder_is_read_where_both_hold_the_set(tmp_path: Path) -> None:
    write_set(tmp_path / "Set/raw")
    write_set(tmp_path / "set", shift=1)
    assert load(tmp_path)[0].images.tobytes() == PIXELS


def test_a_set_that_is_nowhere_is_missing_with_files_places_and_source(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        load(tmp_path)
    assert caught.value.code == "data_missing"
    assert caught.value.message == (
        "the-set: no train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], t10k-images-idx3-ubyte[.gz], "
        f"t10k-labels-idx1-ubyte[.gz] in {tmp_path}/Set/raw or {tmp_path}/set; "
        f"get the set from `ibatch data the-set --data {tmp_path}`, or {WHERE}, or "
        "point --data at the folder that holds it"
    )


@pytest.mark.parametrize("name", NAMES)
def test_one_missing_file_is_named_even_if_the_other_folder_is_whole(tmp_path: Path, name: str) -> None:
    write_set(tmp_path / "Set/raw")
    write_set(tmp_path / "set")
    (tmp_path / "Set/raw" / name).unlink()
    with pytest.raises(BackendError) as caught:
        load(tmp_path)
    assert caught.value.code == "data_missing"
    assert caught.value.message.startswith(f"the-set: no {name}[.gz] in {tmp_path}/Set/raw; get the set from ")
    assert caught.value.details["files"] == [f"{name}[.gz]"]
    assert caught.value.details["places"] == [f"{tmp_path}/Set/raw"]
