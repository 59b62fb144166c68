"""A digest of the validation clips: another one for other frames, the same whatever trains on the others."""

import pytest

from raysweep.data import DataConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.index.fingerprint import clips_digest
from raysweep.data.storing.manifest import Manifest, SourceRecord

DATA = DataConfig(split="time", clip_length=4)


def store(data=DATA, **changed):
    """Three videos; `changed` of the last one's record."""
    records = [
        SourceRecord(name=f"{i}.mp4", split=None, source_bytes=i, sha256=f"{i}", frames=100, fps=10)
        for i in range(3)
    ]
    records[-1] = records[-1].model_copy(update=changed)
    return Manifest(source="x", settings=data.preprocessing, records=tuple(records))


def digest(data=DATA, manifest=None):
    manifest = manifest or store(data)
    return clips_digest(manifest, index_clips(manifest, "valid", data))


@pytest.mark.parametrize(
    "change",
    [
        {"clip_length": 5},
        {"stride": 2},
        {"valid_fraction": 0.3},
        {"split": "source"},
        {"max_validation_frames": 20},
        {"resolution": 64},
        {"crop": "random"},
        {"encoding": "jpeg"},
    ],
    ids=str,
)
def test_other_frames_have_another_digest(change):
    assert digest(DATA.model_copy(update=change)) != digest()


@pytest.mark.parametrize(
    "change", [{"sha256": "x"}, {"name": "3.mp4"}, {"frames": 90}, {"source_bytes": 9}], ids=str
)
def test_other_footage_has_another_digest(change):
    assert digest(manifest=store(**change)) != digest()


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 3},
        {"random_start": True},
        {"max_clips_per_source": 1},
        {"test_fraction": 0.2},
        {"store": "elsewhere"},
        {"prefetch": 0},
    ],
    ids=str,
)
def test_what_only_training_sees_changes_nothing(change):
    assert digest(DATA.model_copy(update=change)) == digest()


def test_the_order_of_the_records_changes_nothing():
    manifest = store()
    other = manifest.model_copy(update={"records": manifest.records[::-1]})
    assert digest(manifest=other) == digest()
