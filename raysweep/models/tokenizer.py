"""What every tokenizer is: frames to codes and back.

Shapes: N frames, C=3 RGB channels, H W pixels, D latent channels, h w code positions. Frames are float
RGB in [-1, 1]. Codes are int64, one map (N, h, w) after another: the finest level first, and within a
level one map per head or residual stage of its quantizer.
"""

from abc import ABC, abstractmethod
from math import log2
from pathlib import Path
from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor, nn

from raysweep.errors import ConfigError
from raysweep.models.quantizers.base import Quantized, Quantizer, perplexity
from raysweep.schema import Config


class TokenizerConfig(Config, ABC):
    """What all families are asked. A family adds `kind`, its sizes and its `quantizer`."""

    checkpoint: Path | None = None
    """Weights that a run starts from: a published checkpoint, or an earlier run's; None: random ones.
    Read once, when a run starts, and never by `build`: an exported model does without it."""
    checkpoint_bgr: bool = False
    """The checkpoint was trained on frames whose channels came blue first: swap those of its first and
    last convolution on loading."""

    @abstractmethod
    def build(self) -> "Tokenizer":
        """The model with random weights."""


class Level(NamedTuple):
    """One code resolution of a tokenizer."""

    quantizer: Quantizer
    downsampling: int
    """Pixels per code position along one axis."""


class Encoded(NamedTuple):
    """`latent`: what the decoder takes, already quantized, one (N, D, h, w) per level; `codes`: the maps;
    `codebook_loss` and `commitment` (see `Quantized`): scalars, of this rank's batch, sums over the levels."""

    latent: tuple[Tensor, ...]
    codes: tuple[Tensor, ...]
    codebook_loss: Tensor
    commitment: Tensor

    @classmethod
    def of(cls, *levels: Quantized) -> "Encoded":
        """Finest first."""
        return cls(
            tuple(level.latent_NDhw for level in levels),
            tuple(codes for level in levels for codes in level.codes),
            torch.stack([level.loss for level in levels]).sum(),
            torch.stack([level.commitment for level in levels]).sum(),
        )


class Decoded(NamedTuple):
    """A whole forward pass. `codebook_loss`, `commitment` and `perplexity` are scalars: the first two of this
    rank's batch, the perplexity in training mode of the batches of all ranks."""

    frames_NCHW: Tensor
    codes: tuple[Tensor, ...]
    codebook_loss: Tensor
    commitment: Tensor
    perplexity: Tensor


class Tokenizer(nn.Module, ABC):
    """The interface that training, export and the codec use; they know no family."""

    @abstractmethod
    def encode(self, frames_NCHW: Tensor) -> Encoded:
        """The latent carries straight-through gradients."""

    @abstractmethod
    def decode(self, latent: tuple[Tensor, ...]) -> Tensor:
        """Quantized latents, one per level -> frames (N, C, H, W), about [-1, 1]."""

    @property
    @abstractmethod
    def levels(self) -> tuple[Level, ...]:
        """Finest first."""

    @property
    @abstractmethod
    def last_layer(self) -> Tensor:
        """Weight of the final convolution: where the adaptive GAN weight is measured."""

    def forward(self, frames_NCHW: Tensor) -> Decoded:
        encoded = self.encode(frames_NCHW)
        spread = perplexity(encoded.codes, self.codebook_sizes, all_ranks=self.training)
        return Decoded(
            self.decode(encoded.latent),
            encoded.codes,
            encoded.codebook_loss,
            encoded.commitment,
            spread,
        )

    def decode_codes(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Code maps as `encode` gives them -> frames (N, C, H, W), about [-1, 1]."""
        maps, latent = iter(codes), []
        for quantizer, _ in self.levels:
            latent.append(quantizer.vectors(tuple(next(maps) for _ in quantizer.codebook_sizes)))
        return self.decode(tuple(latent))

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        """Ids that a position can take, per code map."""
        return tuple(size for level in self.levels for size in level.quantizer.codebook_sizes)

    @property
    def downsampling(self) -> tuple[int, ...]:
        """Pixels per code position along one axis, per code map."""
        return tuple(
            level.downsampling for level in self.levels for _ in level.quantizer.codebook_sizes
        )

    def flatten(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Code maps -> (N, tokens): map after map, each row by row."""
        return torch.cat([rearrange(one, "n h w -> n (h w)") for one in codes], 1)

    def unflatten(self, tokens: Tensor, height: int, width: int) -> tuple[Tensor, ...]:
        """(N, tokens) of frames of `height` x `width` pixels -> code maps; undoes `flatten`."""
        self.check_size(height, width)
        expected = self.tokens_per_frame(height, width)
        if tokens.shape[1] != expected:
            raise ConfigError(
                f"a frame of {height}x{width} px has {expected} tokens in this model, got {tokens.shape[1]}. "
                "Give the size of the frames that the tokens were made from."
            )
        shapes = [(height // factor, width // factor) for factor in self.downsampling]
        parts = tokens.split([h * w for h, w in shapes], 1)
        return tuple(part.view(-1, h, w) for part, (h, w) in zip(parts, shapes, strict=True))

    def tokens_per_frame(self, height: int, width: int) -> int:
        return sum((height // factor) * (width // factor) for factor in self.downsampling)

    def bits_per_pixel(self, height: int, width: int) -> float:
        """Nominal: log2 K bits a position, all code maps."""
        maps = zip(self.codebook_sizes, self.downsampling, strict=True)
        bits = sum(log2(size) * (height // f) * (width // f) for size, f in maps)
        return bits / (height * width)

    def check_size(self, height: int, width: int) -> None:
        """Raises ConfigError when a frame of this size cannot be coded."""
        multiple = max(self.downsampling)
        if height % multiple or width % multiple or not height or not width:
            raise ConfigError(
                f"frame height and width must be multiples of {multiple} for this model, got "
                f"{height}x{width}. Use {_nearest(height, multiple)}x{_nearest(width, multiple)}."
            )


class OneLevelTokenizer(Tokenizer):
    """An encoder, a quantizer and a decoder: codes of one resolution."""

    quantize: Quantizer
    factor: int
    """Pixels per code position along one axis."""

    @abstractmethod
    def to_latent(self, frames_NCHW: Tensor) -> Tensor:
        """Frames -> what is quantized, (N, D, h, w)."""

    @abstractmethod
    def from_latent(self, latent_NDhw: Tensor) -> Tensor:
        """What was quantized -> frames."""

    def encode(self, frames_NCHW: Tensor) -> Encoded:
        return Encoded.of(self.quantize(self.to_latent(frames_NCHW)))

    def decode(self, latent: tuple[Tensor, ...]) -> Tensor:
        (latent_NDhw,) = latent
        return self.from_latent(latent_NDhw)

    @property
    def levels(self) -> tuple[Level, ...]:
        return (Level(self.quantize, self.factor),)


def _nearest(pixels: int, multiple: int) -> int:
    """Above 0; of two as near, the smaller."""
    return max(1, (pixels + (multiple - 1) // 2) // multiple) * multiple
