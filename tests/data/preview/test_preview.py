"""Promises about the contact sheet: it shows what is read, says where from, and fits a screen."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.commands.preview import IN_STORE, write_preview
from raysweep.data import DataConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.index.order import Visit
from raysweep.data.preview.contact_sheet import HEIGHT, WIDTH, contact_sheet, frame_side
from raysweep.data.preview.lettering import shortened, width
from raysweep.data.preview.preview import FRAMES, Preview, Row, Section, preview
from raysweep.data.reading.reader import ClipReader
from raysweep.data.reading.sampling import Sample, Sampler, read_samples
from raysweep.data.storing.store import prepare
from tests.data.media import write_image, write_video
from tests.data.stores import read_shards

VARIED = {"crop": "random", "shortest_side": 40, "augment": {"flip": 0.5, "hue": 0.2}}
NAMES = [
    "plain.mp4",
    "two\nlines 'and' \"quotes\".mp4",
    "视频 %03d — Привет 🎬.mp4",
    "x" * 90 + ".mp4",
]


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    for seed, name in enumerate(NAMES):
        write_video(folder / "videos" / name, frames=60, seed=seed)
    for seed in range(50):
        write_image(folder / "images" / f"{seed}.png", seed=seed)
    return folder


@pytest.fixture
def opened(footage, tmp_path):
    """A made store's manifest and reader."""

    def of(config):
        source = footage / ("images" if config.images else "videos")
        manifest = prepare(source, tmp_path, config)
        return manifest, ClipReader(read_shards(tmp_path, manifest), config.resolution)

    return of


def shows(sheet_HWC, frame_HWC, side):
    """Whether the frame, in whole multiples, is somewhere on the sheet, bit for bit."""
    large_HWC = cv2.resize(frame_HWC, (side, side), interpolation=cv2.INTER_NEAREST)
    distance_HW = cv2.matchTemplate(sheet_HWC, large_HWC, cv2.TM_SQDIFF)
    _, _, (left, top), _ = cv2.minMaxLoc(distance_HW)
    return np.array_equal(sheet_HWC[top : top + side, left : left + side], large_HWC)


def hand_made(frames=8, resolution=32, rows=(4, 2, 1), name="video.mp4"):
    frames_THWC = np.zeros((frames, resolution, resolution, 3), np.uint8)
    row = Row([name, "from frame 0"], frames_THWC, [str(at) for at in range(frames)])
    sections = [
        Section(split, split, [row] * count)
        for split, count in zip(("train", "valid", "test"), rows, strict=True)
        if count
    ]
    return Preview("title", "facts", sections)


@pytest.mark.parametrize("settings", [{}, VARIED], ids=["plain", "varied"])
@pytest.mark.parametrize("images", [False, True], ids=["videos", "images"])
def test_it_shows_what_training_and_validation_read(opened, images, settings):
    split = {} if images else {"split": "time", "gap": 0}
    config = DataConfig(
        images=images, resolution=32, clip_length=4, test_fraction=0.1, **split, **settings
    )
    manifest, reader = opened(config)
    shown = preview(manifest, reader, config, seed=3)
    sheet_HWC = contact_sheet(shown)
    assert [section.split for section in shown.sections] == ["train", "valid", "test"]
    for section in shown.sections:
        clips = index_clips(manifest, section.split, config)
        sampler = Sampler(clips, manifest, config, seed=3)
        samples = [Sample(clip) for clip in clips]
        if section.split == "train":
            samples = [sampler.sample(Visit(0, at)) for at in range(len(clips))]
        read = read_samples(reader, samples).reshape(-1, 32, 32, 3)
        known = {frame_HWC.tobytes() for frame_HWC in read}
        drawn = [frame_HWC for row in section.rows for frame_HWC in row.frames_THWC]
        assert {frame_HWC.tobytes() for frame_HWC in drawn} <= known
        assert shows(sheet_HWC, drawn[-1], frame_side(shown))


