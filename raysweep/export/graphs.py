"""A tokenizer as two computation graphs that do without raysweep: frames -> code maps, and code maps -> frames.

Shapes: N frames, H height, W width, h w code positions.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from raysweep.errors import ConfigError, ExperimentError
from raysweep.models import ModelConfig, Tokenizer

TOLERANCE = 1e-4
"""Between reconstructions of the same codes, of values in [-1, 1]."""
NEAR_TIES = 1e-3
"""Share of the codes that may be others: what lies between two codes is taken for either, as the rounding goes."""

Codes = tuple[Tensor, ...]
Encode = Callable[[Tensor], Codes]
Decode = Callable[[Codes], Tensor]


class Encoding(nn.Module):
    """Frames (N, 3, H, W), RGB float32 in [-1, 1] -> int64 code maps (N, h, w)."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    def forward(self, frames_NCHW: Tensor) -> Codes:
        return self.tokenizer.encode(frames_NCHW).codes


class Decoding(nn.Module):
    """int64 code maps (N, h, w) -> frames (N, 3, H, W), RGB float32, about [-1, 1]."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    def forward(self, *codes: Tensor) -> Tensor:
        return self.tokenizer.decode_codes(codes)


class Programs(NamedTuple):
    encoder: ExportedProgram
    decoder: ExportedProgram


class Agreement(NamedTuple):
    """Between what was written, opened again, and the model."""

    largest_difference: float
    """Of reconstructions of the same codes, of values in [-1, 1]."""
    other_codes: int
    codes: int
    """Compared, of all code maps."""


def require_graph(config: ModelConfig) -> None:
    """ConfigError for a model whose codes are no function of a frame."""
    quantizer = config.quantizer
    if quantizer.kind == "optvq" and quantizer.exact:
        raise ConfigError(
            "a graph codes each frame by itself, and with model.quantizer.exact a frame's codes depend on the others of "
            "its batch. Export it as safetensors."
        )


def trace(tokenizer: Tokenizer, side: int) -> Programs:
    """For any number of frames, of any size that the model takes."""
    frames = _noise(2, side, side)
    with torch.no_grad():
        codes = tokenizer.encode(frames).codes
        encoder = torch.export.export(
            Encoding(tokenizer).eval(), (frames,), dynamic_shapes=(_any(0, 2, 3),)
        )
        decoder = torch.export.export(
            Decoding(tokenizer).eval(), codes, dynamic_shapes=((_any(0, 1, 2),) * len(codes),)
        )
    programs = Programs(encoder, decoder)
    for program in programs:
        _require_any_size(program)
    return programs


@torch.no_grad()
def require_agreement(
    form: str, tokenizer: Tokenizer, side: int, encode: Encode, decode: Decode
) -> Agreement:
    """ExperimentError unless the graphs do what the model does, on noise of several sizes."""
    largest, other, count = 0.0, 0, 0
    for frames in _test_frames(max(tokenizer.downsampling), side):
        codes = tokenizer.encode(frames).codes
        reconstruction = tokenizer.decode_codes(codes)
        other += sum(int((a != b).sum()) for a, b in zip(encode(frames), codes, strict=True))
        count += sum(ids.numel() for ids in codes)
        largest = max(largest, float((decode(codes) - reconstruction).abs().max()))
    found = Agreement(largest, other, count)
    if largest > TOLERANCE or other > NEAR_TIES * count:
        raise ExperimentError(
            f"a graph must do what the model does, to {TOLERANCE:g} and with the same codes, and {form} differs by "
            f"{largest:.2g} and in {other} of {count} codes. Export it as safetensors."
        )
    return found


def _require_any_size(program: ExportedProgram) -> None:
    """What an operation makes a constant of is one in the graph: it would then take nothing else."""
    given = program.graph_signature.user_inputs
    nodes = [node for node in program.graph.nodes if node.name in given]
    fixed = [
        f"{node.name} of {tuple(node.meta['val'].shape)}"
        for node in nodes
        if sum(isinstance(size, int) for size in node.meta["val"].shape) > node.meta["val"].ndim - 3
    ]
    if fixed:
        raise ConfigError(
            f"a graph takes any number of frames of any size, and this model's takes {', '.join(fixed)} alone. Export it "
            "as safetensors."
        )


def _test_frames(multiple: int, side: int) -> Iterator[Tensor]:
    yield _noise(2, side, side)
    yield _noise(1, side + multiple, side)
    yield _noise(3, side, side + 2 * multiple)


def _noise(frames: int, height: int, width: int) -> Tensor:
    """Waves under noise, in [-1, 1]."""
    generator = torch.Generator().manual_seed(0)
    phase = 6 * torch.rand(frames, 3, 1, 1, generator=generator)
    rows, columns = torch.linspace(0, 9, height)[:, None], torch.linspace(0, 7, width)
    waves = torch.sin(rows + columns + phase)
    noise = torch.rand(frames, 3, height, width, generator=generator) * 2 - 1
    return 0.7 * waves + 0.3 * noise


def _any(*dimensions: int) -> dict[int, Any]:
    return dict.fromkeys(dimensions, Dim.AUTO)
