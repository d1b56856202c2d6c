"""The tiny random model of the tests; one thread, so that test processes do not fight over cores."""

import torch

from aquilamed.models.tiny import make

torch.set_num_threads(1)

__all__ = ["make"]
