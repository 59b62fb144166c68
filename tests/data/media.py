"""Small videos for tests: written here, never carried."""

from pathlib import Path

import cv2
import numpy as np

BROKEN = {
    "zero.mp4": b"",
    "text.mp4": b"this is text, not a video\n" * 50,
    "noise.avi": np.random.default_rng(0).bytes(20_000),
    "photo.mkv": b"\x89PNG\r\n\x1a\n" + bytes(500),
}
"""File name -> bytes that no reader can make frames of."""


def write_video(path: Path, frames: int = 40, width: int = 48, height: int = 32, seed: int = 0):
    """A gradient that drifts, different for every seed; 24 frames per second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.parent / f"plain-{seed}{path.suffix.lower()}"
    writer = cv2.VideoWriter(str(plain), cv2.VideoWriter.fourcc(*"mp4v"), 24, (width, height))
    assert writer.isOpened()
    ramp = np.add.outer(np.arange(height), np.arange(width))
    for frame in range(frames):
        channels = [(ramp * (c + 1) + 5 * frame + 40 * seed) % 256 for c in range(3)]
        writer.write(np.stack(channels, -1).astype(np.uint8))
    writer.release()
    return plain.replace(path)
