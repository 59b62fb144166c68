"""The frames of one source, and what else reading it tells."""

from collections.abc import Iterator, Sequence

from raysweep.data.decoding.decode import (
    IMAGE_READERS,
    READERS,
    DecodeError,
    Frames,
    Readers,
    frame_rate,
    read_timed,
)
from raysweep.data.decoding.resample import resample
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.sources.discover import Source
from raysweep.data.sources.places import File
from raysweep.data.storing.making import Diary


class Incomplete(Exception):
    """A part of a video is missing, and `data.keep_partial` does not ask for the rest of it."""


class SourceReader:
    """Reads a source once; the attributes are SourceRecord's, and complete when its frames have passed."""

    def __init__(self, source: Source, settings: Preprocessing, tries: Diary) -> None:
        self._source, self._settings, self._tries = source, settings, tries
        self.skipped_files: dict[str, str] = {}
        self.lacks: str | None = None
        self.fps: float | None = None

    def frames(self) -> Iterator[Frames]:
        """HWC BGR, one file after the other; videos at `data.fps`.

        Raises Incomplete where a video breaks off, or a folder of frames has a bad image, unless that is kept.
        """
        if self._source.frames:
            return self._numbered()
        return self._of(self._source.files, IMAGE_READERS if self._settings.images else READERS)

    def _of(self, files: Sequence[File], readers: Readers) -> Iterator[Frames]:
        """A file is here for as long as it is read."""
        for file in files:
            try:
                self._tries.begin(file.name)
                with file.local() as path:
                    yield from resample(read_timed(path, readers, self._lack), self._settings.fps)
                    if readers is READERS:
                        self.fps = self._settings.fps or frame_rate(path)
            except DecodeError as error:
                self._skip(file, str(error))

    def _numbered(self) -> Iterator[Frames]:
        """The frames of a video that lies as images, all of one size."""
        size = None
        for file in self._source.files:
            for frame_HWC in self._of([file], IMAGE_READERS):
                size = size or frame_HWC.shape
                if frame_HWC.shape == size:
                    yield frame_HWC
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
