"""Frames of any size as tiles of one size that the network takes.

Shapes: T frames, H x W pixels, C channels; n tiles a frame.
"""

from math import ceil
from typing import NamedTuple

import numpy as np
from einops import rearrange

from raysweep.data.decoding.decode import Frames

WHOLE_PIXELS = 2**21
"""Of a frame that is coded whole: 1920 x 1088. Tiles know nothing of one another, and their borders show."""


class Layout(NamedTuple):
    """Tiles side by side, row by row, over a frame that its last row and column fill up to the right and below."""

    height: int
    """Pixels of a frame, as its video has them."""
    width: int
    tile_height: int
    tile_width: int

    @property
    def rows(self) -> int:
        return ceil(self.height / self.tile_height)

    @property
    def columns(self) -> int:
        return ceil(self.width / self.tile_width)

    @property
    def tiles(self) -> int:
        """Of a frame."""
        return self.rows * self.columns

    def cut(self, frames_THWC: Frames) -> Frames:
        """Frames -> (T n) tiles, a frame's tiles one after another."""
        below = self.rows * self.tile_height - self.height
        right = self.columns * self.tile_width - self.width
        filled = np.pad(frames_THWC, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge")
        return rearrange(
            filled, "t (r h) (c w) rgb -> (t r c) h w rgb", r=self.rows, c=self.columns
        )

    def join(self, tiles_THWC: Frames) -> Frames:
        """Undoes `cut`."""
        filled = rearrange(
            tiles_THWC, "(t r c) h w rgb -> t (r h) (c w) rgb", r=self.rows, c=self.columns
        )
        return filled[:, : self.height, : self.width]


def layout_for(height: int, width: int, multiple: int, most_pixels: int = WHOLE_PIXELS) -> Layout:
    """As few tiles of at most `most_pixels` as cover a frame; their sides are multiples of `multiple` pixels."""
    rows = columns = 1
    while True:
        tile_height = _side(height, rows, multiple)
        tile_width = _side(width, columns, multiple)
        if tile_height * tile_width <= max(most_pixels, multiple**2):
            return Layout(height, width, tile_height, tile_width)
        if tile_height >= tile_width:
            rows += 1
        else:
            columns += 1


def _side(pixels: int, parts: int, multiple: int) -> int:
    return ceil(pixels / parts / multiple) * multiple
