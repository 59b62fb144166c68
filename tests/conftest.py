"""One torch thread: tests are many small tensors, and sums come out the same on every machine."""

import torch

torch.set_num_threads(1)
