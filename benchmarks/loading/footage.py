"""Footage to measure with: films made on the spot, or a folder's videos, repeated to any length.

A film is a camera that moves over a wall of the photographs in scikit-image's wheel, with a hard cut every
six seconds. It is H.264 as x264 makes it by default where PyAV is installed, else OpenCV's MPEG-4.
"""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from raysweep.data.decoding.decode import VIDEO_SUFFIXES, Frames, read_frames
from raysweep.data.demo import PHOTOGRAPHS

FPS, WIDTH, HEIGHT = 24, 854, 480
SHOT_FRAMES = 6 * FPS
TILE = 480
"""Pixels a side of a photograph on the wall."""


class Film(NamedTuple):
    path: Path
    frames: int
    """That decode."""


def made(folder: Path, films: int, frames: int) -> list[Film]:
    """`films` different ones of `frames` frames each."""
    folder.mkdir(parents=True)
    write = _write_h264 if find_spec("av") else _write_mpeg4
    wall_HWC = _wall()
    for number in range(films):
        rng = np.random.default_rng(number)
        write(folder / f"film-{number}.mp4", _filmed(wall_HWC, frames, rng))
    return found(folder)


def found(folder: Path) -> list[Film]:
    videos = sorted(p for p in folder.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
    return [Film(path, sum(1 for _ in read_frames(path))) for path in videos]


def repeated(films: list[Film], frames: int, folder: Path) -> int:
    """Fills `folder` with copies of the films in turn until they hold `frames`; returns how many they hold."""
    folder.mkdir(parents=True)
    held = 0
    for number, film in enumerate(cycle(films)):
        if held >= frames:
            break
        shutil.copyfile(film.path, folder / f"{number:04}-{film.path.name}")
        held += film.frames
    return held


def described(films: list[Film]) -> str:
    """The formats, as the files' own heads say."""
    return ", ".join(sorted({_format(film.path) for film in films}))


def _wall() -> Frames:
    """HWC BGR: three rows of four photographs."""
    spec = find_spec("skimage")
    assert spec is not None, "needs raysweep[demo]"
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    photographs = [cv2.imread(str(data / name)) for name in PHOTOGRAPHS["train"]]
    tiles = [cv2.resize(photo, (TILE, TILE), interpolation=cv2.INTER_AREA) for photo in photographs]
    return np.vstack([np.hstack(tiles[row : row + 4]) for row in range(0, 12, 4)])


def _filmed(wall_HWC: Frames, frames: int, rng: np.random.Generator) -> Iterator[Frames]:
    """HWC BGR; within a shot the camera glides from one view to another."""
    for frame in range(frames):
        part = frame % SHOT_FRAMES / SHOT_FRAMES
        if part == 0:
            start, end = rng.uniform((0, 0, 0.6, -15), (1, 1, 1.2, 15), (2, 4))
        across, down, scale, degrees = start + (end - start) * part
        yield _view(wall_HWC, across, down, scale, degrees)


def _view(wall_HWC: Frames, across: float, down: float, scale: float, degrees: float) -> Frames:
    """`scale`: pixels of the film per pixel of the wall."""
    height, width = wall_HWC.shape[:2]
    center = width * (0.3 + 0.4 * across), height * (0.3 + 0.4 * down)
    to_view = cv2.getRotationMatrix2D(center, degrees, scale)
    to_view[:, 2] += np.array([WIDTH, HEIGHT]) / 2 - center
    how = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT}
    view: Frames = cv2.warpAffine(wall_HWC, to_view, (WIDTH, HEIGHT), **how)
    return view


def _write_h264(path: Path, frames_HWC: Iterator[Frames]) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame_HWC in frames_HWC:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_HWC, format="bgr24")))
        container.mux(stream.encode(None))


def _write_mpeg4(path: Path, frames_HWC: Iterator[Frames]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    for frame_HWC in frames_HWC:
        writer.write(frame_HWC)
    writer.release()


def _format(path: Path) -> str:
    video = cv2.VideoCapture(str(path))
    code = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode()
    width, height = video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)
    return f"{code} {width:.0f}x{height:.0f}"
