"""Frames and codes that are none are refused by what is wrong with them; passes change nothing."""

import numpy as np
import pytest
import torch

from raysweep.codec import network as networks
from raysweep.errors import ConfigError

FRAMES = np.random.default_rng(0).integers(0, 256, (40, 16, 24, 3), dtype=np.uint8)


@pytest.mark.parametrize("of", ["network", "two_levels"])
def test_frames_become_codes_of_every_map_and_frames_again(of, request) -> None:
    network = request.getfixturevalue(of)
    codes, factors = network.encode(FRAMES), network.tokenizer.downsampling
    assert [tuple(ids.shape) for ids in codes] == [(40, 16 // f, 24 // f) for f in factors]
    assert {ids.dtype for ids in codes} == {torch.int64}
    decoded = network.decode(codes)
    assert decoded.shape == FRAMES.shape
    assert decoded.dtype == np.uint8


@pytest.mark.parametrize(
    ("height", "width", "count"), [(32, 32, 32), (256, 256, 4), (480, 864, 1), (2160, 3840, 1)]
)
def test_few_large_frames_or_many_small_ones_pass_at_once(height, width, count) -> None:
    assert networks.frames_per_pass(height, width) == count


@pytest.mark.parametrize(
    "frames",
    [FRAMES[0], FRAMES[..., 0], FRAMES[..., :1], FRAMES[:0], FRAMES / 255],
    ids=["one", "grey", "one channel", "none", "floats"],
)
def test_what_are_no_frames_is_refused(network, frames) -> None:
    with pytest.raises(ConfigError, match=r"T x H x W x 3 with T > 0, got .* of shape"):
        network.encode(frames)


def test_a_size_that_cannot_be_coded_is_refused_with_one_that_can(network) -> None:
    with pytest.raises(ConfigError, match=r"multiples of \d+ .* got 17x24\. Use 16x24"):
        network.encode(np.zeros((1, 17, 24, 3), np.uint8))


IDS = torch.zeros(2, 4, 6, dtype=torch.int64)
REFUSED = [
    ((IDS, IDS), "has 1 code maps in this model, got 2"),
    ((), "has 1 code maps in this model, got 0"),
    ((IDS + 32,), "are 0 to 31, got 32 to 32"),
    ((IDS - 1,), "are 0 to 31, got -1 to -1"),
    ((IDS.float(),), "must be integers"),
    ((IDS[0],), "must be integers of shape"),
    ((IDS[:0],), "must be integers of shape"),
]


@pytest.mark.parametrize(("codes", "said"), REFUSED, ids=range(len(REFUSED)))
def test_codes_that_the_model_has_not_are_refused(network, codes, said) -> None:
    with pytest.raises(ConfigError, match=said):
        network.decode(codes)


def test_code_maps_of_other_frames_than_one_another_are_refused(two_levels) -> None:
    fine, coarse = two_levels.encode(FRAMES)
    with pytest.raises(ConfigError, match="of the same frames"):
        two_levels.decode((fine, coarse[:, :1]))
    with pytest.raises(ConfigError, match="of the same frames"):
        two_levels.decode((fine, coarse[1:]))
