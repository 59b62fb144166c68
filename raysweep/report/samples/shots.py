"""Which frames the page shows: spread over the validation set, and the same ones for every trial.

Shapes: T frames, H = W = resolution, C = 3 (RGB uint8 in [0, 255]).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import Frames
from raysweep.data.index.clips import Clip, index_clips, middles
from raysweep.data.index.fingerprint import clips_digest
from raysweep.data.index.splits import Stretch, stretches
from raysweep.data.reading.reader import MappedReader
from raysweep.data.storing.manifest import Manifest, read_manifest
from raysweep.errors import DataError

UNKNOWN_FPS = 12.0
"""Frames a second that a clip plays at where its source does not say."""
TALLEST = 16383
"""Pixels: WebP holds no more, and a clip's frames lie one below the other in one picture."""


class Amount(NamedTuple):
    """How much is shown."""

    stills: int = 8
    """Single frames."""
    clips: int = 2
    """That play."""
    clip_frames: int = 24
    """Frames of each, where the validation set has so many in a row."""


class Shot(NamedTuple):
    """Frames that follow one another in the validation set; a still is one frame."""

    clip: Clip
    fps: float
    """Frames a second that it plays at."""
    filmed_fps: float | None
    """Of its source; None: not known."""

    @property
    def is_still(self) -> bool:
        return self.clip.length == 1


@dataclass(frozen=True)
class Shots:
    """The stills, then the clips, of one prepared store."""

    store: Path
    manifest: Manifest
    of: Sequence[Shot]

    @property
    def side(self) -> int:
        """Pixels of a frame, in height and width."""
        return self.manifest.settings.resolution

    @cached_property
    def digest(self) -> str:
        """The same for the same frames, wherever the store lies."""
        return clips_digest(self.manifest, [shot.clip for shot in self.of])

    @cached_property
    def frames(self) -> list[Frames]:
        """THWC of each; DataError where a shard is gone."""
        reader = MappedReader(self.store, self.manifest)
        return [reader.read_batch([shot.clip])[0] for shot in self.of]


def choose_shots(store: Path, data: DataConfig, amount: Amount) -> Shots:
    """DataError where there is no store, or nothing in it validates."""
    manifest = read_manifest(store)
    clips = index_clips(manifest, "valid", data)
    if not clips:
        raise DataError(
            "pictures are of frames that validate, and data.split none sets none apart. Set another data.split."
        )
    chosen = [*_stills(clips, amount.stills), *_in_motion(clips, manifest, data, amount)]
    rates = {record.name: record.fps for record in manifest.good}
    return Shots(store, manifest, [_shot(clip, rates[clip.source]) for clip in chosen])


def _stills(clips: Sequence[Clip], count: int) -> Iterator[Clip]:
    length = clips[0].length  # of all
    for place in middles(length * len(clips), count):
        clip, at = clips[place // length], place % length
        yield Clip(clip.source, clip.first_frame + at * clip.stride, 1, 1)


def _in_motion(
    clips: Sequence[Clip], manifest: Manifest, data: DataConfig, amount: Amount
) -> list[Clip]:
    if data.images:
        return []
    held = list(stretches(manifest, "valid", data))
    most = min(amount.clip_frames, TALLEST // data.resolution)
    begun = (clips[place] for place in middles(len(clips), amount.clips))
    longer = dict.fromkeys(_lengthened(clip, _stretch_of(clip, held), most) for clip in begun)
    return [clip for clip in longer if clip.length > 1]


def _stretch_of(clip: Clip, held: Sequence[Stretch]) -> Stretch:
    return next(
        stretch
        for stretch in held
        if stretch.source == clip.source and stretch.start <= clip.first_frame < stretch.end
    )


def _lengthened(clip: Clip, stretch: Stretch, most: int) -> Clip:
    """To at most `most` frames of its stretch, from its own first one where the stretch goes on for so long."""
    reach = (most - 1) * clip.stride + 1
    first = max(stretch.start, min(clip.first_frame, stretch.end - reach))
    return clip._replace(
        first_frame=first, length=min(most, (stretch.end - 1 - first) // clip.stride + 1)
    )


def _shot(clip: Clip, filmed_fps: float | None) -> Shot:
    fps = filmed_fps / clip.stride if filmed_fps else UNKNOWN_FPS
    return Shot(clip, fps, filmed_fps)
