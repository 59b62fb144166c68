"""Clips in training order and in validation order, as torch batches."""

from collections.abc import Iterator, Sequence
from itertools import count

import torch
from torch import Tensor

from raysweep.data import DataConfig
from raysweep.data.clips import Clip, ClipReader, index_clips
from raysweep.data.order import train_indices, validation_indices
from raysweep.data.store import Manifest


class Batches:
    """One rank's share of the data: uint8 clips (B, T, H, W, C)."""

    def __init__(
        self,
        reader: ClipReader,
        manifest: Manifest,
        config: DataConfig,
        *,
        seed: int,
        rank: int = 0,
        workers: int = 1,
    ) -> None:
        self.reader, self.config = reader, config
        self.seed, self.rank, self.workers = seed, rank, workers
        self.train_clips = index_clips(manifest, "train", config)
        self.valid_clips = index_clips(manifest, "valid", config)

    def train(self, step: int) -> Iterator[Tensor]:
        """This rank's share of the batches of `step`, `step` + 1, ... without end."""
        for number in count(step):
            indices = train_indices(
                number,
                len(self.train_clips),
                self.config.batch_size,
                self.seed,
                self.rank,
                self.workers,
            )
            yield self._read([self.train_clips[i] for i in indices])

    def validation(self) -> Iterator[Tensor]:
        """This rank's share of the validation clips, each once; the last batch may be smaller."""
        share = validation_indices(len(self.valid_clips), self.rank, self.workers)
        for indices in _chunks(share, self.config.batch_size):
            yield self._read([self.valid_clips[i] for i in indices])

    def preview(self, clips: int = 8) -> Tensor:
        """Validation clips from all over the set, the same ones every time."""
        count = min(clips, len(self.valid_clips))
        return self._read(
            [self.valid_clips[i * len(self.valid_clips) // count] for i in range(count)]
        )

    def _read(self, clips: Sequence[Clip]) -> Tensor:
        return torch.from_numpy(self.reader.read_batch(clips))


def _chunks(indices: range, size: int) -> Iterator[range]:
    return (indices[start : start + size] for start in range(0, len(indices), size))
