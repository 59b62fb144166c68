"""What a visit shows of a training clip: which frames, which part of them, and in which colours."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from raysweep.data import DataConfig
from raysweep.data.augment import AugmentConfig
from raysweep.data.decoding.decode import Frames
from raysweep.data.index.clips import Clip, training_starts
from raysweep.data.index.order import Visit, generator, random_start
from raysweep.data.index.splits import Stretch, stretches
from raysweep.data.reading.colour import AS_FILMED, Colour, recoloured
from raysweep.data.reading.reader import CENTER, Reader, View
from raysweep.data.storing.manifest import Manifest

VARIATION = 1
"""Keeps the numbers that vary a clip apart from the one that starts it."""


class Sample(NamedTuple):
    """A clip as it is shown."""

    clip: Clip
    view: View = CENTER
    colour: Colour = AS_FILMED


class Draws(NamedTuple):
    """Numbers from [0, 1), all drawn whichever are used: so one setting does not change another's draws."""

    down: float
    right: float
    mirror: float
    pace: float
    brightness: float
    contrast: float
    saturation: float
    hue: float


class Sampler:
    """Training clips as their visits show them: a function of (seed, epoch, clip) alone."""

    def __init__(
        self, clips: Sequence[Clip], manifest: Manifest, config: DataConfig, seed: int
    ) -> None:
        self._clips, self._config, self._seed = clips, config, seed
        self._starts = training_starts(manifest, config) if config.random_start else {}
        jitters = config.augment.max_stride is not None
        self._stretches = _by_source(stretches(manifest, "train", config)) if jitters else {}
        self._varies = config.crop == "random" or config.augment != AugmentConfig()

    def sample(self, visit: Visit) -> Sample:
        clip = self._clips[visit.clip]
        if self._config.random_start:
            starts = self._starts[clip.source]
            clip = clip._replace(first_frame=random_start(visit, starts, self._seed))
        if not self._varies:
            return Sample(clip)
        numbers = generator(visit, self._seed, VARIATION).random(len(Draws._fields))
        drawn = Draws(*numbers.tolist())
        return Sample(
            self._paced(clip, drawn.pace), self._view(drawn), _colour(drawn, self._config.augment)
        )

    def _paced(self, clip: Clip, pace: float) -> Clip:
        """With one of the strides that keep it inside its stretch."""
        most = self._config.augment.max_stride
        if most is None or clip.length == 1:
            return clip
        reach = _end(self._stretches[clip.source], clip.first_frame) - 1 - clip.first_frame
        strides = range(clip.stride, min(most, reach // (clip.length - 1)) + 1)
        return clip._replace(stride=strides[int(pace * len(strides))])

    def _view(self, drawn: Draws) -> View:
        mirrored = drawn.mirror < self._config.augment.flip
        if self._config.crop == "random":
            return View(drawn.down, drawn.right, mirrored)
        return View(mirrored=mirrored)


def read_samples(reader: Reader, samples: Sequence[Sample]) -> Frames:
    """BTHWC RGB uint8, of clips of one length."""
    clips_BTHWC = reader.read_batch(
        [sample.clip for sample in samples], [sample.view for sample in samples]
    )
    for clip_THWC, sample in zip(clips_BTHWC, samples, strict=True):
        if sample.colour != AS_FILMED:
            clip_THWC[:] = recoloured(clip_THWC, sample.colour)
    return clips_BTHWC


def _colour(drawn: Draws, augment: AugmentConfig) -> Colour:
    return Colour(
        brightness=1 + _either_way(augment.brightness, drawn.brightness),
        contrast=1 + _either_way(augment.contrast, drawn.contrast),
        saturation=1 + _either_way(augment.saturation, drawn.saturation),
        hue=_either_way(augment.hue, drawn.hue),
    )


def _either_way(most: float, share: float) -> float:
    """From -most to most, as share goes from 0 to 1."""
    return most * (2 * share - 1)


def _by_source(of_split: Iterable[Stretch]) -> Mapping[str, Sequence[Stretch]]:
    by_source = defaultdict(list)
    for stretch in of_split:
        by_source[stretch.source].append(stretch)
    return by_source


def _end(of_source: Sequence[Stretch], frame: int) -> int:
    """Of the stretch that holds the frame."""
    return of_source[bisect_right(of_source, frame, key=lambda stretch: stretch.start) - 1].end
