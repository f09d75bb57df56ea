"""How large an image still is after some layers."""

from ..errors import BackendError


def pooled(size: int, padding: str | int, blocks: int) -> int:
    """Height or width after `blocks` times convolution 2×2 (padding 0 or "same") and max pooling 2."""
    for _ in range(blocks):
        size = (size if padding == "same" else size - 1) // 2
    return size


def flat_size(model: str, input_shape: tuple[int, int, int], channels: int, padding: str | int, blocks: int) -> int:
    """Values a sample behind these blocks, the last with so many channels. Raises BackendError (bad_option) where
    nothing is left of the image."""
    _, height, width = input_shape
    rows, columns = pooled(height, padding, blocks), pooled(width, padding, blocks)
    if min(rows, columns) < 1:
        side = 2**blocks if padding == "same" else 2 ** (blocks + 1) - 1
        raise BackendError(
            "bad_option",
            f"model {model}: images of {height} × {width} are too small for its {blocks} poolings; "
            f"at least {side} × {side} is needed",
        )
    return channels * rows * columns
