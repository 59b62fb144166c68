"""A video file -> a token file, a chunk of frames at a time."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from math import log2
from pathlib import Path
from typing import NamedTuple

import numpy as np

from raysweep.codec import Progress, unseen
from raysweep.codec.entropy import TokenCoder
from raysweep.codec.layout import WHOLE_PIXELS, Layout, layout_for
from raysweep.codec.network import Network, frames_per_pass
from raysweep.codec.source import Source
from raysweep.codec.token_file import CodeMap, Header, TokenWriter
from raysweep.codec.writing import whole_or_nothing
from raysweep.data.decoding.decode import Frames


class Summary(NamedTuple):
    """What a token file holds."""

    frames: int
    layout: Layout
    rate: Fraction
    """Frames per second."""
    file_bytes: int
    nominal_bits: float
    """Of all codes at log2 K bits each."""

    @property
    def pixels(self) -> int:
        """Of all frames, as the video has them."""
        return self.frames * self.layout.height * self.layout.width


def encode_file(
    network: Network,
    source: Source,
    target: Path,
    progress: Progress = unseen,
    most_pixels: int = WHOLE_PIXELS,
) -> Summary:
    """`most_pixels`: of a frame that is coded whole, a larger one is cut into tiles.

    DataError where `target` exists or frames change their size, StorageError where the disk is full.
    """
    header = _header(network, source, most_pixels)
    with whole_or_nothing(target) as partial:
        with partial.open("wb") as file:
            writer = TokenWriter(file, header)
            coder = TokenCoder([one.size for one in header.maps], header.layout.tiles)
            for frames_THWC in chunks(source.frames(), frames_per_chunk(header.layout)):
                codes = network.encode(header.layout.cut(frames_THWC))
                writer.write(len(frames_THWC), coder.encode(codes))
                progress(len(frames_THWC))
            writer.end()
        file_bytes = partial.stat().st_size
    nominal_bits = writer.frames * _bits_per_frame(header)
    return Summary(writer.frames, header.layout, header.rate, file_bytes, nominal_bits)


def frames_per_chunk(layout: Layout) -> int:
    """Whose tiles pass through the network at once."""
    return max(1, frames_per_pass(layout.tile_height, layout.tile_width) // layout.tiles)


def _header(network: Network, source: Source, most_pixels: int) -> Header:
    tokenizer = network.tokenizer
    multiple = max(tokenizer.downsampling)
    layout = layout_for(source.height, source.width, multiple, most_pixels)
    sizes = zip(tokenizer.codebook_sizes, tokenizer.downsampling, strict=True)
    return Header(layout, source.rate, network.identity, tuple(CodeMap(*one) for one in sizes))


def chunks(frames: Iterable[Frames], count: int) -> Iterator[Frames]:
    """HWC -> THWC, `count` at a time and the rest."""
    iterator = iter(frames)
    while chunk := list(islice(iterator, count)):
        yield np.stack(chunk)


def _bits_per_frame(header: Header) -> float:
    tiles, height, width = header.layout.tiles, header.layout.tile_height, header.layout.tile_width
    return tiles * sum(
        log2(size) * (height // factor) * (width // factor) for size, factor in header.maps
    )
