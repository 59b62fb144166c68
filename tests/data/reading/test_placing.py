"""Promises about the choice of where frames lie: modest stores in shared memory, and never more than fits."""

import pytest

from raysweep.data import DataConfig
from raysweep.data.reading.placing import choose
from raysweep.errors import ConfigError, DataError
from raysweep.schema import parse

GB = 1_000_000_000
# data.reading, bytes of the store, bytes of shared memory, where it comes to lie, what is said
CHOICES = [
    (
        "auto",
        1.2 * GB,
        10 * GB,
        "shared_memory",
        "1.2 GB of frames in shared memory, once per node",
    ),
    ("auto", 3 * GB, 10 * GB, "shared_memory", "3 GB of frames in shared memory"),
    ("auto", 3.1 * GB, 10 * GB, "memory_map", "they take more than 30% of 10 GB of shared memory"),
    ("auto", 80 * GB, 0, "memory_map", "80 GB of frames mapped from the store's files: they take"),
    ("memory_map", 1, 10 * GB, "memory_map", "as data.reading says"),
    ("shared_memory", 7.9 * GB, 10 * GB, "shared_memory", "once per node"),
]


@pytest.mark.parametrize(("reading", "store", "shared", "place", "told"), CHOICES)
def test_the_choice_and_its_reason(reading, store, shared, place, told):
    choice = choose(reading, int(store), shared)
    assert choice.place == place
    assert told in choice.told


def test_shared_memory_that_would_spill_is_refused():
    with pytest.raises(
        DataError, match=r"at most 80% .* got 8.1 GB of frames and 10 GB .* Set data.reading to mem"
    ):
        choose("shared_memory", int(8.1 * GB), 10 * GB)


@pytest.mark.parametrize(
    "other",
    [
        {"store": "x"},
        {"avoid_cuts": True},
        {"fps": 12},
        {"frame_folders": True},
        {"encoding": "jpeg"},
        {"keep_partial": True},
    ],
    ids=str,
)
def test_what_only_a_store_does_is_refused_in_direct_reading(other):
    with pytest.raises(
        ConfigError, match=f"data.reading direct makes no store, and data.{next(iter(other))}"
    ):
        parse(DataConfig, {"source": "x", "reading": "direct", **other})
