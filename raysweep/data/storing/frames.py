"""The frames of one source, and what else reading it tells."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from raysweep.data.decoding.decode import (
    IMAGE_READERS,
    READERS,
    DecodeError,
    Frames,
    Readers,
    frame_rate,
    read_timed,
)
from raysweep.data.decoding.resample import Timed, resample
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.sources.discover import Source
from raysweep.data.sources.places import File
from raysweep.data.storing.making import Diary


class Incomplete(Exception):
    """A part of a video is missing, and `data.keep_partial` does not ask for the rest of it."""


class Shown(NamedTuple):
    """A frame, and where it is from."""

    frame_HWC: Frames
    """BGR."""
    file: str
    """File.name."""
    number: int
    """Of the file's frames as they decode, from 0."""
    seconds: float
    """When the file shows it; 0 of an image."""


class SourceReader:
    """Reads a source once; the attributes are SourceRecord's, and complete when its frames have passed."""

    def __init__(self, source: Source, settings: Preprocessing, tries: Diary) -> None:
        self._source, self._settings, self._tries = source, settings, tries
        self.skipped_files: dict[str, str] = {}
        self.lacks: str | None = None
        self.fps: float | None = None

    def frames(self) -> Iterator[Frames]:
        """HWC BGR, as `shown`."""
        return (shown.frame_HWC for shown in self.shown())

    def shown(self) -> Iterator[Shown]:
        """One file after the other; videos at `data.fps`.

        Raises Incomplete where a video breaks off, or a folder of frames has a bad image, unless that is kept.
        """
        if self._source.frames:
            return self._numbered()
        return self._of(self._source.files, IMAGE_READERS if self._settings.images else READERS)

    def _of(self, files: Sequence[File], readers: Readers) -> Iterator[Shown]:
        """A file is here for as long as it is read."""
        for file in files:
            try:
                self._tries.begin(file.name)
                with file.local() as path:
                    timed = read_timed(path, readers, self._lack)
                    yield from resample(_shown(file.name, timed), self._settings.fps)
                    if readers is READERS:
                        self.fps = self._settings.fps or frame_rate(path)
            except DecodeError as error:
                self._skip(file, str(error))

    def _numbered(self) -> Iterator[Shown]:
        """The frames of a video that lies as images, all of one size."""
        size = None
        for file in self._source.files:
            for shown in self._of([file], IMAGE_READERS):
                size = size or shown.frame_HWC.shape
                if shown.frame_HWC.shape == size:
                    yield shown
                else:
                    self._skip(file, "its size is not that of the first frame")

    def _skip(self, file: File, why: str) -> None:
        self.skipped_files[file.name] = why
        if self._source.frames:
            self._lack(f"lacks {file.name!r}: {why}")

    def _lack(self, what: str) -> None:
        if not self._settings.keep_partial:
            raise Incomplete(f"{what}; data.keep_partial=true keeps what decodes")
        self.lacks = self.lacks or what


def _shown(file: str, timed: Iterable[Timed[Frames]]) -> Iterator[Timed[Shown]]:
    for number, (seconds, frame_HWC) in enumerate(timed):
        yield Timed(seconds, Shown(frame_HWC, file, number, seconds))
