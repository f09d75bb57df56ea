"""The loop of PyTorch's tutorials: a Dataset with transforms, a DataLoader that shuffles, a mean loss, `.item()`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from .pictures import Images, Labels
from .task import CROP, Epoch, Task

Transform = Callable[[npt.NDArray[np.uint8]], Tensor]


class PictureDataset(Dataset[tuple[Tensor, int]]):
    def __init__(self, images: Images, labels: Labels, transform: Transform) -> None:
        self.images = images
        self.labels = labels
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index]), int(self.labels[index])


def to_tensor(image: npt.NDArray[np.uint8]) -> Tensor:
    """As torchvision's ToTensor, of an array: quicker than of an image of PIL's, which its datasets give."""
    return torch.from_numpy(image).permute(2, 0, 1).contiguous().float().div(255)


def normalize(mean: tuple[float, ...], std: tuple[float, ...]) -> Callable[[Tensor], Tensor]:
    means, deviations = (torch.tensor(values).view(-1, 1, 1) for values in (mean, std))
    return lambda image: (image - means) / deviations


def random_crop(image: Tensor) -> Tensor:
    """As torchvision's RandomCrop with padding."""
    top, left = torch.randint(0, 2 * CROP + 1, (2,)).tolist()
    height, width = image.shape[1:]
    return F.pad(image, (CROP, CROP, CROP, CROP))[:, top : top + height, left : left + width]


def random_horizontal_flip(image: Tensor) -> Tensor:
    return image.flip(2) if torch.rand(1) < 0.5 else image


def compose(*steps: Callable[[Tensor], Tensor]) -> Transform:
    def transform(image: npt.NDArray[np.uint8]) -> Tensor:
        pixels = to_tensor(image)
        for step in steps:
            pixels = step(pixels)
        return pixels

    return transform


def textbook(task: Task) -> Epoch:
    pictures, device = task.pictures, task.device
    augmentation = (random_crop, random_horizontal_flip) if task.augments else ()
    transform = compose(*augmentation, normalize(pictures.mean, pictures.std))
    dataset = PictureDataset(pictures.images, pictures.labels, transform)
    loader = DataLoader(
        dataset,
        batch_size=task.batch_size,
        shuffle=True,
        num_workers=task.workers,
        pin_memory=device.type == "cuda",
        persistent_workers=task.workers > 0,  # epochs are short here: starting them anew would count for too much
    )
    net = task.net()
    loss_fn = nn.CrossEntropyLoss()
    optimizer = task.optimizer(net)

    def epoch() -> float:
        net.train()
        total = 0.0
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            with task.autocast():
                loss = loss_fn(net(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / len(loader)

    return epoch
