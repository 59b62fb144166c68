"""torch.compile of what lies between frames and codes; quantizers, which count and draw, stay as they are."""

import torch
import torch._functorch.config
from torch import nn

from raysweep.models import Tokenizer
from raysweep.models.quantizers import Quantizer


def compile_tokenizer(tokenizer: Tokenizer) -> None:
    """Compiles its parts, in place; keys do not change.

    The last layer is left out: the adaptive weight takes gradients at it alone, and would run the backward
    pass of all that is compiled with it. What follows that layer runs its own backward pass several times.
    """
    for module in tokenizer.modules():
        if any(parameter is tokenizer.last_layer for parameter in module.parameters(recurse=False)):
            module.forward = torch.compiler.disable(module.forward)
    torch._functorch.config.donated_buffer = False
    _compile_parts(tokenizer)


def _compile_parts(network: nn.Module) -> None:
    """The largest parts of `network` that hold no quantizer."""
    for part in network.children():
        if isinstance(part, Quantizer):
            continue
        mixed = any(isinstance(module, Quantizer) for module in part.modules())
        if mixed or isinstance(part, nn.ModuleList | nn.ModuleDict):
            _compile_parts(part)
        else:
            part.compile()
