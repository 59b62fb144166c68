"""Promises about resampling: film at its own rate stays as it is, and no frame is shown far from its time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.data.decoding.resample import LONGEST_SECONDS, Timed, resample, rising


def resampled(seconds, fps):
    return list(resample((Timed(at, n) for n, at in enumerate(seconds)), fps))


@pytest.mark.parametrize(
    ("seconds", "fps", "expected"),
    [
        ([], 10, []),
        ([7.5], 10, [0]),
        ([0, 0.1, 0.2, 0.3], None, [0, 1, 2, 3]),
        ([0, 0.1, 0.2, 0.3], 10, [0, 1, 2, 3]),
        ([5, 5.1, 5.2, 5.3], 10, [0, 1, 2, 3]),
        ([0, 0.1, 0.2, 0.3], 5, [0, 2]),
        ([0, 0.1, 0.2, 0.3], 20, [0, 0, 1, 1, 2, 2, 3, 3]),
        ([0, 0.1, 0.2, 0.3, 0.4], 1, [0]),
        ([0, 0.3, 0.4, 0.5], 10, [0, 0, 1, 1, 2, 3]),
        ([0, 0.125, 0.25, 0.5, 0.75], 4, [0, 2, 3, 4]),
    ],
    ids=["none", "one", "as filmed", "same", "late", "half", "twice", "rare", "still", "slower"],
)
def test_the_nearest_frame_is_taken(seconds, fps, expected):
    assert resampled(seconds, fps) == expected


@given(
    st.sampled_from([10.0, 23.976, 24.0, 25.0, 29.97, 30.0, 59.94, 60.0, 120.0]),
    st.integers(1, 300),
)
def test_film_at_its_own_rate_stays_as_it_is_though_times_are_rounded(fps, frames):
    to_milliseconds = [round(n / fps, 3) for n in range(frames)]
    assert resampled(to_milliseconds, fps) == list(range(frames))


@given(
    st.lists(st.floats(0.001, 0.5), min_size=1, max_size=60),
    st.floats(0.5, 100),
    st.floats(0, 10),
)
def test_each_output_is_the_nearest_frame_and_all_the_time_is_filled(lasting, fps, start):
    seconds = [start]
    for duration in lasting:
        seconds.append(seconds[-1] + duration)
    shown = resampled(seconds, fps)
    assert shown == sorted(shown)
    for k, frame in enumerate(shown):
        moment = start + k / fps
        nearest = min(abs(at - moment) for at in seconds)
        assert abs(seconds[frame] - moment) <= nearest + 1e-9
    end = seconds[-1] + lasting[-1]
    assert abs(start + len(shown) / fps - end) <= 1 / fps + 1e-9


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (10.04, 10.04),
        (10 + LONGEST_SECONDS, 10 + LONGEST_SECONDS),
        (10.0, 10.5),
        (0.0, 10.5),
        (4e4, 10.5),
    ],
    ids=["next", "a long still", "the same time", "no time", "a jump"],
)
def test_time_goes_on(claimed, expected):
    assert rising(10.0, claimed, period=0.5) == expected
