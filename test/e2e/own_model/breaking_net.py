"""A network whose forward pass fails as on a broken GPU, for test/e2e/several-backends.test.ts."""

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
                raise torch.AcceleratorError("CUDA error: device-side assert triggered\nSearch for ...")
        return super().forward(images)
