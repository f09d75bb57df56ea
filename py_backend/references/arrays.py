"""What users give as images and labels, as arrays of ours: every ValueError in here says what was seen and expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Array = npt.NDArray[Any]

BYTE_CHANNELS = (1, 2, 3, 4)
"""Of uint8 images, whose channels come last: more would be an image with its channels first."""
MOST_CLASSES = 100_000
IMAGES_CHECKED_TOGETHER = 256
SHOWN_CHARACTERS = 60


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | torch.Tensor)


def as_array(value: Any) -> Array:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def image_of(given: Any) -> Array:
    """uint8 or float32 [H, W, C], finite. Raises ValueError."""
    image = as_array(given)
    if image.dtype == np.uint8 and image.ndim == 2:
        image = image[..., None]
    if image.dtype.kind == "f" and image.ndim == 3:
        image = as_float32(image.transpose(1, 2, 0))
        if (place := first_not_finite(image)) is not None:
            raise ValueError(f"its image has {place}; expected finite values")
        return image
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] in BYTE_CHANNELS:
        return np.ascontiguousarray(image)
    raise ValueError(
        f"its image is {image.dtype} {list(image.shape)}; expected uint8 [H, W] or [H, W, C] with C 1 to 4, floating "
        "[C, H, W], or a PIL image"
    )


def images_of(given: Array, name: str) -> Array:
    """[n, H, W, C], uint8 or float32, finite. name: of the part. Raises ValueError."""
    images = given
    if images.dtype == np.uint8 and images.ndim == 3:
        images = images[..., None]
    if images.dtype == np.uint8 and images.ndim == 4 and images.shape[3] in BYTE_CHANNELS:
        return np.ascontiguousarray(images)
    if images.dtype.kind == "f" and images.ndim == 4:
        images = as_float32(images.transpose(0, 2, 3, 1))
        refuse_not_finite(images, name)
        return images
    raise ValueError(
        f"{name} images are {images.dtype} {list(images.shape)}; expected uint8 [n, H, W] or [n, H, W, C] with C 1 to "
        "4, or floating [n, C, H, W]"
    )


def as_float32(values: Array) -> Array:
    with np.errstate(over="ignore"):  # what is too large for float32 is told of as infinite
        return np.ascontiguousarray(values, dtype=np.float32)


def refuse_not_finite(images: Array, name: str) -> None:
    """Raises ValueError with the first item that has such a value."""
    for start in range(0, len(images), IMAGES_CHECKED_TOGETHER):
        if np.isfinite(images[start : start + IMAGES_CHECKED_TOGETHER]).all():
            continue
        for index in range(start, len(images)):
            if (place := first_not_finite(images[index])) is not None:
                raise ValueError(f"{name} item {index} has {place}; expected finite values")


def first_not_finite(image: Array) -> str | None:
    """Where such a value is in an image [H, W, C]."""
    wrong = np.argwhere(~np.isfinite(image))
    if not len(wrong):
        return None
    row, column, channel = wrong[0].tolist()
    return f"the value {image[row, column, channel]} in channel {channel}, row {row}, column {column}"


def label_of(given: Any) -> int:
    """The class of an item. Raises ValueError."""
    label = given.item() if isinstance(given, np.generic) or (is_array(given) and as_array(given).size == 1) else given
    if not isinstance(label, int):
        raise ValueError(f"its label is {shown(given)}; expected its class, an integer from 0 on{hint(label)}")
    if not 0 <= label < MOST_CLASSES:
        raise ValueError(f"its label is {label}; expected its class, an integer from 0 to {MOST_CLASSES - 1}")
    return int(label)


def labels_of(given: Array, name: str) -> npt.NDArray[np.uint32]:
    """The classes of a part, uint32 [n]. Raises ValueError."""
    expected = f"expected integers [n] from 0 to {MOST_CLASSES - 1}, at least one"
    if given.ndim != 1 or len(given) == 0:
        raise ValueError(f"{name} labels are {given.dtype} {list(given.shape)}; {expected}")
    if given.dtype.kind not in "iub":
        first = given[0].item() if isinstance(given[0], np.generic) else given[0]
        raise ValueError(f"{name} labels are {given.dtype}, the first {shown(first)}; {expected}{hint(first)}")
    for index in (int(given.argmin()), int(given.argmax())):
        if not 0 <= given[index] < MOST_CLASSES:
            raise ValueError(f"{name} item {index} has label {given[index]}; {expected}")
    return given.astype(np.uint32)


def hint(label: Any) -> str:
    """How what is no class is made one."""
    if isinstance(label, str | bytes):
        return ": number the classes (numpy.unique with return_inverse does), and give their names as class_names"
    if is_array(label) or isinstance(label, list | tuple):
        return ": the index of the class, where this is one value a class"
    if isinstance(label, float):
        return ": what is a whole number can be made an integer; other numbers are no classes"
    return ""


def shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} …"
