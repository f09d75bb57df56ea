"""How large an image still is after some layers."""


def pooled(size: int, padding: str | int, blocks: int) -> int:
    """Height or width after `blocks` times convolution 2×2 (padding 0 or "same") and max pooling 2."""
    for _ in range(blocks):
        size = (size if padding == "same" else size - 1) // 2
    return size
