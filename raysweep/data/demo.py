"""Videos to try raysweep on: a smooth virtual camera over photographs, made on the spot.

The photographs are those inside the scikit-image wheel; none is downloaded. Between random
keyframes the camera pans, zooms and turns with eased motion, and never looks beyond the photograph.
Greyscale photographs are filmed under coloured light that drifts: a third of the footage would else hold
no colour, and what learned from it none to give.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from raysweep.data.decoding.decode import Frames
from raysweep.data.sources.labels import Split
from raysweep.data.storing.shards import whole_file
from raysweep.errors import DataError
from raysweep.schema import Config

TRAIN = "astronaut.png rocket.jpg motorcycle_left.png hubble_deep_field.jpg camera.png coins.png"
TRAIN += " ihc.png gravel.png retina.jpg grass.png brick.png motorcycle_right.png"
PHOTOGRAPHS: dict[Split, list[str]] = {
    "train": TRAIN.split(),
    "valid": ["chelsea.png", "coffee.png"],
}
"""Videos of a split take these in turn. No photograph, and no second view of one, is in both."""

FRAMES_PER_SECOND = 24
KEYFRAME_SECONDS = 1.5
MAX_TURN_DEGREES = 25
ZOOM = (0.4, 0.95)
"""Share of the largest square inside the photograph that the camera sees, from nearest to widest."""
GREYSCALE = {"camera.png", "coins.png", "gravel.png", "grass.png", "brick.png"}
LIGHT = (0.3, 1.3)
"""Factors of the red, green and blue light on greyscale photographs, from dimmest to brightest."""
PHOTO_SCALE = 4
"""Photographs are shrunk to this many video sizes, so that the nearest view still has detail."""
SUPERSAMPLING = 3
"""The camera's picture is this much larger than the video and then averaged: no shimmer."""


class DemoVideos(Config):
    """What a finished folder of demo videos was made with."""

    version: Literal[2] = 2
    """Of the recipe in this file."""
    train: int
    """Videos."""
    valid: int
    """Videos."""
    frames: int
    """Per video."""
    size: int
    """Pixels, height and width."""
    seed: int
    """Of the camera's motion."""


