"""Video and image files to frames, by reading from the front to the end.

What a container claims about itself (its frame count above all) is never trusted: a video has the frames
that decode, each once, at any rate. OpenCV turns frames upright as the file says: a video's rotation, a
photograph's EXIF orientation.
"""

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from raysweep.data import MAX_PIXELS
from raysweep.data.decoding.resample import Timed, rising
from raysweep.data.decoding.stills import decode_still
from raysweep.data.decoding.wholeness import Extent, breaks_off
from raysweep.errors import DataError

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

Frames = NDArray[np.uint8]
"""HWC, THWC or BTHWC RGB in [0, 255]; a variable's suffix says which. From a reader: HWC BGR."""

Lacks = Callable[[str], None]
"""Told what a file lacks, once the frames that it has are read."""


class DecodeError(DataError):
    """A file gives no frames; the message is a short reason, without the file's name."""


def read_video(path: Path, lacks: Lacks) -> Iterator[Timed[Frames]]:
    """Every frame as HWC BGR uint8. Raises DecodeError at the first frame when there is none."""
    video = open_video(path)
    rate = _rate(video)
    claimed, period = video.get(cv2.CAP_PROP_FRAME_COUNT), 1 / (rate or USUAL_RATE)
    frames, seconds = 0, -period
    readable, frame_HWC = video.read()
    while readable:
        seconds = rising(seconds, video.get(cv2.CAP_PROP_POS_MSEC) / 1000, period)
        yield Timed(seconds, frame_HWC)
        frames += 1
        readable, frame_HWC = video.read()
    if not frames:
        raise DecodeError("no decodable frame")
    if breaks_off(path, Extent(claimed, claimed * period), Extent(frames, seconds + period)):
        lacks(f"breaks off after {frames} of {claimed:.0f} frames")


def read_image(path: Path, lacks: Lacks) -> Iterator[Timed[Frames]]:
    """The one frame of an image file as HWC BGR uint8. Raises DecodeError when it is damaged."""
    frame_HWC = decode_still(np.fromfile(path, np.uint8))
    if frame_HWC is None:
        raise DecodeError("not an image that OpenCV can open")
    yield Timed(0, frame_HWC)


VIDEO_SUFFIXES = [
    ".mp4",
    ".m4v",
    ".mov",
    ".avi",
    ".mkv",
    ".webm",
    ".mpg",
    ".mpeg",
    ".ts",
    ".wmv",
    ".flv",
    ".3gp",
    ".ogv",
    ".gif",
]

IMAGE_SUFFIXES = [
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".jp2",
    ".avif",
]

USUAL_RATE = 25.0
"""Frames per second of a video that claims none."""

Readers = Mapping[str, Callable[[Path, Lacks], Iterator[Timed[Frames]]]]
"""Suffix in lower case -> the function that reads such a file frame by frame."""

READERS: Readers = dict.fromkeys(VIDEO_SUFFIXES, read_video)
IMAGE_READERS: Readers = dict.fromkeys(IMAGE_SUFFIXES, read_image)


def is_readable(path: str | Path, readers: Readers = READERS) -> bool:
    """Whether the suffix, in any case, has a reader."""
    return posixpath.splitext(path)[1].lower() in readers


def readable_name(name: str) -> str:
    """`name` as text that can be stored and printed: a file system's undecodable bytes become \\xff."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_timed(path: Path, readers: Readers, lacks: Lacks) -> Iterator[Timed[Frames]]:
    """Every frame of a file as HWC BGR uint8; DecodeError, with a short reason, when there is none."""
    if not is_readable(path, readers):
        raise DecodeError(f"no reader for the suffix {path.suffix!r}")
    try:
        _check_file(path)
    except OSError as error:
        raise DecodeError(f"cannot be read: {error.strerror}") from None
    return readers[path.suffix.lower()](path, lacks)


def read_frames(path: Path, readers: Readers = READERS) -> Iterator[Frames]:
    """Every frame of a file as HWC RGB uint8; one that breaks off simply ends there.

    DecodeError, with a short reason, when there is none.
    """
    timed = read_timed(path, readers, lacks=lambda reason: None)
    return (to_rgb(frame_HWC) for _, frame_HWC in timed)


def single_threaded() -> None:
    """Has OpenCV use one thread in this process."""
    cv2.setNumThreads(1)


def to_rgb(frame_HWC: Frames) -> Frames:
    """From BGR."""
    return cv2.cvtColor(frame_HWC, cv2.COLOR_BGR2RGB)


def frame_rate(path: Path) -> float | None:
    """Frames per second as the container claims; None where it claims nothing usable."""
    return _rate(open_video(path))


def _rate(video: cv2.VideoCapture) -> float | None:
    claimed = float(video.get(cv2.CAP_PROP_FPS))
    return claimed if 0 < claimed < 1000 else None


def claimed_frames(path: Path, fps: float | None) -> int:
    """As the container claims, which may lie, and as many as resampling to `fps` would leave of them."""
    video = open_video(path)
    claimed, rate = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT))), _rate(video)
    return claimed if fps is None or rate is None else round(claimed * fps / rate)


def _check_file(path: Path) -> None:
    """Raises OSError where it may not be read. What is no file, as a pipe, would be waited for."""
    if not path.is_file():
        raise DecodeError("not a file" if path.exists() else "no such file")
    with path.open("rb") as file:
        if not file.read(1):
            raise DecodeError("the file is empty")


def open_video(path: Path) -> cv2.VideoCapture:
    """Before its first frame; DecodeError where it does not open."""
    if readable_name(str(path)) != str(path):
        raise DecodeError(
            "its path is not valid UTF-8, rename it"
        )  # OpenCV would crash the process
    if _is_still(path):
        raise DecodeError("an image, not a video")
    # FFmpeg by name: OpenCV's other backends would take "%03d" in a file name for an image sequence.
    # One thread a file: its frames cost a tenth less than with two, and files are decoded side by side.
    video = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not video.isOpened():
        raise DecodeError("not a video that OpenCV can open")
    width, height = (
        int(video.get(of)) for of in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    if width * height > MAX_PIXELS:
        raise DecodeError(f"frames of {width}x{height}, more than {MAX_PIXELS:,} pixels")
    return video


def _is_still(path: Path) -> bool:
    """By what is in it; FFmpeg would make it a video of one frame. OpenCV's images include GIF."""
    with path.open("rb") as file:
        is_gif = file.read(4) == b"GIF8"
    return not is_gif and cv2.haveImageReader(str(path.absolute()))
