"""The state of a model, for whoever wants to compare it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .answers import Answer
from .codec import MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, Packet
from .errors import BackendError
from .messages import TensorShape, WeightsOk

MAX_VALUES = (MAX_MESSAGE_BYTES - MAX_HEADER_BYTES) // 4


def weights_answer(message_id: int, session: str, step: int, model: nn.Module) -> Answer:
    """`values`, float32: all floating parameters and buffers in the order of the state dict, each row-major. Waits for
    the device. Raises BackendError (too_large)."""
    state = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if isinstance(tensor, Tensor) and tensor.is_floating_point()
    }
    count = sum(tensor.numel() for tensor in state.values())
    if count > MAX_VALUES:
        raise BackendError(
            "too_large", f"the model has {count} values, an answer carries {MAX_VALUES} at most", limit=MAX_VALUES
        )
    values = torch.cat([tensor.detach().float().cpu().contiguous().flatten() for tensor in state.values()])
    tensors = [TensorShape(name=name, shape=list(tensor.shape)) for name, tensor in state.items()]
    return Answer.now(
        Packet(message_id, WeightsOk(session=session, step=step, tensors=tensors), {"values": values.numpy()})
    )
