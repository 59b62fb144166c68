"""Hard cuts are found, whatever the frames' size, and neither motion, darkness nor a dissolve counts as one."""

import numpy as np
import pytest

from raysweep.data.storing.scenes import Cuts


def cuts(frames):
    watch = Cuts()
    assert all(a is b for a, b in zip(frames, watch.watch(frames), strict=True))
    return watch.at


def scene(seed, side=64, frames=10, shift=0):
    """A coarse picture under fine texture; the camera moves by `shift` pixels a frame."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3)).repeat(40, 0).repeat(40, 1)
    wide = np.clip(coarse + rng.normal(0, 40, (320, 320, 1)), 0, 255).astype(np.uint8)
    return [wide[:side, frame * shift :][:, :side] for frame in range(frames)]


@pytest.mark.parametrize("side", [16, 64, 200])
def test_every_cut_is_found(side):
    scenes = [scene(seed, side) for seed in range(4)]
    assert cuts([frame for frames in scenes for frame in frames]) == [10, 20, 30]


def test_a_moving_camera_is_no_cut():
    assert cuts(scene(0, shift=4)) == []


def test_noise_in_the_dark_is_no_cut():
    rng = np.random.default_rng(0)
    assert cuts(list(rng.integers(0, 12, (20, 64, 64, 3), dtype=np.uint8))) == []


@pytest.mark.parametrize("black", [False, True], ids=["dissolve", "fade"])
def test_a_slow_change_of_scene_is_no_cut(black):
    (one,), (other,) = scene(0, frames=1), scene(1, frames=1)
    weights = np.linspace(0, 1, 24)
    mixed = [one * (1 - weight) + other * weight * (not black) for weight in weights]
    assert cuts([frame.astype(np.uint8) for frame in mixed]) == []
