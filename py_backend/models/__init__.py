"""The models that a config can name."""

from ..choice import find_in
from . import fashion_mnist_cnn, mnist_cnn, resnet18
from .contract import ModelDefinition

MODELS: dict[str, ModelDefinition] = {
    "mnist-cnn": mnist_cnn.MODEL,
    "fashion-mnist-cnn": fashion_mnist_cnn.MODEL,
    "resnet18": resnet18.MODEL,
}


def find(name: str) -> ModelDefinition:
    """The model of this name. Raises BackendError (unknown_name)."""
    return find_in(MODELS, "model", name)
