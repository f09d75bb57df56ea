"""The PyTorch backend of importance-batching: holds data and model, computes what it is sent, decides nothing."""

__version__ = "0.1.0"