def test_a_row_says_its_source_its_first_frame_and_what_was_drawn(opened):
    config = DataConfig(resolution=32, clip_length=4, stride=2, augment={"flip": 1, "hue": 0.2})
    shown = preview(*opened(config), config, seed=0)
    train, valid = shown.sections
    assert {row.label[0] for row in train.rows} == set(NAMES)
    for row in (*train.rows, *valid.rows):
        first = int(row.captions[0])
        assert row.label[1] == f"from frame {first}"
        assert list(row.captions) == [str(first + 2 * t) for t in range(4)]
    assert train.rows[0].label[2] == "every 2 frames, mirrored"
    assert train.rows[0].label[3].startswith("hue ")
    assert valid.rows[0].label[2:] == ["every 2 frames"]
    assert shown.title == "Clips of 4 frames, stride 2, 32 x 32 pixels, 24 fps"
    assert shown.facts == "4 videos, 240 frames. In training: flip 1.0, hue 0.2."


def test_of_a_long_clip_frames_from_its_first_to_its_last(opened):
    config = DataConfig(resolution=32, clip_length=20, gap=0)
    row = preview(*opened(config), config, seed=0).sections[0].rows[0]
    assert len(row.frames_THWC) == FRAMES
    assert int(row.captions[-1]) - int(row.captions[0]) == 19


def test_of_one_clip_one_row(footage, tmp_path):
    config = DataConfig(resolution=32, clip_length=60, split="none")
    manifest = prepare(footage / "videos" / "plain.mp4", tmp_path, config)
    reader = ClipReader(read_shards(tmp_path, manifest), 32)
    shown = preview(manifest, reader, config, seed=0)
    assert [(section.split, len(section.rows)) for section in shown.sections] == [("train", 1)]
    assert contact_sheet(shown).shape[1] <= WIDTH


@given(
    st.integers(1, FRAMES),
    st.sampled_from([8, 32, 100, 128, 256, 512]),
    st.tuples(st.integers(1, 4), st.integers(0, 2), st.integers(0, 1)),
)
def test_it_fits_a_screen(frames, resolution, rows):
    shown = hand_made(frames, resolution, rows)
    height, across, _ = contact_sheet(shown).shape
    assert height <= HEIGHT
    assert across <= WIDTH
    assert 64 <= frame_side(shown) <= 192


@given(st.text(), st.integers(40, 300))
def test_any_name_becomes_one_line_that_fits(name, room):
    line = shortened(name, 13, room)
    assert width(line, 13) <= room
    assert line.isprintable()


def test_a_short_name_is_left_whole_and_a_long_one_keeps_its_ends():
    assert shortened("视频 a.mp4", 13, 200) == "视频 a.mp4"
    line = shortened("a-very-long-name-of-a-video-of-the-year-2021.mp4", 13, 150)
    assert line.startswith("a-very")
    assert line.endswith("2021.mp4")


def test_names_of_any_letters_differ_on_the_sheet():
    sheets = [contact_sheet(hand_made(name=name)) for name in ("视频.mp4", "电影.mp4")]
    assert not np.array_equal(*sheets)


@pytest.mark.parametrize("file", [IN_STORE, "out/sheet.png"])
def test_the_file_is_the_sheet(footage, tmp_path, monkeypatch, file, capsys):
    monkeypatch.chdir(tmp_path)
    config, store = DataConfig(resolution=32, clip_length=4), tmp_path / "store"
    manifest = prepare(footage / "videos", store, config)
    write_preview(store, config, 0, file)
    where = file or str(store / "preview.png")
    assert where in capsys.readouterr().out
    reader = ClipReader(read_shards(store, manifest), 32)
    sheet_HWC = contact_sheet(preview(manifest, reader, config, seed=0))
    assert np.array_equal(cv2.imread(where)[..., ::-1], sheet_HWC)
    assert prepare(footage / "videos", store, config) == manifest
