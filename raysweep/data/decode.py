"""Video and image files to frames, by reading from the front to the end.

Frames are HWC RGB uint8. What a container claims about itself (its frame count above all) is never
trusted: a video has the frames that decode. OpenCV turns frames upright as the file says: a video's
rotation, a photograph's EXIF orientation.
"""

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault(
    "OPENCV_FFMPEG_LOGLEVEL", "-8"
)  # AV_LOG_QUIET: broken files are ours to report

import cv2

from raysweep.errors import DataError

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

Frames = NDArray[np.uint8]
"""HWC, THWC or BTHWC RGB in [0, 255]; a variable's suffix says which."""


class DecodeError(DataError):
    """A file gives no frames; the message is a short reason, without the file's name."""


def read_video(path: Path) -> Iterator[Frames]:
    """Every frame as HWC RGB uint8; a stream that breaks off simply ends there.

    Raises DecodeError at the first frame when there is none.
    """
    video = open_video(path)
    readable, frame_HWC = video.read()
    if not readable:
        raise DecodeError("no decodable frame")
    while readable:
        yield cv2.cvtColor(frame_HWC, cv2.COLOR_BGR2RGB)
        readable, frame_HWC = video.read()


def read_image(path: Path) -> Iterator[Frames]:
    """The one frame of an image file: greyscale thrice, 16 bits as 8, alpha left out.

    Raises DecodeError when it is damaged, or of numbers without a white, such as float32.
    """
    encoded = np.fromfile(path, np.uint8)  # OpenCV itself opens no path that is not UTF-8
    try:
        image_HWC = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    except cv2.error:  # larger than OpenCV takes
        image_HWC = None
    if image_HWC is None:
        raise DecodeError("not an image that OpenCV can open")
    yield cv2.cvtColor(image_HWC, cv2.COLOR_BGR2RGB)


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

Readers = Mapping[str, Callable[[Path], Iterator[Frames]]]
"""Suffix in lower case -> the function that reads such a file frame by frame."""

READERS: Readers = dict.fromkeys(VIDEO_SUFFIXES, read_video)
IMAGE_READERS: Readers = dict.fromkeys(IMAGE_SUFFIXES, read_image)


def is_readable(path: str | Path, readers: Readers = READERS) -> bool:
    """Whether the suffix, in any case, has a reader."""
    return posixpath.splitext(path)[1].lower() in readers


def readable_name(name: str) -> str:
    """`name` as text that can be stored and printed: a file system's undecodable bytes become \\xff."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_frames(path: Path, readers: Readers = READERS) -> Iterator[Frames]:
    """Every frame of a file as HWC RGB uint8; DecodeError, with a short reason, when there is none."""
    if not is_readable(path, readers):
        raise DecodeError(f"no reader for the suffix {path.suffix!r}")
    if not path.is_file():
        raise DecodeError("no such file")
    if path.stat().st_size == 0:
        raise DecodeError("the file is empty")
    return readers[path.suffix.lower()](path)


def frame_rate(path: Path) -> float | None:
    """Frames per second as the container claims; None where it claims nothing usable."""
    claimed = float(open_video(path).get(cv2.CAP_PROP_FPS))
    return claimed if 0 < claimed < 1000 else None


def open_video(path: Path) -> cv2.VideoCapture:
    """Before its first frame; DecodeError where it does not open."""
    if readable_name(str(path)) != str(path):
        raise DecodeError(
            "its path is not valid UTF-8, rename it"
        )  # OpenCV would crash the process
    # FFmpeg by name: OpenCV's other backends would take "%03d" in a file name for an image sequence.
    video = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    if not video.isOpened():
        raise DecodeError("not a video that OpenCV can open")
    return video
