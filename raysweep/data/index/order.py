"""Which clip comes when: a function of seed, step and rank alone, so any run can stop and go on exactly.

The training stream is one epoch's permutation after the other. Step n takes the stream's positions
[n*B, (n+1)*B): a batch may straddle two epochs, and nothing is dropped. Of that batch, rank r of W takes
its contiguous share, so the batch holds the same clips whatever W is.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=4)  # a batch rarely sees more than two epochs
def epoch_order(clips: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """A permutation of range(clips), depending on (seed, epoch) alone; read-only."""
    order = np.random.default_rng((seed, epoch)).permutation(clips)
    order.flags.writeable = False
    return order


class Visit(NamedTuple):
    """A clip's turn in an epoch."""

    epoch: int
    clip: int
    """Index into the training list."""


def train_visits(
    step: int, clips: int, batch_size: int, seed: int, rank: int = 0, workers: int = 1
) -> list[Visit]:
    """What `rank` of `workers` sees at `step` (from 0).

    `batch_size` is clips over all workers, which share it evenly.
    """
    assert batch_size % workers == 0, "RunConfig refuses it"
    share = batch_size // workers
    start = step * batch_size + rank * share
    return [_at(position, clips, seed) for position in range(start, start + share)]


def random_start(visit: Visit, starts: Sequence[int], seed: int) -> int:
    """One of `starts`, depending on (seed, epoch, clip) alone."""
    return starts[int(generator(visit, seed).integers(len(starts)))]


def generator(visit: Visit, seed: int, *purpose: int) -> np.random.Generator:
    """Random numbers of (seed, epoch, clip) and purpose alone."""
    entropy = np.random.SeedSequence((seed, visit.epoch), spawn_key=(visit.clip, *purpose))
    return np.random.default_rng(entropy)


def validation_indices(clips: int, rank: int = 0, workers: int = 1) -> range:
    """The contiguous share of range(clips) that `rank` scores; shares differ by one clip at most."""
    return range(rank * clips // workers, (rank + 1) * clips // workers)


def _at(position: int, clips: int, seed: int) -> Visit:
    epoch, place = divmod(position, clips)
    return Visit(epoch, int(epoch_order(clips, seed, epoch)[place]))
