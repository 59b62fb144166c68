"""Shards hold whole sources, in order, and are the same in every run."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from raysweep.data.sources.discover import Source
from raysweep.data.sources.places import File
from raysweep.tokens.shards import LEAST_BYTES, MOST_BYTES, SHARDS, shards


def source(number: int, size: int) -> Source:
    name = f"{number:05}.mp4"
    return Source(name, (File(name, Path(name), size),), None)


@given(st.lists(st.integers(0, 3 * MOST_BYTES), min_size=1, max_size=200))
def test_every_source_lies_in_one_shard_of_a_bounded_size(sizes):
    sources = [source(*numbered) for numbered in enumerate(sizes)]
    made = shards(sources)
    assert [one for shard in made for one in shard.sources] == sources
    assert all(shard.bytes <= MOST_BYTES for shard in made if len(shard.sources) > 1)
    assert sorted({shard.name for shard in made}) == [shard.name for shard in made]


def test_little_footage_is_shared_out_and_much_is_many_files():
    small = shards([source(number, LEAST_BYTES // 2) for number in range(12)])
    assert [len(shard.sources) for shard in small] == [2] * 6
    middle = shards([source(number, 2**20) for number in range(1024)])
    assert len(middle) == SHARDS
    large = shards([source(number, 2**25) for number in range(1024)])
    assert {shard.bytes for shard in large} == {MOST_BYTES}
