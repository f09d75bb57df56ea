"""A network whose forward pass breaks a GPU, or fails as on one: for several-backends.test.ts and test/cuda."""

import os

import torch
from torch import nn

WHOLE_BATCH = 16
PASSES = 15


class Breaking(nn.Sequential):
    """In its 16th training pass over a whole batch, unless `once` names a file that is there: it is written then."""

    def __init__(self, once: str):
        super().__init__(nn.Flatten(), nn.Linear(784, 10))
        self.once = once
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))

    def forward(self, images):
        if self.training and len(images) == WHOLE_BATCH:
            self.passes += 1
            if self.passes > PASSES and not os.path.exists(self.once):
                if self.once:
                    open(self.once, "w").close()
                if images.is_cuda:  # what is not there, which the device finds out
                    images.sum(0).flatten()[torch.full((1,), 1 << 20, device=images.device)].sum().item()
                raise torch.AcceleratorError("CUDA error: device-side assert triggered\nSearch for ...")
        return super().forward(images)