def make_demo_videos(
    folder: Path,
    *,
    train: int = 36,
    valid: int = 4,
    frames: int = 48,
    size: int = 96,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes `folder`/train/*.mp4 and `folder`/valid/*.mp4; nothing is done where they are complete.

    `train` and `valid` count videos, `frames` are per video, `size` is pixels a side. `progress` is
    called with videos done and videos in all. Raises DataError when scikit-image is not installed.
    """
    asked = DemoVideos(train=train, valid=valid, frames=frames, size=size, seed=seed)
    videos = _videos(folder, asked)
    marker = folder / "demo.json"
    if _made(marker) == asked and all(video.is_file() for video in videos):
        return
    marker.unlink(missing_ok=True)
    for split in PHOTOGRAPHS:
        for old in (folder / split).glob("demo-[0-9][0-9]-*.mp4"):
            old.unlink()
    photographs = _photographs_folder()
    for done, (video, photograph) in enumerate(videos.items()):
        rng = np.random.default_rng((seed, *video.relative_to(folder).as_posix().encode()))
        film = _film(_photograph(photographs / photograph, size), asked, rng)
        write_video(video, _lit(film, rng) if photograph in GREYSCALE else film)
        if progress:
            progress(done + 1, len(videos))
    with whole_file(marker) as part:
        part.write_text(asked.model_dump_json(), encoding="utf-8")


def check_demo_videos(folder: Path) -> None:
    """Raises DataError where `make_demo_videos` would have to make some in `folder`, and cannot."""
    if _made(folder / "demo.json") is None:
        _photographs_folder()


def _videos(folder: Path, asked: DemoVideos) -> dict[Path, str]:
    counts: dict[Split, int] = {"train": asked.train, "valid": asked.valid}
    return {
        folder / split / f"demo-{number:02}-{Path(photograph).stem}.mp4": photograph
        for split, count in counts.items()
        for number, photograph in ((n, _in_turn(PHOTOGRAPHS[split], n)) for n in range(count))
    }


def _in_turn(names: list[str], number: int) -> str:
    return names[number % len(names)]


def _made(marker: Path) -> DemoVideos | None:
    try:
        return DemoVideos.model_validate_json(marker.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _photographs_folder() -> Path:
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise DataError(
            "demo videos need the photographs of scikit-image, which is not installed. "
            "Install raysweep[demo], or set data.source to your own videos."
        )
    return Path(spec.origin).parent / "data"


def _photograph(path: Path, size: int) -> Frames:
    """HWC BGR, its shortest side at most PHOTO_SCALE * size."""
    photo_HWC = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photo_HWC is None:
        raise DataError(
            f"demo videos need {path}, which cannot be read. Install raysweep[demo] again."
        )
    scale = min(1.0, PHOTO_SCALE * size / min(photo_HWC.shape[:2]))
    shrunk: Frames = cv2.resize(photo_HWC, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return shrunk


def _film(photo_HWC: Frames, asked: DemoVideos, rng: np.random.Generator) -> list[Frames]:
    path = _camera_path(asked.frames, rng)
    return [
        _view(photo_HWC, across, down, zoom, turn, asked.size) for across, down, zoom, turn in path
    ]


def _lit(film: list[Frames], rng: np.random.Generator) -> list[Frames]:
    light = _eased(len(film), [LIGHT[0]] * 3, [LIGHT[1]] * 3, rng)
    return [
        np.clip(frame_HWC * colour, 0, 255).astype(np.uint8)
        for frame_HWC, colour in zip(film, light, strict=True)
    ]


def _camera_path(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(frames, 4): place across and down in [0, 1], zoom in ZOOM, turn in degrees."""
    lowest = [0, 0, ZOOM[0], -MAX_TURN_DEGREES]
    highest = [1, 1, ZOOM[1], MAX_TURN_DEGREES]
    return _eased(frames, lowest, highest, rng)


def _eased(
    frames: int, lowest: list[float], highest: list[float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(frames, len(lowest)): drawn between the bounds at every keyframe, at rest there."""
    times = np.arange(frames) / (KEYFRAME_SECONDS * FRAMES_PER_SECOND)
    keys = rng.uniform(lowest, highest, (int(times[-1]) + 2, len(lowest)))
    before = times.astype(int)
    part = times - before
    eased = (part * part * (3 - 2 * part))[:, None]  # smoothstep: at rest at every keyframe
    path: NDArray[np.float64] = keys[before] * (1 - eased) + keys[before + 1] * eased
    return path


def _view(
    photo_HWC: Frames, across: float, down: float, zoom: float, turn: float, size: int
) -> Frames:
    """HWC BGR: what the camera sees; the turned square it looks at lies inside the photograph."""
    height, width = photo_HWC.shape[:2]
    spread = abs(np.cos(np.radians(turn))) + abs(np.sin(np.radians(turn)))
    side = zoom * (min(height, width) - 1) / spread  # a square of this side, turned, fits
    reach = side * spread / 2
    x, y = reach + across * (width - 1 - 2 * reach), reach + down * (height - 1 - 2 * reach)
    large = size * SUPERSAMPLING
    to_view = cv2.getRotationMatrix2D((x, y), turn, large / side)
    to_view[:, 2] += large / 2 - np.array([x, y])
    seen = cv2.warpAffine(photo_HWC, to_view, (large, large), flags=cv2.INTER_LINEAR)
    view: Frames = cv2.resize(seen, (size, size), interpolation=cv2.INTER_AREA)
    return view


def write_video(path: Path, frames_HWC: list[Frames]) -> None:
    """BGR frames as MPEG-4, FRAMES_PER_SECOND of them a second."""
    height, width = frames_HWC[0].shape[:2]
    with whole_file(path) as part:
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(part), codec, FRAMES_PER_SECOND, (width, height))
        for frame_HWC in frames_HWC:
            writer.write(frame_HWC)
        writer.release()
