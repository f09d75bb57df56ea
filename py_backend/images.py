"""The pixels of samples as the dataset stores them, for whoever wants to see them."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .codec import MAX_HEADER_BYTES, MAX_MESSAGE_BYTES
from .device import Download, is_out_of_memory, upload
from .errors import BackendError
from .progress import Progress
from .resident import DataPart
from .training import check_indices

MAX_PIXEL_BYTES = MAX_MESSAGE_BYTES - MAX_HEADER_BYTES
"""Of one answer, which has a header, too."""


def gather_images(data: DataPart, indices: npt.NDArray[np.uint32], progress: Progress) -> Download:
    """`images`, uint8 [m, H, W, C], of these samples, and `indices`, int64 [m], that they were gathered with.

    indices: uint32 [m], any order, repeats allowed. Raises BackendError (bad_index, too_large, cancelled,
    out_of_memory), all but the last before memory is taken.
    """
    check_indices(indices, data.size)
    check_answer_fits(len(indices), prod(data.pixels.image_shape))
    if progress.should_stop():
        raise BackendError("cancelled", f"cancelled before {len(indices)} images were gathered")
    device = data.device
    try:
        rows = upload(indices, device, np.int64)
        data.pixels.expect([indices])
        return Download({"images": shown(data.pixels.gather(rows)), "indices": rows}, device)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise BackendError("out_of_memory", f"{len(indices)} images do not fit; ask for fewer a message") from None
        raise


def shown(images: Tensor) -> Tensor:
    """uint8 images as they are; float32 ones from the least of their values, 0, to the greatest, 255."""
    if images.dtype == torch.uint8 or images.numel() == 0:
        return images
    least, greatest = images.aminmax()
    return ((images - least) * (255 / (greatest - least).clamp(min=1e-12))).round().to(torch.uint8)


def check_answer_fits(count: int, image_bytes: int) -> None:
    """Raises BackendError (too_large) where so many images are more than one answer may carry."""
    asked, fit = count * image_bytes, MAX_PIXEL_BYTES // image_bytes
    if asked > MAX_PIXEL_BYTES:
        raise BackendError(
            "too_large",
            f"{count} images have {asked} bytes, an answer carries {MAX_PIXEL_BYTES} at most: "
            f"ask for no more than {fit} images a message",
            bytes=asked,
            limit=MAX_PIXEL_BYTES,
            images_that_fit=fit,
        )
