"""A tokenizer for arrays of uint8 frames, of which a few pass through the network at once.

Shapes: T frames, H x W pixels, C=3 RGB channels, h x w code positions.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from raysweep.codec.identity import identity
from raysweep.data.decoding.decode import Frames
from raysweep.errors import ConfigError
from raysweep.models import ModelConfig, Tokenizer
from raysweep.training.evaluate import to_frames

PASS_FRAMES = 32
"""That pass through the network at once, at most."""
PASS_PIXELS = 2**18
"""Of the frames that pass through the network at once, unless it is one: four of 256 x 256."""

Codes = tuple[Tensor, ...]
"""One int64 tensor (T, h, w) per code map (`Tokenizer.codebook_sizes`), on the CPU."""


class Network:
    """A tokenizer that does not train, and the device that it runs on.

    The same frames in the same passes give the same codes and pixels again, on one machine; a pass begins at
    every `frames_per_pass` of an array.
    """

    def __init__(self, tokenizer: Tokenizer, settings: ModelConfig, device: torch.device) -> None:
        """`settings`: what `tokenizer` was built by."""
        self.tokenizer, self.device = tokenizer.to(device).eval(), device
        self._settings = settings

    @cached_property
    def identity(self) -> bytes:
        """By which a token file knows its model."""
        return identity(self.tokenizer, self._settings)

    @torch.inference_mode()
    def encode(self, frames_THWC: Frames) -> Codes:
        """ConfigError where they are not such frames, or of a size that the model cannot take."""
        _require_frames(frames_THWC)
        height, width = frames_THWC.shape[1:3]
        self.tokenizer.check_size(height, width)
        passes = torch.from_numpy(np.ascontiguousarray(frames_THWC)).split(
            frames_per_pass(height, width)
        )
        coded = [self.tokenizer.encode(to_frames(part[None], self.device)).codes for part in passes]
        return tuple(torch.cat(level).cpu() for level in zip(*coded, strict=True))

    def decode(self, codes: Codes) -> Frames:
        """(T, H, W, 3), rounded to uint8; ConfigError where the codes are not of this model."""
        return np.concatenate(list(self.decode_passes(codes)))

    @torch.inference_mode()
    def decode_passes(self, codes: Codes) -> Iterator[Frames]:
        """The same, a pass at a time."""
        at_once = frames_per_pass(*self._size_of(codes))
        for part in zip(*(level.split(at_once) for level in codes), strict=True):
            decoded = self.tokenizer.decode_codes(tuple(ids.to(self.device) for ids in part))
            yield _to_uint8(decoded)

    def _size_of(self, codes: Codes) -> tuple[int, int]:
        """Height and width of their frames."""
        sizes, factors = self.tokenizer.codebook_sizes, self.tokenizer.downsampling
        if len(codes) != len(sizes):
            raise ConfigError(
                f"a frame has {len(sizes)} code maps in this model, got {len(codes)}. Give all that `encode` gave."
            )
        for ids_Thw, size in zip(codes, sizes, strict=True):
            _require_ids(ids_Thw, size)
        shapes = {
            (len(ids), ids.shape[1] * f, ids.shape[2] * f)
            for ids, f in zip(codes, factors, strict=True)
        }
        if len(shapes) != 1:
            raise ConfigError(
                f"code maps must be of the same frames, got shapes {[tuple(ids.shape) for ids in codes]} "
                f"at {factors} pixels a position. Give them as `encode` gave them."
            )
        ((_, height, width),) = shapes
        return height, width


def frames_per_pass(height: int, width: int) -> int:
    """Of this size, that pass through the network at once."""
    return max(1, min(PASS_FRAMES, PASS_PIXELS // (height * width)))


def _require_frames(frames_THWC: Frames) -> None:
    shape, kind = frames_THWC.shape, frames_THWC.dtype
    if kind != np.uint8 or len(shape) != 4 or shape[3] != 3 or shape[0] == 0:
        raise ConfigError(
            f"frames must be RGB of uint8, T x H x W x 3 with T > 0, got {kind} of shape {shape}. "
            "Give grey ones three times, and a single one as frame[None]."
        )


def _require_ids(ids_Thw: Tensor, size: int) -> None:
    if ids_Thw.is_floating_point() or ids_Thw.ndim != 3 or ids_Thw.numel() == 0:
        raise ConfigError(
            f"a code map must be integers of shape (T, h, w), got {ids_Thw.dtype} of {tuple(ids_Thw.shape)}. "
            "Give it as `encode` gave it."
        )
    low, high = int(ids_Thw.min()), int(ids_Thw.max())
    if low < 0 or high >= size:
        raise ConfigError(
            f"codes of this model are 0 to {size - 1}, got {low} to {high}. Give those of the model that made them."
        )


def _to_uint8(frames_NCHW: Tensor) -> Frames:
    pixels = frames_NCHW.clamp(-1, 1).add(1).mul(127.5).round().byte()
    return rearrange(pixels, "n c h w -> n h w c").cpu().numpy()
