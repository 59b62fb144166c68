"""torch.compile of what lies between frames and codes; quantizers, which count and draw, stay as they are."""

from torch import nn

from raysweep.models.quantizers import Quantizer


def compile_parts(network: nn.Module) -> None:
    """Compiles, in place, the largest parts of `network` without a quantizer; keys do not change."""
    for part in network.children():
        if isinstance(part, Quantizer):
            continue
        mixed = any(isinstance(module, Quantizer) for module in part.modules())
        if mixed or isinstance(part, nn.ModuleList | nn.ModuleDict):
            compile_parts(part)
        else:
            part.compile()
