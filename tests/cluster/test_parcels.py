"""Promises about parcels: every source in one, the largest first, and the last are small."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from raysweep.cluster.parcels import PARCEL_BYTES, PARCELS, SHARES, parcels


@dataclass(frozen=True)
class Sized:
    """What parcels need of a source."""

    name: str
    size: int


def sources(sizes):
    return [Sized(f"{number}.mp4", size) for number, size in enumerate(sizes)]


SIZES = st.lists(st.integers(0, 3 * PARCEL_BYTES), min_size=1, max_size=200)


@given(SIZES, st.integers(1, 64), st.randoms())
def test_every_source_is_in_one_parcel_whatever_the_order(sizes, cpus, random):
    found = sources(sizes)
    packed = parcels(found, cpus)
    assert sorted(s.name for parcel in packed for s in parcel) == sorted(s.name for s in found)
    assert all(packed)
    random.shuffle(found)
    assert parcels(found, cpus) == packed


@given(SIZES, st.integers(1, 64))
def test_a_parcel_is_a_share_of_what_is_left_and_no_later_one_is_of_larger_sources(sizes, cpus):
    packed, left = parcels(sources(sizes), cpus), sum(sizes)
    for parcel in packed:
        size = sum(source.size for source in parcel)
        share = max(min(PARCEL_BYTES, left / (SHARES * cpus)), sum(sizes) / PARCELS)
        assert len(parcel) == 1 or size <= share
        left -= size
    largest = [parcel[0].size for parcel in packed]
    assert largest == sorted(largest, reverse=True)


def test_very_many_sources_are_few_parcels():
    packed = parcels(sources([10 * 2**20] * 100_000), cpus=2)
    assert len(packed) < 1.1 * PARCELS
    assert len(parcels(sources([0] * 100), cpus=2)) == 1
