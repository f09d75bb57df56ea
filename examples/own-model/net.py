"""A team's own network, as it lies in their repository: nothing in here knows of ibatch.

Images float32 [B, 1, 28, 28] to logits [B, num_classes]; 25,322 parameters with 10 classes.
"""

from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, num_classes: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(32 * 7 * 7, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.dropout(self.features(images).flatten(1)))
        return logits
