"""What a trial's codes are used for: how often each, where they stand, and what the decoder makes of them there.

Shapes: T frames of a shot, H, W pixels, C = 3 (RGB uint8), h, w positions of a code map, K ids of a codebook.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from raysweep.data.decoding.decode import Frames
from raysweep.data.index.clips import spread
from raysweep.report.samples.pictures import coloured, embedded_exactly
from raysweep.schema import Config

SHOWN_CODES = 8
"""Of the most and of the least used codes, each; half of those that occur where that is fewer."""
OCCURRENCES = 4
"""Of each that are shown, at most."""
LEAST_PATCH = 16
"""Pixels along a side of what is shown around an occurrence, which is twice a position's own side where that is more."""


class Seen(NamedTuple):
    """A shot after the tokenizer."""

    frames_THWC: Frames
    psnr: tuple[float, ...]
    """dB of each frame."""
    codes: tuple[NDArray[np.int64], ...]
    """(T, h, w) of each code map."""


class Patch(Config):
    """Places of the reconstructions where a code occurs, side by side."""

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
    """Highest count first; of codes as common as one another, the lower id."""
    least_used: tuple[Patch, ...]
    """Lowest count first, of codes that occur."""


@dataclass(frozen=True)
class CodeUse:
    """Of one code map."""

    shots: Sequence[Seen]
    at: int
    """Which map."""
    size: int
    """Ids that a position can take."""
    pixels: int
    """Per position along one axis."""

    def sample(self) -> MapSample:
        counts_K = self._counts
        ids = np.flatnonzero(counts_K)
        shown = max(1, min(SHOWN_CODES, len(ids) // 2))
        rising = ids[np.argsort(counts_K[ids], kind="stable")]
        falling = ids[np.argsort(-counts_K[ids], kind="stable")]
        return MapSample(
            codes=self.size,
            pixels=self.pixels,
            pictures=tuple(embedded_exactly(coloured(it, self.size)) for it in self._maps),
            counts=tuple(counts_K[falling].tolist()),
            most_used=tuple(self._patch(code) for code in falling[:shown].tolist()),
            least_used=tuple(self._patch(code) for code in rising[:shown].tolist()),
        )

    @property
    def _maps(self) -> list[NDArray[np.int64]]:
        """(T, h, w) of each shot."""
        return [shot.codes[self.at] for shot in self.shots]

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        every = np.concatenate([codes.ravel() for codes in self._maps])
        return np.bincount(every, minlength=self.size)

    def _patch(self, code: int) -> Patch:
        crops_HWC = list(self._crops(code))
        picture = embedded_exactly(np.concatenate(crops_HWC, axis=1)[None])
        return Patch(code=code, count=int(self._counts[code]), picture=picture)

    def _crops(self, code: int) -> Iterator[Frames]:
        places = [
            (shot, *place)
            for shot, codes_Thw in enumerate(self._maps)
            for place in np.argwhere(codes_Thw == code).tolist()
        ]
        for shot, t, down, right in spread(places, OCCURRENCES):
            frame_HWC = self.shots[shot].frames_THWC[t]
            rows, columns = (
                self._window(position, pixels)
                for position, pixels in zip((down, right), frame_HWC.shape, strict=False)
            )
            yield frame_HWC[rows, columns]

    def _window(self, position: int, pixels: int) -> slice:
        """Around a position, along an axis of so many pixels."""
        side = min(pixels, max(LEAST_PATCH, 2 * self.pixels))
        middle = position * self.pixels + self.pixels // 2
        start = min(max(0, middle - side // 2), pixels - side)
        return slice(start, start + side)
