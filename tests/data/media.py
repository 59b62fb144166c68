"""Small videos for tests: written here, never carried."""

import struct
import zlib
from collections.abc import Callable
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


def write_video(
    path: Path,
    frames: int = 40,
    width: int = 48,
    height: int = 32,
    seed: int = 0,
    codec: str = "mp4v",
):
    """A gradient that drifts, different for every seed; 24 frames per second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.parent / f"plain-{seed}{path.suffix.lower()}"
    writer = cv2.VideoWriter(str(plain), cv2.VideoWriter.fourcc(*codec), 24, (width, height))
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


def see_through(width: int = 48, height: int = 32, dtype=np.uint8) -> np.ndarray:
    """HWC RGBA: the left half is red and solid, the right half is green that nobody can see."""
    image = np.zeros((height, width, 4), dtype)
    image[:, : width // 2] = np.array([200, 80, 40, 255]) * (np.iinfo(dtype).max // 255)
    image[:, width // 2 :, 1] = np.iinfo(dtype).max
    return image


def write_see_through(path: Path, dtype=np.uint8, lossless: bool = True) -> Path:
    bgra = see_through(dtype=dtype)[..., [2, 1, 0, 3]]
    parameters = (
        [cv2.IMWRITE_WEBP_QUALITY, 101 if lossless else 95] if path.suffix == ".webp" else []
    )
    written, encoded = cv2.imencode(path.suffix, bgra, parameters)
    assert written
    path.write_bytes(encoded.tobytes())
    return path


def write_y4m(
    path: Path, kind: str, frames: int = 3, width: int = 48, height: int = 32, yuv=(110, 90, 180)
) -> Path:
    """Uncompressed frames of one colour, whose video FFmpeg knows by what is in it; `yuv` counts in 8 bits."""
    bits = 10 if kind.endswith("p10") else 8
    small = (height + 1) // 2 * ((width + 1) // 2)
    sizes = {"mono": [height * width], "444": [height * width] * 3}.get(
        kind, [height * width, small, small]
    )
    planes = [
        np.full(size, level << (bits - 8), np.uint16 if bits > 8 else np.uint8).tobytes()
        for size, level in zip(sizes, yuv, strict=False)
    ]
    head = f"YUV4MPEG2 W{width} H{height} F24:1 Ip A1:1 C{kind}\n".encode()
    path.write_bytes(head + b"".join([b"FRAME\n", *planes]) * frames)
    return path


Boxes = tuple[str, ...]
STBL: Boxes = ("moov", "trak", "mdia", "minf", "stbl")


def with_box(mp4: bytes, at: Boxes, change: Callable[[bytes], bytes]) -> bytes:
    """The file with the content of one box changed, and the sizes of all around it."""
    parts, start = [], 0
    while start < len(mp4):
        size, kind = struct.unpack_from(">I4s", mp4, start)
        content = mp4[start + 8 : start + size]
        if kind == at[0].encode():
            content = with_box(content, at[1:], change) if at[1:] else change(content)
        parts.append(struct.pack(">I4s", len(content) + 8, kind) + content)
        start += size
    return b"".join(parts)


def index_first(mp4: bytes) -> bytes:
    """As a file for streaming: all about the frames before the frames."""
    front, index = mp4[: mp4.rindex(b"moov") - 4], mp4[mp4.rindex(b"moov") - 4 :]
    head = struct.unpack_from(">I", front)[0]

    def moved(table: bytes) -> bytes:
        offsets = np.frombuffer(table[8:], ">u4") + len(index)
        return table[:8] + offsets.astype(">u4").tobytes()

    return front[:head] + with_box(index, (*STBL, "stco"), moved) + front[head:]


def rotated(mp4: bytes) -> bytes:
    """To be shown a quarter turn clockwise: ISO/IEC 14496-12, the matrix of the track header."""
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    return with_box(mp4, ("moov", "trak", "tkhd"), lambda tkhd: tkhd[:40] + matrix + tkhd[76:])


def two_rates(mp4: bytes) -> bytes:
    """The first half of the frames stands for half as long again, the second for half as long."""

    def uneven(table: bytes) -> bytes:
        frames, ticks = struct.unpack(">II", table[8:])
        entries = (frames // 2, ticks * 3 // 2, frames - frames // 2, ticks // 2)
        return table[:4] + struct.pack(">I4I", 2, *entries)

    return with_box(mp4, (*STBL, "stts"), uneven)


def half_shown(mp4: bytes) -> bytes:
    """An edit list that shows the first half: a whole file that claims twice the frames that it gives."""

    def halved(table: bytes) -> bytes:
        (ticks,) = struct.unpack_from(">I", table, 8)
        return table[:8] + struct.pack(">I", ticks // 2) + table[12:]

    return with_box(mp4, ("moov", "trak", "edts", "elst"), halved)


def of_an_unknown_codec(mp4: bytes) -> bytes:
    """By neither of the two names that it goes by."""
    names = (b"mp4v", b"esds")
    return with_box(
        mp4,
        (*STBL, "stsd"),
        lambda table: table.replace(names[0], b"zzzz").replace(names[1], b"zzzz"),
    )


def huge_png(side: int) -> bytes:
    """A header that is all there is."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header) - 4) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk


def huge_bmp(side: int) -> bytes:
    file = struct.pack("<2sIHHI", b"BM", 1054, 0, 0, 54)
    return file + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(1000)


def huge_jpeg(side: int) -> bytes:
    whole = bytearray(_encoded(".jpg"))
    struct.pack_into(">HH", whole, whole.index(b"\xff\xc0") + 5, side, side)
    return bytes(whole)


def huge_jpeg2000(side: int) -> bytes:
    whole = bytearray(_encoded(".jp2"))
    struct.pack_into(">II", whole, whole.index(b"ihdr") + 4, side, side)
    size = whole.index(b"\xff\x4f\xff\x51") + 8  # of the image, then of its one tile
    struct.pack_into(">II", whole, size, side, side)
    struct.pack_into(">II", whole, size + 16, side, side)
    return bytes(whole)


def huge_tiff(side: int) -> bytes:
    whole = bytearray(_encoded(".tif"))
    (at,) = struct.unpack_from("<I", whole, 4)
    (tags,) = struct.unpack_from("<H", whole, at)
    for entry in range(at + 2, at + 2 + 12 * tags, 12):
        if struct.unpack_from("<H", whole, entry)[0] in (256, 257, 278):  # width, height, strip
            struct.pack_into("<HII", whole, entry + 2, 4, 1, side)
    return bytes(whole)


def _encoded(suffix: str) -> bytes:
    written, encoded = cv2.imencode(suffix, still())
    assert written
    return encoded.tobytes()


def huge_video(folder: Path, side: int) -> bytes:
    """An AVI whose header says so."""
    whole = bytearray(write_video(folder / "small.avi", frames=2, codec="HFYU").read_bytes())
    struct.pack_into("<II", whole, whole.index(b"avih") + 40, side, side)
    struct.pack_into("<ii", whole, whole.index(b"strf") + 12, side, side)
    return bytes(whole)
