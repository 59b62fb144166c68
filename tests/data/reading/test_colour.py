"""Promises about colour jitter: torchvision's maps, the same for all frames of a clip, nothing for nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional

from raysweep.data.reading.colour import AS_FILMED, Colour, recoloured

CLIP_THWC = np.random.default_rng(0).integers(0, 256, (3, 8, 10, 3), np.uint8)
GREYS_THWC = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)

factors = st.floats(0.05, 1.95)
turns = st.floats(-0.5, 0.5)


def torchvision(function, clip_THWC, amount):
    """Of all frames as one picture, as contrast needs it."""
    tall_HWC = torch.from_numpy(clip_THWC.reshape(-1, *clip_THWC.shape[2:]))
    changed_CHW = function(tall_HWC.permute(2, 0, 1), amount)
    return changed_CHW.permute(1, 2, 0).reshape(clip_THWC.shape).numpy()


def distance(clip, other):
    return np.abs(clip.astype(int) - other.astype(int)).max()


def test_nothing_changes_nothing():
    assert np.array_equal(recoloured(CLIP_THWC, AS_FILMED), CLIP_THWC)


@pytest.mark.parametrize(
    ("colour", "function", "amount"),
    [
        (Colour(brightness=0.6), functional.adjust_brightness, 0.6),
        (Colour(brightness=1.5), functional.adjust_brightness, 1.5),
        (Colour(contrast=0.4), functional.adjust_contrast, 0.4),
        (Colour(contrast=1.3), functional.adjust_contrast, 1.3),
        (Colour(saturation=0.2), functional.adjust_saturation, 0.2),
        (Colour(saturation=1.7), functional.adjust_saturation, 1.7),
        (Colour(hue=1 / 3), functional.adjust_hue, 1 / 3),
        (Colour(hue=-1 / 3), functional.adjust_hue, -1 / 3),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_each_map_is_torchvisions_which_rounds_down_up_to_twice(colour, function, amount):
    theirs = torchvision(function, CLIP_THWC, amount)
    assert distance(recoloured(CLIP_THWC, colour), theirs) <= 2


@given(turns, factors)
def test_grey_stays_as_it_is_whatever_the_hue_and_saturation(hue, saturation):
    assert distance(recoloured(GREYS_THWC, Colour(saturation=saturation, hue=hue)), GREYS_THWC) <= 1


@given(st.builds(Colour, factors, factors, factors, turns))
def test_what_stands_still_goes_on_standing_still(colour):
    still_THWC = np.stack([CLIP_THWC[0], CLIP_THWC[1], CLIP_THWC[0]])
    first, _, third = recoloured(still_THWC, colour)
    assert np.array_equal(first, third)


@given(st.floats(0.3, 1.2))
def test_brightness_scales_the_mean(factor):
    dim_THWC = CLIP_THWC // 2
    mean = recoloured(dim_THWC, Colour(brightness=factor)).mean()
    assert mean == pytest.approx(factor * dim_THWC.mean(), abs=0.5)


@given(factors)
def test_contrast_leaves_the_mean_grey(factor):
    middling_THWC = CLIP_THWC // 4 + 96
    changed = recoloured(middling_THWC, Colour(contrast=factor))
    assert changed.mean() == pytest.approx(middling_THWC.mean(), abs=1)
