"""A token file is whole, or is refused in one line, wherever it was damaged."""

import itertools
import random
from io import BytesIO
from pathlib import Path

import pytest

from raysweep.codec.decoding import check_file, decode_frames
from raysweep.codec.encoding import encode_file
from raysweep.codec.source import Source
from raysweep.codec.token_file import TokenReader
from raysweep.errors import DataError, UserError
from tests.codec.second_decoder import read
from tests.data.media import write_video

HEADER_BYTES = 90
"""To the first record of codes, for a model of one code map."""


@pytest.fixture(scope="module")
def whole(network, tmp_path_factory) -> bytes:
    """Of three chunks: 32, 32 and 6 frames."""
    folder = tmp_path_factory.mktemp("whole")
    video = write_video(folder / "video.mkv", frames=70, width=50, height=34, codec="FFV1")
    encode_file(network, Source(video), folder / "tokens.rsv")
    content = (folder / "tokens.rsv").read_bytes()
    assert content[HEADER_BYTES : HEADER_BYTES + 4] == b"code"
    return content


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "tokens.rsv"


def _refused(content: bytes) -> bool:
    try:
        list(TokenReader(BytesIO(content), Path("tokens.rsv")).chunks())
    except UserError as refusal:
        return "\n" not in str(refusal)
    return False


def test_a_whole_file_is_taken(network, whole, path) -> None:
    path.write_bytes(whole)
    header, frames = check_file(network, path)
    assert (header.layout.height, header.layout.width, header.rate, frames) == (34, 50, 24, 70)


def test_every_change_of_a_byte_of_the_header_is_found(whole) -> None:
    for at in range(HEADER_BYTES):
        for change in range(1, 256):
            damaged = bytearray(whole)
            damaged[at] ^= change
            assert _refused(damaged), (at, change)


def test_changes_of_bytes_behind_it_are_found(whole) -> None:
    drawn = random.Random(0)
    for _ in range(200):
        damaged = bytearray(whole)
        at = drawn.randrange(HEADER_BYTES, len(whole))
        damaged[at] ^= drawn.randrange(1, 256)
        assert _refused(damaged), at


def test_a_file_that_breaks_off_is_found_wherever_it_does(whole) -> None:
    assert all(_refused(whole[:size]) for size in range(len(whole)))


def _records(whole: bytes) -> list[bytes]:
    """The three of codes."""
    starts = [at for at in range(len(whole)) if whole[at : at + 4] in (b"code", b"done")]
    return [whole[a:b] for a, b in itertools.pairwise(starts)]


def test_records_that_are_missing_doubled_or_swapped_are_found(whole) -> None:
    one, two, three = _records(whole)
    head, end = whole[:HEADER_BYTES], whole.removeprefix(whole[:HEADER_BYTES] + one + two + three)
    assert not _refused(head + one + two + three + end)
    for records in (one + two, one + three, two + one + three, one + one + two + three):
        assert _refused(head + records + end)
    assert _refused(whole + b"\0")
    assert _refused(whole + whole)


def test_what_is_no_token_file_is_refused_as_such(network, path) -> None:
    path.write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(DataError, match="it is another file, or damaged"):
        check_file(network, path)
    with pytest.raises(DataError, match="there is none at"):
        check_file(network, path.with_name("absent"))


def test_frames_before_the_damage_come_and_then_the_error(network, whole, path) -> None:
    path.write_bytes(whole[:-100])
    frames = decode_frames(network, path)
    assert next(frames).shape == (34, 50, 3)
    with pytest.raises(DataError, match="damaged: it breaks off, at byte"):
        list(frames)


def test_a_decoder_written_from_the_page_reads_the_same(network, whole, path) -> None:
    path.write_bytes(whole)
    theirs = read(whole)
    assert (theirs.height, theirs.width, theirs.rate) == (34, 50, 24)
    assert theirs.model == network.identity
    chunks = list(TokenReader(BytesIO(whole), path).chunks())
    assert [chunk.frames for chunk in chunks] == [32, 32, 6]
    ours = list(decode_frames(network, path))
    assert len(ours) == len(theirs.codes) == 70
