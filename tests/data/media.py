"""Small videos for tests: written here, never carried."""

import struct
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


def write_image(
    path: Path,
    width: int = 48,
    height: int = 32,
    seed: int = 0,
    *,
    channels: int = 3,
    dtype=np.uint8,
):
    """A ramp, different for every seed; of 16 bits its numbers are 257 times those of 8, of floats 1/255."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = still(width, height, seed)[..., ::-1]  # OpenCV writes B, G, R
    if channels == 1:
        image = image[..., 0]
    elif channels == 4:
        image = np.dstack([image, np.full((height, width), 255, np.uint8)])
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    written, encoded = cv2.imencode(path.suffix.lower(), (image * dtype(scale)).astype(dtype))
    assert written
    path.write_bytes(encoded.tobytes())
    return path


def still(width: int = 48, height: int = 32, seed: int = 0) -> np.ndarray:
    """What `write_image` writes: HWC RGB uint8."""
    ramp = np.add.outer(np.arange(height), np.arange(width))
    return np.stack([(ramp + 60 * c + 37 * seed) % 256 for c in range(3)], -1).astype(np.uint8)


def oriented(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG file that says how the camera was held: an EXIF segment with the one tag 0x0112."""
    tag = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + tag + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
