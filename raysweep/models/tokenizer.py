"""What every tokenizer is: frames to codes and back.

Shapes: N frames, C=3 RGB channels, H W pixels, h w code positions. Frames are float RGB in [-1, 1];
codes are int64, one map (N, h, w) per level, finest first.
"""

from abc import ABC, abstractmethod
from math import log2
from typing import NamedTuple

from torch import Tensor, nn

from raysweep.errors import ConfigError


class Encoded(NamedTuple):
    """`latent`: what the decoder takes, already quantized; `codes`: one (N, h, w) map per level."""

    latent: tuple[Tensor, ...]
    codes: tuple[Tensor, ...]


class Decoded(NamedTuple):
    """A whole forward pass. `codebook_loss` and `perplexity` are scalars: the loss of this rank's
    batch, the perplexity in training mode of the batches of all ranks."""

    frames_NCHW: Tensor
    codes: tuple[Tensor, ...]
    codebook_loss: Tensor
    perplexity: Tensor


class Tokenizer(nn.Module, ABC):
    """The interface that training, export and the codec use; they know no family."""

    @abstractmethod
    def encode(self, frames_NCHW: Tensor) -> Encoded: ...

    @abstractmethod
    def decode_codes(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Codes, one map per level -> frames (N, C, H, W), about [-1, 1]."""

    @abstractmethod
    def forward(self, frames_NCHW: Tensor) -> Decoded: ...

    @property
    @abstractmethod
    def last_layer(self) -> Tensor:
        """Weight of the final convolution: where the adaptive GAN weight is measured."""

    @property
    @abstractmethod
    def codebook_sizes(self) -> tuple[int, ...]:
        """Ids a position can take, per level."""

    @property
    @abstractmethod
    def downsampling(self) -> tuple[int, ...]:
        """Pixels per code position along one axis, per level."""

    def tokens_per_frame(self, height: int, width: int) -> int:
        return sum((height // factor) * (width // factor) for factor in self.downsampling)

    def bits_per_pixel(self, height: int, width: int) -> float:
        """Nominal: log2 K bits a position, all levels."""
        levels = zip(self.codebook_sizes, self.downsampling, strict=True)
        bits = sum(log2(size) * (height // f) * (width // f) for size, f in levels)
        return bits / (height * width)

    def check_size(self, height: int, width: int) -> None:
        """Raises ConfigError when a frame of this size cannot be coded."""
        multiple = max(self.downsampling)
        if height % multiple or width % multiple:
            raise ConfigError(
                f"frame height and width must be multiples of {multiple} for this model, got "
                f"{height}x{width}. Use {max(1, height // multiple) * multiple}x"
                f"{max(1, width // multiple) * multiple}."
            )
