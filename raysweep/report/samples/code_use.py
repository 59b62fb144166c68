"""What a trial's codes are used for: how often each, which patches they decode to, and where they stand.

Shapes: T frames of a shot, h, w positions of a code map, K ids of a codebook, P patches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from einops import repeat
from numpy.typing import NDArray
from torch import Tensor

from raysweep.data.decoding.decode import Frames
from raysweep.models import Tokenizer
from raysweep.report.samples.pictures import coloured, embedded_exactly, to_pictures
from raysweep.schema import Config

SHOWN_CODES = 8
"""Of the most and of the least used codes, each; half of a codebook where that is fewer."""
PATCH_POSITIONS = 4
"""Positions along an axis of the coarsest code map that are decoded for a patch, of which the middle half is shown:
at the border, padding shows."""

Maps = Sequence[NDArray[np.int64]]


class Patch(Config):
    """What a code decodes to where it fills the whole map, and each other map holds its own most used code."""

    code: int
    count: int
    """Positions that hold it, in the shots."""
    picture: str
    """WebP as base64."""


class MapSample(Config):
    """One code map of a trial."""

    codes: int
    """Ids that a position can take."""
    pixels: int
    """Pixels per position along one axis."""
    pictures: tuple[str, ...]
    """The map of each shot in colours, a pixel for each position; WebP as base64."""
    counts: tuple[int, ...]
    """Positions of the shots that hold a code, highest first; of codes that occur."""
    most_used: tuple[Patch, ...]
    """Highest count first."""
    least_used: tuple[Patch, ...]
    """Lowest count first; of codes as rare as one another, the lower id."""


@dataclass(frozen=True)
class CodeUse:
    tokenizer: Tokenizer
    shots: Sequence[Maps]
    """What each was coded as: (T, h, w) of each code map."""
    device: torch.device

    def of_maps(self) -> tuple[MapSample, ...]:
        """In the order of `Tokenizer.codebook_sizes`."""
        return tuple(self._of_map(at) for at in range(len(self.tokenizer.codebook_sizes)))

    @cached_property
    def _counts(self) -> list[NDArray[np.int64]]:
        """(K,) of each code map."""
        return [
            np.bincount(np.concatenate([codes.ravel() for codes in of_map]), minlength=size)
            for of_map, size in zip(
                zip(*self.shots, strict=True), self.tokenizer.codebook_sizes, strict=True
            )
        ]

    def _of_map(self, at: int) -> MapSample:
        counts_K = self._counts[at]
        size = len(counts_K)
        shown = min(SHOWN_CODES, size // 2)
        return MapSample(
            codes=size,
            pixels=self.tokenizer.downsampling[at],
            pictures=tuple(embedded_exactly(coloured(maps[at], size)) for maps in self.shots),
            counts=tuple(np.sort(counts_K[counts_K > 0])[::-1].tolist()),
            most_used=self._patches(at, np.argsort(-counts_K, kind="stable")[:shown]),
            least_used=self._patches(at, np.argsort(counts_K, kind="stable")[:shown]),
        )

    def _patches(self, at: int, ids_P: NDArray[np.int64]) -> tuple[Patch, ...]:
        patches_PHWC = self._decoded(at, ids_P) if len(ids_P) else ()
        return tuple(
            Patch(
                code=code,
                count=int(self._counts[at][code]),
                picture=embedded_exactly(patch_HWC[None]),
            )
            for code, patch_HWC in zip(ids_P.tolist(), patches_PHWC, strict=True)
        )

    def _decoded(self, at: int, ids_P: NDArray[np.int64]) -> Frames:
        """PHWC."""
        side = PATCH_POSITIONS * max(self.tokenizer.downsampling)
        filling = [np.full_like(ids_P, counts_K.argmax()) for counts_K in self._counts]
        filling[at] = ids_P
        maps = tuple(
            self._filled(ids, side // factor)
            for ids, factor in zip(filling, self.tokenizer.downsampling, strict=True)
        )
        middle = slice(side // 4, side - side // 4)
        return to_pictures(self.tokenizer.decode_codes(maps))[:, middle, middle]

    def _filled(self, ids_P: NDArray[np.int64], side: int) -> Tensor:
        """P maps of `side` x `side` positions."""
        ids = torch.from_numpy(ids_P).to(self.device)
        return repeat(ids, "p -> p h w", h=side, w=side).contiguous()
