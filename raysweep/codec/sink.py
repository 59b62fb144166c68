"""Frames into a video file, or into a folder of pictures.

OpenCV brings FFmpeg with encoders of free licences: MPEG-4 part 2, and FFV1, which loses nothing. It cuts frames
to even sizes before it encodes them; frames of odd ones are encoded as pictures, and go in as they are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from raysweep.data.decoding.decode import DecodeError, Frames, open_video, readable_name
from raysweep.data.decoding.stills import quiet
from raysweep.errors import DataError, StorageError

Encoded = NDArray[np.uint8]
"""The bytes of a picture's file."""
Prepare = Callable[[Frames], NDArray[np.uint8]]
"""A frame, HWC RGB -> what OpenCV's writer takes."""


class Size(NamedTuple):
    height: int
    width: int


class Form(NamedTuple):
    """What a kind of file holds, by FFmpeg's names."""

    codec: str
    picture_codec: str
    """Of frames whose height or width is odd."""
    picture_suffix: str
    picture_options: tuple[int, ...]
    """Of cv2.imencode."""


FORMS = {
    ".mp4": Form("mp4v", "mjpg", ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 95)),
    ".mkv": Form("FFV1", "MPNG", ".png", ()),
}
"""By suffix."""


class Sink(ABC):
    """Takes frames one by one."""

    @abstractmethod
    def write(self, frame_HWC: Frames) -> None:
        """RGB uint8."""

    @abstractmethod
    def close(self) -> None:
        """Once all are there; StorageError where they cannot be read back."""


def check_target(path: Path) -> None:
    """DataError unless `open_sink` knows what to make of its name."""
    if path.suffix and path.suffix.lower() not in FORMS:
        raise DataError(
            "a decoded video goes into an .mp4, into an .mkv, which keeps every pixel, or as .png pictures into a "
            f"folder, a name without a suffix; got {path}. Name one of these."
        )
    if readable_name(str(path)) != str(path):
        raise DataError(
            f"a video's path must be valid UTF-8, got {readable_name(str(path))}. Rename it."
        )


def open_sink(path: Path, size: Size, rate: Fraction) -> Sink:
    """`size`: of the frames; `rate`: frames per second, which files keep to about a millionth."""
    if not path.suffix:
        return PictureFolder(path)
    form = FORMS[path.suffix.lower()]
    if size.height % 2 or size.width % 2:
        return _of_pictures(path, form, size, rate)
    return _encoded(path, form, size, rate)


class PictureFolder(Sink):
    """000000.png, 000001.png, ...: every pixel as it was, without a rate."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.frames = folder, 0

    def write(self, frame_HWC: Frames) -> None:
        picture = _picture(frame_HWC, ".png", ())
        (self.folder / f"{self.frames:06d}.png").write_bytes(picture.tobytes())
        self.frames += 1

    def close(self) -> None:
        """Nothing is left to do."""


class VideoFile(Sink):
    """Made by OpenCV of what `prepare` makes of a frame."""

    def __init__(self, path: Path, writer: cv2.VideoWriter, prepare: Prepare) -> None:
        self.path, self.frames, self._writer, self._prepare = path, 0, writer, prepare

    def write(self, frame_HWC: Frames) -> None:
        self._writer.write(self._prepare(frame_HWC))
        self.frames += 1

    def close(self) -> None:
        """OpenCV does not tell when writing fails: what is there is read again."""
        self._writer.release()
        kept = _readable_frames(self.path)
        if kept != self.frames:
            raise StorageError(
                f"a video must be written whole, and {kept} of {self.frames} frames of {self.path} can be read again. "
                "See that its disk has room, then start again."
            )


def _encoded(path: Path, form: Form, size: Size, rate: Fraction) -> VideoFile:
    writer = _writer(path, form.codec, size, rate, [])
    return VideoFile(path, writer, lambda frame_HWC: cv2.cvtColor(frame_HWC, cv2.COLOR_RGB2BGR))


def _of_pictures(path: Path, form: Form, size: Size, rate: Fraction) -> VideoFile:
    already_encoded = [cv2.VIDEOWRITER_PROP_RAW_VIDEO, 1, cv2.VIDEOWRITER_PROP_KEY_INTERVAL, 1]
    writer = _writer(path, form.picture_codec, size, rate, already_encoded)
    suffix, options = form.picture_suffix, form.picture_options
    return VideoFile(path, writer, lambda frame_HWC: _picture(frame_HWC, suffix, options)[None])


def _writer(
    path: Path, codec: str, size: Size, rate: Fraction, options: list[int]
) -> cv2.VideoWriter:
    fourcc, whole = cv2.VideoWriter.fourcc(*codec), (size.width, size.height)
    with quiet():  # of the code that it writes for a picture's codec
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, float(rate), whole, options)
    if not writer.isOpened():
        raise StorageError(
            f"OpenCV cannot write a video of {size.width}x{size.height} px to {path}. See that its folder can be "
            "written to, or name a folder for .png pictures."
        )
    return writer


def _picture(frame_HWC: Frames, suffix: str, options: tuple[int, ...]) -> Encoded:
    made, encoded = cv2.imencode(suffix, cv2.cvtColor(frame_HWC, cv2.COLOR_RGB2BGR), options)
    assert made
    return encoded


def _readable_frames(path: Path) -> int:
    try:
        video = open_video(path)
    except DecodeError:
        return 0
    return sum(1 for _ in iter(video.grab, False))
