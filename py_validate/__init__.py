"""Validation: plain PyTorch beside the backend, asked by `ibatch validate`; and the module that takes orders home."""
