"""Training loops as users of PyTorch write them, to hold the speed of ours against; started by `ibatch bench`."""
