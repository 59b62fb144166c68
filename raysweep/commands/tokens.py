"""`raysweep encode` and `raysweep decode`: a video to a file of its tokens, and back."""

from fractions import Fraction
from pathlib import Path

from raysweep.codec.decoding import check_file, decode_file
from raysweep.codec.encoding import encode_file
from raysweep.codec.h264 import compare, ffmpeg
from raysweep.codec.layout import Layout
from raysweep.codec.sink import check_target
from raysweep.codec.source import Source
from raysweep.codec.writing import check_free
from raysweep.commands.advance import advancing
from raysweep.commands.console import say
from raysweep.commands.device import device_of
from raysweep.pretrained import load


def encode(model: Path, video: Path, target: Path, device: str, *, compared: bool) -> None:
    """`compared`: also with H.264, where this machine has an ffmpeg that encodes it."""
    check_free(target)
    source, network = Source(video), load(model, device_of(device)).network
    with advancing("encoding", source.claimed_frames() or None) as advance:
        summary = encode_file(network, source, target, advance)
    layout, pixels = summary.layout, summary.pixels
    say(f"{target}: {_described(summary.frames, layout, summary.rate)}{_cut(layout)}")
    _say_what_is_lost(source)
    say(
        f"{summary.file_bytes:,} bytes, {8 * summary.file_bytes / pixels:.4f} bits per pixel; nominal "
        f"{summary.nominal_bits / pixels:.4f}, log2 K for each token"
    )
    binary = ffmpeg() if compared else None
    if binary is not None:
        with advancing("comparing with H.264", summary.frames) as advance:
            scores = compare(network, video, target, summary, binary, advance)
        say(
            f"{scores.tokens_psnr:.2f} dB PSNR; H.264 (x264, two passes) in {scores.h264_bytes:,} bytes: "
            f"{scores.h264_psnr:.2f} dB"
        )


def decode(model: Path, tokens: Path, target: Path, device: str) -> None:
    check_target(target)
    check_free(target)
    network = load(model, device_of(device)).network
    header, frames = check_file(network, tokens)
    with advancing("decoding", frames) as advance:
        decode_file(network, tokens, target, advance)
    say(f"{target}: {_described(frames, header.layout, header.rate)}")


def _say_what_is_lost(source: Source) -> None:
    if source.lacks is not None:
        say(f"{source.path} {source.lacks}: what comes before is encoded")
    if source.is_uneven:
        say(
            f"{source.path} shows its frames at uneven times: each is kept, and they come back at an even "
            f"{float(source.rate):.6g} per second"
        )


def _described(frames: int, layout: Layout, rate: Fraction) -> str:
    return f"{frames:,} frames of {layout.width}x{layout.height} px, {float(rate):.6g} per second"


def _cut(layout: Layout) -> str:
    sides = f"{layout.tile_width}x{layout.tile_height}"
    if layout.tiles > 1:
        return f", each in {layout.columns}x{layout.rows} tiles of {sides}"
    whole = (layout.height, layout.width) == (layout.tile_height, layout.tile_width)
    return "" if whole else f", filled up to {sides}"
