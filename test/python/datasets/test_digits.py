"""Digits: enlarging, split and statistics, each against its definition."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets as sklearn_datasets

from py_backend.datasets import digits
from py_backend.datasets.contract import Dataset
from py_backend.errors import BackendError


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return digits.DATASET.load(Path("/nowhere"), digits.DATASET.options())


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    """The images as scikit-learn has them: float64 [1797, 8, 8] of 0..16, in file order."""
    return sklearn_datasets.load_digits().images


@pytest.fixture(scope="module")
def targets() -> list[int]:
    return sklearn_datasets.load_digits().target.tolist()


def split(targets: list[int]) -> tuple[list[int], list[int]]:
    """Places in the file of train and test, by the rule in words: every fifth of those sorted by (class, place)."""
    ranked = sorted(range(len(targets)), key=lambda place: (targets[place], place))
    test = sorted(ranked[::5])
    return [place for place in range(len(targets)) if place not in set(test)], test


def test_there_are_1437_training_and_360_test_images(dataset: Dataset) -> None:
    assert dataset.train.images.shape == (1437, 28, 28, 1)
    assert dataset.test.images.shape == (360, 28, 28, 1)
    assert dataset.input_shape == (1, 28, 28)


def test_the_parts_are_those_of_the_rule_in_file_order(
    dataset: Dataset, levels: np.ndarray, targets: list[int]
) -> None:
    train, test = split(targets)
    whole = digits.enlarge(levels.astype(np.int64))
    np.testing.assert_array_equal(dataset.train.images, whole[train])
    np.testing.assert_array_equal(dataset.test.images, whole[test])
    assert dataset.train.labels.tolist() == [targets[place] for place in train]
    assert dataset.test.labels.tolist() == [targets[place] for place in test]


def test_no_image_is_in_both_parts_and_none_is_lost(dataset: Dataset, levels: np.ndarray) -> None:
    parts = [Counter(image.tobytes() for image in part.images) for part in (dataset.train, dataset.test)]
    whole = Counter(image.tobytes() for image in digits.enlarge(levels.astype(np.int64)))
    assert len(whole) == 1797  # all images differ, so the two parts can be told apart by their pixels
    assert parts[0] + parts[1] == whole
    assert not parts[0] & parts[1]


def test_each_class_gives_a_fifth_of_its_images_to_test_within_one(dataset: Dataset, targets: list[int]) -> None:
    of_all, of_test = Counter(targets), Counter(dataset.test.labels.tolist())
    assert set(of_all) == set(range(10))
    for label, count in of_all.items():
        assert abs(of_test[label] - count / 5) < 1


def test_the_split_of_a_small_list_by_hand() -> None:
    labels = np.array([1, 0, 1, 0, 1, 0, 0, 1], np.uint32)
    # Sorted: 1 3 5 6 | 0 2 4 7; the first and the sixth of it are places 1 and 2.
    assert np.flatnonzero(digits.held_out(labels)).tolist() == [1, 2]


def test_the_first_weights_by_hand() -> None:
    """Output 0, 1, 2, 3 lie at -5/14, -1/14, 3/14, 7/14 of the source; output 27 at 7 + 5/14, beyond the edge."""
    weights = digits.bilinear_weights()
    assert weights[:4, :2].tolist() == [[14, 0], [14, 0], [11, 3], [7, 7]]
    assert weights[27].tolist() == [0, 0, 0, 0, 0, 0, 0, 14]
    assert weights.sum(axis=1).tolist() == [14] * 28
    np.testing.assert_array_equal(weights, weights[::-1, ::-1])


@pytest.mark.parametrize(("level", "grey"), [(0, 0), (1, 16), (8, 128), (15, 239), (16, 255)])
def test_an_even_image_scales_to_the_nearest_grey_level_with_ties_up(level: int, grey: int) -> None:
    """1 is 15.94, 8 is 127.5, 15 is 239.06."""
    enlarged = digits.enlarge(np.full((1, 8, 8), level, np.int64))
    assert enlarged.dtype == np.uint8
    assert np.unique(enlarged).tolist() == [grey]


def test_enlarging_is_torchs_bilinear_interpolation_rounded_to_the_nearest(levels: np.ndarray) -> None:
    ours = digits.enlarge(levels.astype(np.int64))[:, :, :, 0].astype(np.float64)
    source = torch.from_numpy(levels * 255 / 16).unsqueeze(1)
    theirs = torch.nn.functional.interpolate(source, size=(28, 28), mode="bilinear", align_corners=False)
    assert np.abs(ours - theirs.squeeze(1).numpy()).max() <= 0.5 + 1e-9


def test_rows_stay_rows() -> None:
    source = np.zeros((1, 8, 8), np.int64)
    source[0, 0, 7] = 16
    enlarged = digits.enlarge(source)[0, :, :, 0]
    assert enlarged[0, 27] == 255
    assert enlarged[27, 0] == 0


def test_mean_and_deviation_are_those_of_the_training_pixels(dataset: Dataset) -> None:
    scaled = dataset.train.images.astype(np.float64) / 255
    assert dataset.mean == (round(float(scaled.mean()), 4),)
    assert dataset.std == (round(float(scaled.std()), 4),)


def test_the_bits_are_the_same_with_every_version_of_the_libraries(dataset: Dataset) -> None:
    assert dataset.sha256() == "9bb1da0610a1488d3c2920ef679ca73cecd019351b5a2b396ea3cf9a288d230f"


def test_they_are_what_scikit_learn_itself_reads(levels: np.ndarray, targets: list[int]) -> None:
    read, labels = digits._read_sklearn()
    assert np.array_equal(read, levels)
    assert labels.tolist() == targets


def test_no_scikit_learn_is_imported() -> None:
    script = (
        "import sys; from pathlib import Path; from py_backend.datasets import digits;"
        "print(digits.load(Path('.'), digits.NoOptions()).name, {'sklearn', 'scipy'} & {*sys.modules})"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert (ended.stdout, ended.stderr) == ("digits set()\n", "")


def put_in_place_of_scikit_learn(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Returns where its file is looked for then."""
    data = folder / "sklearn" / "datasets" / "data"
    data.mkdir(parents=True)
    (folder / "sklearn" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.delitem(sys.modules, "sklearn")
    return data / "digits.csv.gz"


def test_without_scikit_learns_file_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_in_place_of_scikit_learn(monkeypatch, tmp_path)
    with pytest.raises(BackendError) as caught:
        digits.DATASET.load(Path("/nowhere"), digits.DATASET.options())
    assert caught.value.code == "data_missing"


@pytest.mark.filterwarnings("ignore:loadtxt")
@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"0,1,2\n")[:-4], gzip.compress(b"0,1,x\n")])
def test_a_file_that_is_damaged_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes) -> None:
    path = put_in_place_of_scikit_learn(monkeypatch, tmp_path)
    path.write_bytes(content)
    with pytest.raises(BackendError) as caught:
        digits.DATASET.load(Path("/nowhere"), digits.DATASET.options())
    assert caught.value.code == "data_damaged"
    assert "install scikit-learn again" in caught.value.message


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(BackendError) as caught:
        digits.DATASET.load(Path("/nowhere"), digits.DATASET.options())
    assert caught.value.code == "data_missing"
    assert "pip install scikit-learn" in caught.value.message


