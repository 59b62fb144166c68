"""The frames of one source, and what of it does not decode."""

from collections.abc import Iterator

from raysweep.data.decode import IMAGE_READERS, READERS, DecodeError, Frames, read_timed
from raysweep.data.discover import Source
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.resample import resample


class Incomplete(Exception):
    """A part of a video is missing, and `data.keep_partial` does not ask for the rest of it."""


class Losses:
    """What of a source does not decode."""

    def __init__(self, keep_partial: bool) -> None:
        self._keep_partial = keep_partial
        self.skipped: dict[str, str] = {}
        """File.name of those without a frame -> why."""
        self.lacks: str | None = None
        """SourceRecord.lacks."""

    def lack(self, what: str) -> None:
        """Raises Incomplete unless partial videos are kept."""
        if not self._keep_partial:
            raise Incomplete(f"{what}; data.keep_partial=true keeps what decodes")
        self.lacks = self.lacks or what


def source_frames(source: Source, settings: Preprocessing, losses: Losses) -> Iterator[Frames]:
    """HWC BGR, one file after the other; videos at `data.fps`.

    An image that does not decode is a hole in a folder of frames, and elsewhere only itself.
    """
    readers = IMAGE_READERS if settings.images or source.frames else READERS
    for name, path in source.files:
        try:
            yield from resample(read_timed(path, readers, losses.lack), settings.fps)
        except DecodeError as error:
            losses.skipped[name] = str(error)
            if source.frames:
                losses.lack(f"lacks {name!r}, {error}")
