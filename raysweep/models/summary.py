"""A tokenizer on one page: its layers, what they weigh, what a frame costs to code, and in how many bits.

Nothing is computed: a forward pass of PyTorch's fake tensors has shapes and no values, so that a model of
any size is described at once, without a GPU, and no weight of it is ever in memory.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from raysweep.models import ModelConfig, Tokenizer

LAYERS = 3
"""Depth of the table that shows what a family is made of."""
PARTS = 1
"""Depth of the table of a tokenizer's parts alone."""
COUNTED_ATTENTION = SDPBackend.MATH
"""As the two products that it is: torch's counter does not know its faster kernels on CPUs."""


class CodeMap(NamedTuple):
    """One map of codes of a frame."""

    ids: int
    """That a position can take."""
    downsampling: int
    """Pixels per position along one axis."""
    tokens: int
    """Positions of a frame."""


class Figures(NamedTuple):
    """What a tokenizer weighs, and what one frame costs."""

    parameters: int
    weight_bytes: int
    """Of parameters and buffers, as they are trained and exported (float32)."""
    encode_flops: int
    """Floating-point operations per frame in matrix products and convolutions; a multiply-add is two."""
    decode_flops: int
    """The same for decoding; a whole forward pass is the sum of both."""
    maps: tuple[CodeMap, ...]
    bits_per_pixel: float
    """Nominal."""

    @property
    def tokens(self) -> int:
        """Per frame, all code maps."""
        return sum(code_map.tokens for code_map in self.maps)


def measure(config: ModelConfig, resolution: int) -> Figures:
    """For square frames of `resolution` pixels; ConfigError when the model cannot code them."""
    return _described(config, resolution).figures


def summarize(config: ModelConfig, resolution: int, depth: int = LAYERS) -> str:
    """Layers down to `depth`, then the figures, for square frames of `resolution` pixels."""
    described = _described(config, resolution)
    figures = described.figures
    whole = figures.encode_flops + figures.decode_flops
    rows = [
        f"{'layer':<46}{'channels x h x w':<18}{'parameters':>14}",
        *_layers(described, depth),
        "",
        f"parameters          {figures.parameters:>14,}",
        f"weights             {figures.weight_bytes / 1e6:>14,.1f} MB, buffers and all",
        f"encode              {_flops(figures.encode_flops)}",
        f"decode              {_flops(figures.decode_flops)}",
        f"encode and decode   {_flops(whole)}",
        *_code_maps(figures, resolution),
        f"tokens per frame    {figures.tokens:>14,}",
        f"bits per pixel      {figures.bits_per_pixel:>14.4f}",
    ]
    return "\n".join(rows) + "\n"


class _Described(NamedTuple):
    tokenizer: Tokenizer
    """Without values."""
    figures: Figures
    shapes: Mapping[nn.Module, tuple[int, ...]]
    """Of a frame's way through it: what comes out of each layer that is called."""


def _described(config: ModelConfig, resolution: int) -> _Described:
    shapes: dict[nn.Module, tuple[int, ...]] = {}

    def note(layer: nn.Module, _: Any, output: Any) -> None:
        first = output if isinstance(output, Tensor) else output[0]
        shapes[layer] = tuple(first.shape[1:])

    with _without_values(config, resolution) as (tokenizer, frame_NCHW):
        for layer in tokenizer.modules():
            layer.register_forward_hook(note)
        with sdpa_kernel(COUNTED_ATTENTION), FlopCounterMode(display=False) as encoding:
            encoded = tokenizer.encode(frame_NCHW)
        with sdpa_kernel(COUNTED_ATTENTION), FlopCounterMode(display=False) as decoding:
            tokenizer.decode(encoded.latent)
    flops = encoding.get_total_flops(), decoding.get_total_flops()
    return _Described(tokenizer, _figures(tokenizer, resolution, *flops), shapes)


def _figures(
    tokenizer: Tokenizer, resolution: int, encode_flops: int, decode_flops: int
) -> Figures:
    weights = [*tokenizer.parameters(), *tokenizer.buffers()]
    maps = zip(tokenizer.codebook_sizes, tokenizer.downsampling, strict=True)
    return Figures(
        parameters=sum(parameter.numel() for parameter in tokenizer.parameters()),
        weight_bytes=sum(weight.numel() * weight.element_size() for weight in weights),
        encode_flops=encode_flops,
        decode_flops=decode_flops,
        maps=tuple(CodeMap(ids, factor, (resolution // factor) ** 2) for ids, factor in maps),
        bits_per_pixel=tokenizer.bits_per_pixel(resolution, resolution),
    )


@contextmanager
def _without_values(config: ModelConfig, resolution: int) -> Iterator[tuple[Tokenizer, Tensor]]:
    """The tokenizer and one frame, and the mode in which they pass for real ones.

    Meta tensors alone would not do: autocast, which quantizers switch off, knows no such device. Constants
    that a layer keeps beside its buffers (vector-quantize-pytorch's do) stay real.
    """
    with torch.device("meta"):
        tokenizer = config.build().eval()
    tokenizer.check_size(resolution, resolution)
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        yield tokenizer.to_empty(device="cpu"), torch.empty(1, 3, resolution, resolution)


def _layers(described: _Described, depth: int) -> Iterator[str]:
    """A line per layer, each below the one it belongs to; a layer that is not called has no output."""
    for path, module in described.tokenizer.named_modules():
        *above, name = path.split(".")
        if path and len(above) < depth:
            label = f"{'  ' * len(above)}{name} ({type(module).__name__})"
            shape = " x ".join(map(str, described.shapes.get(module, ())))
            weight = sum(parameter.numel() for parameter in module.parameters())
            yield f"{label:<46}{shape:<18}{weight:>14,}"


def _code_maps(figures: Figures, resolution: int) -> Iterator[str]:
    for number, (ids, factor, tokens) in enumerate(figures.maps):
        side = resolution // factor
        yield f"code map {number:<11}{tokens:>14,} tokens, {side} x {side}, of {ids:,} ids, {factor} px apart"


def _flops(flops: int) -> str:
    return f"{flops / 1e9:>14,.3f} GFLOPs per frame"