def test_in_a_packed_archive_the_file_lies_beside_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    expected = digits.load(tmp_path, digits.NoOptions())
    packed = tmp_path / "digits.csv.gz"
    shutil.copy(digits._sklearn_file(), packed)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setattr(digits, "PACKED", packed)
    found = digits.load(tmp_path, digits.NoOptions())
    assert np.array_equal(found.train.images, expected.train.images)
    assert np.array_equal(found.test.labels, expected.test.labels)


@pytest.mark.parametrize(
    ("images", "target", "says"),
    [
        (np.zeros((1796, 8, 8)), np.zeros(1796, int), "images (1796, 64)"),
        (np.full((1797, 8, 8), 17.0), np.zeros(1797, int), "other grey levels"),
        (np.full((1797, 8, 8), 0.5), np.zeros(1797, int), "other grey levels"),
        (np.zeros((1797, 8, 8)), np.full(1797, 10), "other labels"),
    ],
)
def test_other_data_than_we_know_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, images: np.ndarray, target: np.ndarray, says: str
) -> None:
    table = np.column_stack([images.reshape(len(images), -1), target])
    np.savetxt(put_in_place_of_scikit_learn(monkeypatch, tmp_path), table, delimiter=",")
    with pytest.raises(BackendError) as caught:
        digits.DATASET.load(Path("/nowhere"), digits.DATASET.options())
    assert caught.value.code == "data_damaged"
    assert says in caught.value.message
