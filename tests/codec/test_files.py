"""A video file becomes a token file and comes back as what the model makes of its frames in memory."""

import hashlib
import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file

from raysweep.codec.decoding import decode_file, decode_frames
from raysweep.codec.encoding import encode_file
from raysweep.codec.layout import Layout, layout_for
from raysweep.codec.network import Network
from raysweep.codec.sink import Size, open_sink
from raysweep.codec.source import Source
from raysweep.codec.writing import whole_or_nothing
from raysweep.errors import DataError, ExperimentError, StorageError
from raysweep.pretrained import load
from tests.codec.models import CONV, TWO_LEVELS, export_untrained
from tests.codec.second_decoder import read
from tests.data.media import two_rates, write_video


def _in_memory(network: Network, video: Path, most_pixels: int = 2**21) -> np.ndarray:
    """All frames at once."""
    source = Source(video)
    layout = _layout(network, source, most_pixels)
    frames = np.stack(list(source.frames()))
    return layout.join(network.decode(network.encode(layout.cut(frames))))


def _layout(network: Network, source: Source, most_pixels: int) -> Layout:
    multiple = max(network.tokenizer.downsampling)
    return layout_for(source.height, source.width, multiple, most_pixels)


def _write_noise(path: Path) -> None:
    """200 frames, which no encoder makes small."""
    sink, noise = open_sink(path, Size(120, 160), Fraction(24)), np.random.default_rng(0)
    for _ in range(200):
        sink.write(noise.integers(0, 256, (120, 160, 3), dtype=np.uint8))
    sink.close()


@pytest.mark.parametrize("of", ["network", "two_levels"])
@pytest.mark.parametrize(("height", "width"), [(34, 50), (33, 47), (32, 64), (5, 3)])
def test_decoded_frames_are_those_of_the_model_exactly(
    of, height, width, request, tmp_path
) -> None:
    """Through more than one chunk."""
    network = request.getfixturevalue(of)
    video = _video(tmp_path / "a.mkv", Size(height, width), frames=70)
    encode_file(network, Source(video), tmp_path / "tokens.rsv")
    wanted = _in_memory(network, video)
    decode_file(network, tmp_path / "tokens.rsv", tmp_path / "back.mkv")
    back = Source(tmp_path / "back.mkv")
    assert np.array_equal(np.stack(list(back.frames())), wanted)
    assert back.rate == Source(video).rate == 24
    assert {path.name for path in tmp_path.iterdir()} == {"a.mkv", "tokens.rsv", "back.mkv"}


def _video(path: Path, size: Size, frames: int) -> Path:
    ramp = np.add.outer(np.arange(size.height), np.arange(size.width))
    sink = open_sink(path, size, Fraction(24))
    for frame in range(frames):
        shown = np.stack([(ramp * (c + 1) + 5 * frame) % 256 for c in range(3)], -1)
        sink.write(shown.astype(np.uint8))
    sink.close()
    return path


def test_large_frames_are_coded_in_tiles(network, video, tmp_path) -> None:
    summary = encode_file(network, Source(video), tmp_path / "t.rsv", most_pixels=500)
    assert (summary.layout.columns, summary.layout.rows) == (3, 2)
    frames = np.stack(list(decode_frames(network, tmp_path / "t.rsv")))
    assert np.array_equal(frames, _in_memory(network, video, most_pixels=500))


def test_the_ids_in_a_file_are_those_of_the_model(two_levels, video, tmp_path) -> None:
    """As the decoder that was written from the page reads them."""
    encode_file(two_levels, Source(video), tmp_path / "t.rsv", most_pixels=500)
    theirs = read((tmp_path / "t.rsv").read_bytes())
    frames = np.stack(list(Source(video).frames()))
    codes = two_levels.encode(_layout(two_levels, Source(video), 500).cut(frames))
    ours = [[ids[n].flatten().tolist() for ids in codes] for n in range(len(codes[0]))]
    assert theirs.codes == ours


