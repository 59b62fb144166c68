"""H.264 of the same video in as many bytes, by the machine's ffmpeg: what tokens are to be measured against."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from raysweep.codec import Progress
from raysweep.codec.decoding import decode_frames
from raysweep.codec.encoding import Summary
from raysweep.codec.network import Network
from raysweep.codec.source import Source
from raysweep.data.decoding.decode import Frames
from raysweep.errors import RaysweepError

X264_LEAST = 1000
"""Bits per second: x264 counts in thousands, and takes none for no wish at all."""
CEILING_DB = 100.0
"""What a frame without any error scores, as in `raysweep.metrics.psnr`."""


class Compared(NamedTuple):
    """Means over frames, in dB against the video."""

    tokens_psnr: float
    h264_psnr: float
    h264_bytes: int


def ffmpeg() -> str | None:
    """Where it is, if this machine has one that can encode H.264."""
    binary = shutil.which("ffmpeg")
    if binary is None:
        return None
    words = [binary, "-hide_banner", "-encoders"]
    encoders = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return binary if " libx264 " in encoders else None


def compare(
    network: Network, video: Path, tokens: Path, summary: Summary, binary: str, progress: Progress
) -> Compared:
    """Encodes `video` by x264 in two passes to the size of `tokens`, and decodes both."""
    with TemporaryDirectory() as folder:
        rival = Path(folder) / "rival.mp4"
        for number in (1, 2):
            _pass(binary, number, video, rival, summary)
        both = zip(decode_frames(network, tokens), Source(rival).frames(), strict=True)
        total = np.zeros(2)
        for frame, decoded in zip(Source(video).frames(), both, strict=True):
            total += [psnr(frame, one) for one in decoded]
            progress(1)
        ours, theirs = (total / summary.frames).tolist()
        return Compared(ours, theirs, rival.stat().st_size)


def psnr(frame_HWC: Frames, other_HWC: Frames) -> float:
    """dB."""
    error = np.square(frame_HWC.astype(np.float32) - other_HWC).mean()
    return float(min(CEILING_DB, 20 * np.log10(255) - 10 * np.log10(max(error, 1e-12))))


def _pass(binary: str, number: int, video: Path, target: Path, summary: Summary) -> None:
    """The frames go in as OpenCV decodes them: the same ones, upright, each once."""
    height, width = summary.layout.height, summary.layout.width
    bits_per_second = max(X264_LEAST, int(8 * summary.file_bytes * summary.rate / summary.frames))
    is_even = height % 2 == width % 2 == 0
    words = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {summary.rate} -i - -c:v libx264"
    words += (
        f" -pix_fmt {'yuv420p' if is_even else 'yuv444p'} -b:v {bits_per_second} -pass {number}"
    )
    log = ["-passlogfile", str(target.with_suffix("")), "-y", str(target)]
    command = [binary, "-hide_banner", "-loglevel", "quiet", *words.split(), *log]
    with suppress(BrokenPipeError), subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for frame_HWC in Source(video).frames():
            process.stdin.write(frame_HWC.tobytes())
    if process.returncode:
        raise RaysweepError(
            f"the tokens are written; to compare them, {binary} was to encode H.264, and ended with "
            f"{process.returncode}. Do without by --no-compare."
        )
