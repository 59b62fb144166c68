"""Videos and images as they lie there, to be scored.

Shapes: T frames, H height, W width, C = 3; BGR from the file, RGB uint8 to the models.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import (
    IMAGE_READERS,
    READERS,
    DecodeError,
    Frames,
    is_readable,
    read_timed,
    to_rgb,
)
from raysweep.data.decoding.fit import fit_square
from raysweep.data.decoding.resample import resample
from raysweep.data.sources.discover import footage_files
from raysweep.data.sources.places import File, Paths
from raysweep.data.sources.sequences import sequences
from raysweep.data.storing.manifest import Skipped, none_decodes
from raysweep.errors import DataError
from raysweep.evaluation.passes import Fitted, Frame, Pass, in_passes

ROOT = "images"
"""The row of images that lie in no folder of their own."""


class Item(NamedTuple):
    """What has a row of its own."""

    name: str
    files: tuple[File, ...]
    is_video: bool
    """Whether its frames follow one another."""


def as_trained(data: DataConfig) -> Fitted:
    """The middle of a frame, in the size of training."""
    return lambda frame_HWC: to_rgb(fit_square(frame_HWC, data))


def native(multiple: int, least: int) -> Fitted:
    """The whole frame, but for what is over a multiple of pixels at its borders; `least`: pixels that each side
    must then have."""

    def fitted(frame_HWC: Frames) -> Frames:
        rows, columns = frame_HWC.shape[:2]
        height, width = rows // multiple * multiple, columns // multiple * multiple
        if min(height, width) < least:
            raise DecodeError(f"its frames of {columns}x{rows} px are smaller than {least} px")
        top, left = (rows - height) // 2, (columns - width) // 2
        return to_rgb(frame_HWC[top : top + height, left : left + width])

    return fitted


class Files:
    """A row is a video; of images, a folder. Files that cannot be read are left out, and told of."""

    frames: int | None = None

    def __init__(
        self,
        items: Sequence[Item],
        fitted: Fitted,
        fps: float | None,
        clip_length: int,
        side: int,
        title: str,
    ) -> None:
        """`fps`: frames per second to resample videos to, None: every frame; `clip_length`: frames; `side`: pixels
        that smaller frames are enlarged to, 0: none is."""
        self._items, self._fitted, self._fps = items, fitted, fps
        self._length, self._side, self.title = clip_length, side, title
        self._skipped: list[Skipped] = []
        self._lacking: list[str] = []
        self._small: set[str] = set()

    @property
    def told(self) -> list[str]:
        left_out = [f"left out {skipped.name}: {skipped.error}" for skipped in self._skipped]
        small = len(self._small)
        enlarged = (
            f"{small} of {len(self._items)} are smaller than {self._side} px, and were enlarged"
        )
        return left_out + self._lacking + ([enlarged] if small else [])

    def passes(self) -> Iterator[Pass]:
        """DataError where no file gives a frame."""
        was_read = False
        for item in self._items:
            for one in in_passes(
                item.name, self._frames(item), self._length if item.is_video else 1
            ):
                was_read = True
                yield one
        if not was_read:
            raise DataError(none_decodes(self._skipped).replace("data.source", "--data", 1))

    def _frames(self, item: Item) -> Iterator[Frame]:
        number = 0
        for file in item.files:
            try:
                for frame_HWC in self._decoded(item, file):
                    label = f"{item.name}, {number}" if item.is_video else file.name
                    yield Frame(label, self._fitted(frame_HWC))
                    number += 1
            except DecodeError as error:
                self._skipped.append(Skipped(file.name, str(error)))

    def _decoded(self, item: Item, file: File) -> Iterator[Frames]:
        """HWC BGR."""
        readers = READERS if is_readable(file.name, READERS) else IMAGE_READERS
        with file.local() as path:
            timed = read_timed(
                path, readers, lambda what: self._lacking.append(f"{file.name} {what}")
            )
            for frame_HWC in resample(timed, self._fps if readers is READERS else None):
                if min(frame_HWC.shape[:2]) < self._side:
                    self._small.add(item.name)
                yield frame_HWC


def items_of(source: Paths, numbered_are_videos: bool) -> list[Item]:
    """DataError where there is nothing. `numbered_are_videos`: folders of numbered images are videos."""
    files = footage_files(source, "--data")
    by_name = {file.name: file for file in files}
    items = [Item(file.name, (file,), True) for file in files if is_readable(file.name, READERS)]
    pictures = [file.name for file in files if not is_readable(file.name, READERS)]
    frames = sequences(pictures) if numbered_are_videos else {}
    for name, names in frames.items():
        items.append(Item(name, tuple(by_name[frame] for frame in names), True))
    taken = {name for names in frames.values() for name in names}
    folders: dict[str, list[File]] = defaultdict(list)
    for name in pictures:
        if name not in taken:
            folders[posixpath.dirname(name) or ROOT].append(by_name[name])
    items += [Item(name, tuple(of_folder), False) for name, of_folder in folders.items()]
    return sorted(items, key=lambda item: item.name)
