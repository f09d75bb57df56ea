"""Digits: the 1,797 handwritten digits that come with scikit-learn, 8 x 8, brought to 28 x 28.

Source: the test part of UCI's "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, 1998), in the
package of scikit-learn: nothing is downloaded, and --data is not read. The file is read as sklearn.datasets.load_digits
does it, without importing scikit-learn, which takes longer than all the rest.

Resizing is bilinear with half-pixel centres and clamped edges (align_corners=False), grey levels go from 0..16 to
0..255 and are rounded to the nearest, ties up. All of it is integer arithmetic, so no version of a library changes a
bit.

Split: sort all images by class, and within a class by place in the file; every fifth of that list, from the first on,
is test. That makes 360 test and 1,437 training images, stratified to within one image a class. Both parts keep the
file's order, so index i is the i-th training image of the file.
"""

from __future__ import annotations

import importlib.util
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..choice import NoOptions
from ..errors import BackendError
from .contract import Dataset, DatasetDefinition, Images, Labels, Part

NAME = "digits"
CLASS_NAMES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
# Over the training images, rounded to four places like those of the other sets.
MEAN = (0.3058,)
STD = (0.3249,)

PACKED = Path(__file__).with_name("digits.csv.gz")
"""scikit-learn's file, where `npm run pack` puts it: its archive has no scikit-learn."""

COUNT = 1797
SOURCE_SIDE = 8
SOURCE_WHITE = 16
SIDE = 28
# Output i lies at source place (i + 1/2) * 8/28 - 1/2 = (4i - 5) / 14.
WEIGHT_SUM = 14
TEST_EVERY = 5


def load(data_dir: Path, options: NoOptions) -> Dataset:
    """Digits out of the scikit-learn package; data_dir is not read."""
    source, labels = _read_sklearn()
    images = enlarge(source)
    in_test = held_out(labels)
    train = Part(images[~in_test], labels[~in_test])
    test = Part(images[in_test], labels[in_test])
    return Dataset(NAME, CLASS_NAMES, MEAN, STD, train, test)


def enlarge(source: npt.NDArray[np.int64]) -> Images:
    """Grey levels 0..16, int64 [n, 8, 8] -> 0..255, uint8 [n, 28, 28, 1]."""
    weights = bilinear_weights()
    summed: npt.NDArray[np.int64] = weights @ source @ weights.T
    white = SOURCE_WHITE * WEIGHT_SUM**2
    scaled: npt.NDArray[np.int64] = (2 * 255 * summed + white) // (2 * white)
    return scaled.astype(np.uint8).reshape(-1, SIDE, SIDE, 1)


def bilinear_weights() -> npt.NDArray[np.int64]:
    """Share of each source row in each output row, in fourteenths: int64 [28, 8], every row sums to 14."""
    weights = np.zeros((SIDE, SOURCE_SIDE), np.int64)
    for row in range(SIDE):
        below, share = divmod(4 * row - 5, WEIGHT_SUM)
        weights[row, max(below, 0)] += WEIGHT_SUM - share
        weights[row, min(below + 1, SOURCE_SIDE - 1)] += share
    return weights


def held_out(labels: Labels) -> npt.NDArray[np.bool_]:
    """Which images are test: every fifth by (class, place in the file). labels: uint32 [n]."""
    by_class = np.argsort(labels, kind="stable")
    mask = np.zeros(len(labels), np.bool_)
    mask[by_class[::TEST_EVERY]] = True
    return mask


def _read_sklearn() -> tuple[npt.NDArray[np.int64], Labels]:
    """Grey levels int64 [1797, 8, 8] of 0..16 and labels uint32 [1797], in file order."""
    path = _sklearn_file()
    try:
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        message = f"digits: {path} cannot be read ({error}); install scikit-learn again"
        raise BackendError("data_damaged", message, dataset=NAME, path=str(path)) from error
    levels, labels = table[:, :-1], table[:, -1]
    _check(levels, labels)
    return levels.astype(np.int64).reshape(-1, SOURCE_SIDE, SOURCE_SIDE), labels.astype(np.uint32)


def _sklearn_file() -> Path:
    """Raises BackendError (data_missing)."""
    try:
        found = importlib.util.find_spec("sklearn")
    except (ImportError, ValueError):  # it was imported, and is broken
        found = None
    for folder in found.submodule_search_locations or () if found else ():
        path = Path(folder, "datasets", "data", "digits.csv.gz")
        if path.is_file():
            return path
    if PACKED.is_file():
        return PACKED
    message = "digits: scikit-learn, whose package holds the images, is not there; pip install scikit-learn"
    raise BackendError("data_missing", message, dataset=NAME, package="scikit-learn")


def _check(levels: npt.NDArray[np.float64], labels: npt.NDArray[np.float64]) -> None:
    """Refuse what is not the file we know."""
    shape = (COUNT, SOURCE_SIDE**2)
    if levels.shape != shape:
        seen, expected = f"images {levels.shape}", f"{shape}"
    elif not np.isin(levels, np.arange(SOURCE_WHITE + 1)).all():
        seen, expected = "other grey levels", f"whole numbers 0..{SOURCE_WHITE}"
    elif not np.isin(labels, np.arange(len(CLASS_NAMES))).all():
        seen, expected = "other labels", f"0..{len(CLASS_NAMES) - 1}"
    else:
        return
    message = f"digits: scikit-learn's file has {seen}, expected {expected}; install scikit-learn again"
    raise BackendError("data_damaged", message, dataset=NAME, seen=seen, expected=expected)


DATASET = DatasetDefinition(
    name=NAME,
    summary="1,437 + 360 handwritten digits of scikit-learn, 8 x 8 enlarged to 28 x 28, grey, 10 classes",
    when_to_choose="needs no data folder and takes seconds: to try things out, in tests and in continuous integration",
    where_to_get="",
    options=NoOptions,
    load=load,
)
