"""Clips in training order and in validation order, as torch batches."""

from collections.abc import Generator, Iterator, Sequence
from itertools import count

import torch
from torch import Tensor

from raysweep.data import DataConfig
from raysweep.data.index.clips import Clip, index_clips, spread
from raysweep.data.index.order import train_visits, validation_indices
from raysweep.data.reading.prefetch import read_ahead
from raysweep.data.reading.reader import Reader
from raysweep.data.reading.sampling import Sample, Sampler, read_samples
from raysweep.data.storing.manifest import Manifest


class Batches:
    """One rank's share of the data: uint8 clips (B, T, H, W, C); of images, validation has T = 1."""

    def __init__(
        self,
        reader: Reader,
        manifest: Manifest,
        config: DataConfig,
        *,
        seed: int,
        rank: int = 0,
        workers: int = 1,
        pinned: bool = False,
    ) -> None:
        """`pinned`: in memory that a GPU copies from while it computes."""
        self.reader, self.manifest, self.config = reader, manifest, config
        self.seed, self.rank, self.workers, self.pinned = seed, rank, workers, pinned
        self.train_clips = index_clips(manifest, "train", config)
        self.valid_clips = index_clips(manifest, "valid", config)
        self.sampler = Sampler(self.train_clips, manifest, config, seed)

    def train(self, step: int) -> Generator[Tensor]:
        """This rank's share of the batches of `step`, `step` + 1, ... without end."""
        return read_ahead(self._train(step), self.config.prefetch)

    def validation(self) -> Generator[Tensor]:
        """This rank's share of the validation clips, each once; the last batch may be smaller."""
        return read_ahead(self._once(self.valid_clips), self.config.prefetch)

    def test(self) -> Generator[Tensor]:
        """The same of the test clips."""
        clips = index_clips(self.manifest, "test", self.config)
        return read_ahead(self._once(clips), self.config.prefetch)

    def preview(self, clips: int = 8) -> Tensor:
        """Validation clips from all over the set, the same ones every time."""
        return self._read([Sample(clip) for clip in spread(self.valid_clips, clips)])

    def _train(self, step: int) -> Iterator[Tensor]:
        length = self.config.clip_length
        for number in count(step):
            visits = train_visits(
                number,
                len(self.train_clips),
                self.config.clips_per_step,
                self.seed,
                self.rank,
                self.workers,
            )
            clips_BTHWC = self._read([self.sampler.sample(visit) for visit in visits])
            yield clips_BTHWC.reshape(-1, length, *clips_BTHWC.shape[2:])

    def _once(self, clips: Sequence[Clip]) -> Iterator[Tensor]:
        share = validation_indices(len(clips), self.rank, self.workers)
        for indices in _chunks(share, max(1, self.config.clips_per_step // self.workers)):
            yield self._read([Sample(clips[i]) for i in indices])

    def _read(self, samples: Sequence[Sample]) -> Tensor:
        clips_BTHWC = torch.from_numpy(read_samples(self.reader, samples))
        return clips_BTHWC.pin_memory() if self.pinned else clips_BTHWC


def _chunks(indices: range, size: int) -> Iterator[range]:
    return (indices[start : start + size] for start in range(0, len(indices), size))
