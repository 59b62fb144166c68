"""Codes come back from their bytes, which are about as few as the codes' frequencies allow."""

import numpy as np
import pytest
import torch

from raysweep.codec.entropy import TokenCoder


def _codes(size: int, skew: float, count: int = 12, seed: int = 0) -> torch.Tensor:
    """Independent ids, the small ones more often the larger `skew`."""
    drawn = torch.rand(count, 8, 12, generator=torch.Generator().manual_seed(seed))
    return (drawn**skew * size).long()


@pytest.mark.parametrize("size", [1, 2, 32, 1000, 2**18])
@pytest.mark.parametrize("skew", [1, 20])
@pytest.mark.parametrize("tiles", [1, 2])
def test_codes_come_back_chunk_after_chunk(size, skew, tiles) -> None:
    fine, coarse = _codes(size, skew), _codes(7, skew)[:, :4, :6]
    writer, reader = TokenCoder([size, 7], tiles), TokenCoder([size, 7], tiles)
    for part in (slice(0, 6), slice(6, 8), slice(8, 12)):
        chunk = (fine[part], coarse[part])
        shapes = [tuple(ids.shape) for ids in chunk]
        decoded = reader.decode(writer.encode(chunk), shapes)
        assert all(torch.equal(*pair) for pair in zip(decoded, chunk, strict=True))


def test_frequent_codes_take_few_bits() -> None:
    """Of frames that have nothing to do with one another: the worst that there is for what looks for changes."""
    codes = _codes(256, skew=6, count=200)
    frequencies = np.bincount(codes.flatten()) / codes.numel()
    seen = frequencies[frequencies > 0]
    entropy = -(seen * np.log2(seen)).sum()
    bits = 8 * len(TokenCoder([256], 1).encode((codes,))) / codes.numel()
    assert bits < 1.1 * entropy


def test_codes_that_stay_take_next_to_nothing() -> None:
    still = _codes(256, skew=1, count=1)
    coder = TokenCoder([256], 1)
    first = len(coder.encode((still,)))
    coder.encode((still.expand(100, -1, -1),))
    assert 50 * len(coder.encode((still.expand(100, -1, -1),))) < 100 * first


def test_what_changes_in_one_place_is_cheaper_than_all_over() -> None:
    frames = _codes(256, skew=1, count=1).repeat(100, 1, 1)
    moving = _codes(256, skew=1, count=100, seed=1)
    corner, spread = frames.clone(), frames.clone()
    corner[:, :4, :6] = moving[:, :4, :6]
    spread[:, ::2, ::2] = moving[:, ::2, ::2]
    sizes = [len(TokenCoder([256], 1).encode((codes,))) for codes in (corner, spread)]
    assert sizes[0] < sizes[1]


def test_tiles_do_not_mix() -> None:
    """Two still tiles, turn by turn, cost no more than one after the other."""
    one, other = _codes(256, skew=1, count=1), _codes(256, skew=1, count=1, seed=1)
    turns = torch.cat([one, other]).repeat(50, 1, 1)
    known, unknown = (len(TokenCoder([256], tiles).encode((turns,))) for tiles in (2, 1))
    assert 10 * known < unknown
