"""Frames of any size come back from their tiles, and tiles are what the network takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysweep.codec.layout import Layout, layout_for

SIDES = st.integers(1, 90)


@settings(deadline=None)
@given(SIDES, SIDES, st.sampled_from([1, 4, 8, 16]), st.sampled_from([1, 300, 1000, 10**6]))
def test_frames_come_back_from_tiles_that_the_network_takes(height, width, multiple, most) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    layout = layout_for(height, width, multiple, most)
    tiles = layout.cut(frames)
    assert tiles.shape == (2 * layout.tiles, layout.tile_height, layout.tile_width, 3)
    assert layout.tile_height % multiple == layout.tile_width % multiple == 0
    assert layout.tile_height * layout.tile_width <= max(most, multiple**2)
    assert np.array_equal(layout.join(tiles), frames)


# height, width, multiple, most pixels of a tile -> tiles across, down, and what they are filled up to
PLANS = [
    ((480, 854, 16, 2**21), (1, 1, 480, 864)),
    ((1080, 1920, 16, 2**21), (1, 1, 1088, 1920)),
    ((2160, 3840, 16, 2**21), (2, 2, 1088, 1920)),
    ((1, 1, 16, 2**21), (1, 1, 16, 16)),
]


@pytest.mark.parametrize(("asked", "planned"), PLANS, ids=str)
def test_frames_are_whole_up_to_a_size_and_then_in_few_tiles(asked, planned) -> None:
    layout = layout_for(*asked)
    assert (layout.columns, layout.rows, layout.tile_height, layout.tile_width) == planned


def test_a_frame_is_filled_up_with_its_last_row_and_column() -> None:
    frame = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    filled = Layout(2, 3, 4, 4).cut(frame)[0, ..., 0]
    assert filled.tolist() == [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]]
