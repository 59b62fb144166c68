"""Promises about order: every clip once an epoch, the same batches whatever the workers, exact resume."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.data.index.order import (
    Visit,
    epoch_order,
    random_start,
    train_visits,
    validation_indices,
)

counts = st.integers(1, 50)
seeds = st.integers(0, 2**40)
shares = st.integers(1, 5)


def clips_at(*args, **kwargs) -> list[int]:
    """As `train_visits`, without the epochs."""
    return [visit.clip for visit in train_visits(*args, **kwargs)]


@given(clips=counts, seed=seeds, workers=shares, share=shares, epochs=st.integers(1, 3))
def test_every_clip_exactly_once_per_epoch_over_all_workers(clips, seed, workers, share, epochs):
    batch = workers * share
    stream = [
        index
        for step in range(-(-clips * epochs // batch))
        for rank in range(workers)
        for index in clips_at(step, clips, batch, seed, rank, workers)
    ]
    for epoch in range(epochs):
        assert sorted(stream[epoch * clips : (epoch + 1) * clips]) == list(range(clips))


@given(clips=counts, seed=seeds, step=st.integers(0, 1000), workers=shares, share=shares)
def test_a_batch_does_not_depend_on_the_workers(clips, seed, step, workers, share):
    batch = workers * share
    ranks = (clips_at(step, clips, batch, seed, rank, workers) for rank in range(workers))
    assert [i for rank in ranks for i in rank] == clips_at(step, clips, batch, seed)


def test_resumed_is_uninterrupted():
    whole = [clips_at(step, 13, 4, seed=7) for step in range(20)]
    epoch_order.cache_clear()
    assert [clips_at(step, 13, 4, seed=7) for step in range(11, 20)] == whole[11:]


def test_a_batch_larger_than_the_data_spans_epochs():
    batch = clips_at(0, 3, 8, seed=0)
    assert [sorted(batch[:3]), sorted(batch[3:6])] == [[0, 1, 2], [0, 1, 2]]


def test_order_depends_on_seed_and_epoch_only():
    same, again = epoch_order(100, 1, 2), epoch_order(100, 1, 2).copy()
    assert np.array_equal(same, again)
    assert not np.array_equal(same, epoch_order(100, 2, 2))
    assert not np.array_equal(same, epoch_order(100, 1, 3))


@given(clips=st.integers(0, 100), workers=st.integers(1, 12))
def test_validation_scores_everything_once(clips, workers):
    ranks = [validation_indices(clips, rank, workers) for rank in range(workers)]
    assert [index for rank in ranks for index in rank] == list(range(clips))
    assert max(map(len, ranks)) - min(map(len, ranks)) <= 1


@given(clips=counts, seed=seeds, step=st.integers(0, 100), batch=shares)
def test_a_visit_knows_its_epoch(clips, seed, step, batch):
    visits = train_visits(step, clips, batch, seed)
    assert [v.epoch for v in visits] == [(step * batch + i) // clips for i in range(batch)]


@given(seed=seeds, epoch=st.integers(0, 99), clip=counts, first=counts, count=counts)
def test_a_random_start_is_one_of_those_allowed_and_always_the_same(
    seed, epoch, clip, first, count
):
    starts = range(first, first + count)
    chosen = random_start(Visit(epoch, clip), starts, seed)
    assert chosen in starts
    assert random_start(Visit(epoch, clip), starts, seed) == chosen


@pytest.mark.parametrize("vary", ["epoch", "clip", "seed"])
def test_random_starts_spread_evenly_over_epochs_clips_and_seeds(vary):
    drawn = [
        random_start(Visit(**({"epoch": 3, "clip": 5} | {vary: i})), range(10), 7)
        if vary != "seed"
        else random_start(Visit(3, 5), range(10), i)
        for i in range(2000)
    ]
    assert np.bincount(drawn).min() > 140
    assert np.bincount(drawn).max() < 260
