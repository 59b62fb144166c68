"""What is written is what comes back: exactly from .mkv and pictures, nearly from .mp4; of any size and rate."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from raysweep.codec.sink import Size, check_target, open_sink
from raysweep.codec.source import Source
from raysweep.errors import DataError, StorageError
from tests.data.media import still

SIZES = [Size(32, 48), Size(33, 48), Size(32, 47), Size(33, 47), Size(2, 2)]


def _frames(size: Size) -> np.ndarray:
    return np.stack([still(size.width, size.height, seed) for seed in range(5)])


def _written(path, size: Size, rate: Fraction = Fraction(24)) -> np.ndarray:
    frames, sink = _frames(size), open_sink(path, size, rate)
    for frame in frames:
        sink.write(frame)
    sink.close()
    return frames


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_lossless_video_comes_back_as_it_was(size, tmp_path) -> None:
    frames = _written(tmp_path / "a.mkv", size)
    assert np.array_equal(np.stack(list(Source(tmp_path / "a.mkv").frames())), frames)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_lossy_video_comes_back_nearly(size, tmp_path, capfd) -> None:
    frames = _written(tmp_path / "a.mp4", size)
    back = np.stack(list(Source(tmp_path / "a.mp4").frames()))
    assert back.shape == frames.shape
    assert np.abs(back.astype(int) - frames).mean() < 12
    assert capfd.readouterr() == ("", "")


def test_pictures_come_back_as_they_were(tmp_path) -> None:
    frames = _written(tmp_path / "a", SIZES[3])
    files = sorted((tmp_path / "a").iterdir())
    assert [file.name for file in files] == [f"00000{n}.png" for n in range(5)]
    back = [cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in files]
    assert np.array_equal(np.stack(back), frames)


RATES = [
    Fraction(24),
    Fraction(30000, 1001),
    Fraction(24000, 1001),
    Fraction(25, 2),
    Fraction(1, 3),
]


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize("size", [SIZES[0], SIZES[3]], ids=str)
def test_a_video_keeps_its_rate(rate, suffix, size, tmp_path) -> None:
    _written(tmp_path / f"a{suffix}", size, rate)
    back = Source(tmp_path / f"a{suffix}")
    assert float(back.rate) == pytest.approx(float(rate), abs=1e-3)
    list(back.frames())
    assert not back.is_uneven


def test_a_video_that_did_not_reach_the_disk_is_told(tmp_path) -> None:
    sink = open_sink(tmp_path / "a.mkv", SIZES[0], Fraction(24))
    for frame in _frames(SIZES[0]):
        sink.write(frame)
    sink.frames += 1
    with pytest.raises(StorageError, match="5 of 6 frames"):
        sink.close()


@pytest.mark.parametrize("name", ["a.avi", "a.rsv", "a.png", "\udcff.mp4"])
def test_other_kinds_of_files_are_refused(name, tmp_path) -> None:
    with pytest.raises(DataError):
        check_target(tmp_path / name)
