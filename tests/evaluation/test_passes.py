"""Footage in passes: every frame once and in order, in clips of one length where they are whole."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from raysweep.evaluation.passes import FRAMES, Frame, in_passes


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([8, 16]), st.integers(1, 90)), max_size=4), st.integers(1, 9)
)
def test_every_frame_passes_once_and_in_order(stretches, length) -> None:
    frames = []
    for side, count in stretches:
        for _ in range(count):
            value = len(frames) % 256
            frames.append(Frame(str(len(frames)), np.full((side, side, 3), value, np.uint8)))
    passes = list(in_passes("a", frames, length))
    assert [label for one in passes for label in one.labels] == [frame.label for frame in frames]
    seen = [int(frame[0, 0, 0]) for one in passes for clip in one.clips_BTHWC for frame in clip]
    assert seen == [int(frame.frame_HWC[0, 0, 0]) for frame in frames]
    for one in passes:
        clips, frames_each = one.clips_BTHWC.shape[:2]
        assert clips * frames_each == len(one.labels) <= FRAMES
        assert frames_each == length or clips == 1
