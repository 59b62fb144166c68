"""A token file -> its frames, or a video file, a chunk of frames at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from raysweep.codec import Progress, unseen
from raysweep.codec.entropy import TokenCoder
from raysweep.codec.network import Network
from raysweep.codec.sink import Size, check_target, open_sink
from raysweep.codec.token_file import Header, TokenReader, opened
from raysweep.codec.writing import whole_or_nothing
from raysweep.data.decoding.decode import Frames
from raysweep.errors import ExperimentError


class Contents(NamedTuple):
    """What a token file holds."""

    header: Header
    frames: int


def check_file(network: Network, path: Path) -> Contents:
    """Reads all of it; DataError where it is not whole, ExperimentError where it is of another model."""
    with opened(path) as file:
        _require_model(network, file)
        return Contents(file.header, sum(chunk.frames for chunk in file.chunks()))


def decode_frames(network: Network, path: Path) -> Iterator[Frames]:
    """HWC RGB uint8, of the video's size; errors as of `check_file`, after the frames before what is damaged."""
    with opened(path) as file:
        _require_model(network, file)
        layout, maps = file.header.layout, file.header.maps
        coder = TokenCoder([one.size for one in maps], layout.tiles)
        sides = [(layout.tile_height // f, layout.tile_width // f) for _, f in maps]
        for chunk in file.chunks():
            shapes = [(chunk.frames * layout.tiles, *side) for side in sides]
            yield from layout.join(network.decode(coder.decode(chunk.coded, shapes)))


def decode_file(
    network: Network, path: Path, target: Path, progress: Progress = unseen
) -> Contents:
    """Writes a video, or a folder of pictures, as `sink.py` says.

    DataError where `target` exists or is of another kind; further errors as of `check_file`.
    """
    check_target(target)
    contents = check_file(network, path)
    header = contents.header
    with whole_or_nothing(target) as partial:
        sink = open_sink(partial, Size(header.layout.height, header.layout.width), header.rate)
        for frame_HWC in decode_frames(network, path):
            sink.write(frame_HWC)
            progress(1)
        sink.close()
    return contents


def _require_model(network: Network, file: TokenReader) -> None:
    theirs, ours = file.header.model.hex()[:12], network.identity.hex()[:12]
    if theirs != ours:
        raise ExperimentError(
            f"a token file is decoded by the model that encoded it, and {file.path} is of model {theirs}, not of this "
            f"one, {ours}. Name the folder that encoded it."
        )
