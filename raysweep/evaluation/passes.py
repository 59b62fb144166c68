"""Footage in passes through a network: a few clips of one source after another.

Shapes: B clips, T frames, H height, W width, C = 3 (RGB uint8 in [0, 255]).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from raysweep.data.decoding.decode import Frames
from raysweep.data.index.clips import Clip
from raysweep.data.reading.reader import Reader

PIXELS = 32 * 256 * 256
"""Of a pass, at most; but two frames of a clip always go together, for what changes between them."""
FRAMES = 64
"""Of a pass of small ones, at most."""


class Pass(NamedTuple):
    """Consecutive clips of one source."""

    source: str
    labels: Sequence[str]
    """What each frame is called, B x T of them."""
    clips_BTHWC: Tensor


class Footage(Protocol):
    """What there is to score."""

    title: str

    @property
    def frames(self) -> int | None:
        """How many; None: nobody knows before all have gone by."""
        ...

    @property
    def told(self) -> Sequence[str]:
        """Lines for people, complete when all passes have gone by: what was left out, what was enlarged."""
        ...

    def passes(self) -> Iterator[Pass]:
        """The passes of a source follow one another. DataError where nothing could be read."""
        ...


class StoredClips:
    """Clips of a prepared store; a row is one of its sources."""

    told: Sequence[str] = ()

    def __init__(self, reader: Reader, clips: Sequence[Clip], side: int, title: str) -> None:
        """`side`: height and width of its frames in pixels; `clips`: by source."""
        self._reader, self._clips, self._side, self.title = reader, clips, side, title

    @property
    def frames(self) -> int:
        return sum(clip.length for clip in self._clips)

    def passes(self) -> Iterator[Pass]:
        at_once = max(1, frames_at_once(self._side, self._side) // self._clips[0].length)
        for source, of_source in groupby(self._clips, key=lambda clip: clip.source):
            clips = list(of_source)
            for start in range(0, len(clips), at_once):
                read = clips[start : start + at_once]
                labels = [f"{source}, {frame}" for clip in read for frame in _frames_of(clip)]
                yield Pass(source, labels, torch.from_numpy(self._reader.read_batch(read)))


class Frame(NamedTuple):
    label: str
    frame_HWC: Frames


def frames_at_once(height: int, width: int) -> int:
    """In a pass of frames of so many pixels."""
    return min(FRAMES, max(2, PIXELS // (height * width)))


def in_passes(source: str, frames: Iterable[Frame], length: int) -> Iterator[Pass]:
    """Clips of `length` frames back to back, and what is left as a shorter one; frames of one size go together."""
    for (height, width, _), alike in groupby(frames, key=lambda frame: frame.frame_HWC.shape):
        fitting = frames_at_once(height, width)
        clip = min(length, fitting)
        for some in _batched(alike, fitting // clip * clip):
            whole = len(some) // clip * clip
            for part, shape in ((some[:whole], (-1, clip)), (some[whole:], (1, -1))):
                if part:
                    stacked = np.stack([frame.frame_HWC for frame in part])
                    clips = torch.from_numpy(stacked.reshape(*shape, height, width, 3))
                    yield Pass(source, [frame.label for frame in part], clips)


def _batched(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _frames_of(clip: Clip) -> range:
    return range(clip.first_frame, clip.first_frame + clip.length * clip.stride, clip.stride)


Fitted = Callable[[Frames], Frames]
"""A frame HWC of any size -> as the models see it; DecodeError where they cannot."""