def test_the_summary_counts_what_is_there(network, video, tmp_path) -> None:
    summary = encode_file(network, Source(video), tmp_path / "tokens.rsv")
    assert summary.file_bytes == (tmp_path / "tokens.rsv").stat().st_size
    assert summary.pixels == 10 * 50 * 34
    positions = (52 // 4) * (36 // 4)
    assert summary.nominal_bits == 10 * positions * 5  # of 32 codes


def test_another_model_is_refused(network, folder, video, tmp_path) -> None:
    encode_file(network, Source(video), tmp_path / "tokens.rsv")
    others = {
        "weights": {**CONV, "seed": 1},
        "family": TWO_LEVELS,
        "setting": {**CONV, "model.quantizer.decay": 0.9},
    }
    for name, changes in others.items():
        other = load(export_untrained(tmp_path / name, changes)).network
        with pytest.raises(ExperimentError, match="Name the folder that encoded it"):
            decode_file(other, tmp_path / "tokens.rsv", tmp_path / "back.mkv")
    assert not (tmp_path / "back.mkv").exists()


def test_a_copy_of_the_model_and_another_start_are_the_same_model(
    network, folder, tmp_path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    settings = json.loads((copy / "config.json").read_text())
    settings["model"]["checkpoint"] = "elsewhere.ckpt"
    settings["seed"] = 7
    (copy / "config.json").write_text(json.dumps(settings))
    assert load(copy).network.identity == network.identity


def test_a_model_is_known_by_what_the_page_says(network, folder) -> None:
    settings = json.loads((folder / "config.json").read_text())["model"]
    of_the_model = {k: v for k, v in settings.items() if k not in ("checkpoint", "checkpoint_bgr")}
    digest = hashlib.sha256(json.dumps(of_the_model, sort_keys=True).encode())
    for name, weight in sorted(load_file(folder / "model.safetensors").items()):
        digest.update(f"{name} torch.{weight.dtype} {weight.shape}".encode() + weight.tobytes())
    assert digest.digest() == network.identity


def test_a_damaged_file_leaves_no_video(network, video, tmp_path) -> None:
    encode_file(network, Source(video), tmp_path / "tokens.rsv")
    content = (tmp_path / "tokens.rsv").read_bytes()
    (tmp_path / "tokens.rsv").write_bytes(content[:-50])
    with pytest.raises(DataError, match="damaged"):
        decode_file(network, tmp_path / "tokens.rsv", tmp_path / "back.mkv")
    assert {path.name for path in tmp_path.iterdir()} == {video.name, "tokens.rsv"}


def test_a_file_that_is_there_is_not_replaced(network, video, tmp_path) -> None:
    (tmp_path / "thesis").write_text("years of work")
    with pytest.raises(DataError, match="replaces nothing"):
        encode_file(network, Source(video), tmp_path / "thesis")
    with pytest.raises(DataError, match="replaces nothing"):
        encode_file(network, Source(video), video)
    assert (tmp_path / "thesis").read_text() == "years of work"


def test_a_folder_is_made_where_it_can_be(network, video, tmp_path) -> None:
    encode_file(network, Source(video), tmp_path / "new" / "folder" / "tokens.rsv")
    with pytest.raises(DataError, match="must be a folder to write to"):
        encode_file(network, Source(video), video / "tokens.rsv")


def test_a_video_that_breaks_off_is_taken_as_far_as_it_goes(network, tmp_path) -> None:
    whole = write_video(tmp_path / "whole.avi", frames=60, codec="MJPG").read_bytes()
    (tmp_path / "torn.avi").write_bytes(whole[: len(whole) // 2])
    source = Source(tmp_path / "torn.avi")
    summary = encode_file(network, source, tmp_path / "tokens.rsv")
    assert source.lacks == f"breaks off after {summary.frames} of 60 frames"


def test_uneven_times_are_noticed_and_every_frame_is_kept(network, tmp_path) -> None:
    even = write_video(tmp_path / "even.mp4", frames=40)
    (tmp_path / "uneven.mp4").write_bytes(two_rates(even.read_bytes()))
    for name, uneven in {"even": False, "uneven": True}.items():
        source = Source(tmp_path / f"{name}.mp4")
        assert encode_file(network, source, tmp_path / f"{name}.rsv").frames == 40
        assert source.is_uneven is uneven


def test_a_video_that_changes_its_size_is_refused(network, video, tmp_path) -> None:
    source = Source(video)
    source.height += 1
    with pytest.raises(DataError, match="must keep its size"):
        encode_file(network, source, tmp_path / "tokens.rsv")
    assert not (tmp_path / "tokens.rsv").exists()


def test_grey_frames_and_a_lossy_video_come_back_nearly(network, tmp_path) -> None:
    writer = cv2.VideoWriter(
        str(tmp_path / "grey.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 24, (48, 32), False
    )
    for number in range(4):
        writer.write(np.full((32, 48), 60 * number, np.uint8))
    writer.release()
    encode_file(network, Source(tmp_path / "grey.avi"), tmp_path / "tokens.rsv")
    wanted = np.stack(list(decode_frames(network, tmp_path / "tokens.rsv")))
    decode_file(network, tmp_path / "tokens.rsv", tmp_path / "back.mp4")
    back = np.stack(list(Source(tmp_path / "back.mp4").frames()))
    assert back.shape == wanted.shape == (4, 32, 48, 3)
    assert np.abs(back.astype(int) - wanted).mean() < 12


def test_a_full_disk_is_one_line_and_leaves_nothing(network, folder, video, tmp_path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk takes root")
    try:
        for name in ("back.mkv", "back.mp4", "back"):
            with (
                pytest.raises(StorageError, match="disk"),
                whole_or_nothing(disk / name) as partial,
            ):
                _write_noise(partial)
        (disk / "ballast").write_bytes(bytes(2**15))
        with pytest.raises(StorageError, match=r"disk or quota of .* is full"):
            encode_file(network, Source(video), disk / "tokens.rsv")
        assert [path.name for path in disk.iterdir()] == ["ballast"]
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
