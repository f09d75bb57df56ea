"""The small network of the study for 28 × 28 grey images, as a user would write it from its table."""

from torch import nn


class MnistNet(nn.Sequential):
    def __init__(self, num_classes=10, bias=True):
        super().__init__(
            nn.Conv2d(1, 64, kernel_size=2),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Conv2d(64, 32, kernel_size=2, bias=bias),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(32 * 6 * 6, num_classes),
        )
