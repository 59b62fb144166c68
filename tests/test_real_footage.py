"""The two real clips that lie beside the repository: prepared, and trained on for a few steps."""

from pathlib import Path

import pytest
import torch

from raysweep.assemble import assemble
from raysweep.config import run_config
from raysweep.data import DataConfig
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.counting import count
from raysweep.data.reading.direct import DirectReader
from raysweep.data.reading.reader import ClipReader, MappedReader
from raysweep.data.sources.discover import discover
from raysweep.data.storing.store import prepare
from raysweep.schema import override
from raysweep.tracking import Trackers
from raysweep.training.loop import Report, fit
from search_spaces.smoke import BASE
from tests.data.stores import read_shards

CLIPS = Path(__file__).parents[2] / "shared" / "data" / "videos"
FRAMES = {"big_buck_bunny_480p_30s.mp4": 720, "nasa_13013.mp4": 325}
CUTS = {"big_buck_bunny_480p_30s.mp4": (285, 378, 553), "nasa_13013.mp4": (202,)}
"""As a person sees them: not the fade out of black of the first, not the dissolve of the second."""

pytestmark = pytest.mark.skipif(not CLIPS.is_dir(), reason=f"no clips at {CLIPS}")


def test_real_clips_are_sought_as_the_store_holds_them(tmp_path: Path) -> None:
    config = DataConfig(resolution=32, batch_size=4, split="none")
    manifest = prepare(CLIPS, tmp_path, config)
    counted, located = count(discover(CLIPS), str(CLIPS), config, tmp_path)
    assert {record.name: record.frames for record in counted.good} == FRAMES
    stored, sought = (
        Batches(reader, manifest, config, seed=0).train(0)
        for reader in (MappedReader(tmp_path, manifest), DirectReader(located, counted))
    )
    assert all(torch.equal(next(stored), next(sought)) for _ in range(3))


def test_real_clips_prepare_and_train(tmp_path: Path) -> None:
    changes = {"data.source": str(CLIPS), "training.steps": 60, "training.validate_every": 20}
    config = run_config(override(BASE, changes))
    manifest = prepare(CLIPS, tmp_path, config.data)
    assert {record.name: record.frames for record in manifest.good} == FRAMES
    assert {record.name: record.cuts for record in manifest.good} == CUTS

    tables = read_shards(tmp_path, manifest)
    batches = Batches(
        ClipReader(tables, manifest.settings.resolution), manifest, config.data, seed=0
    )
    reports: list[Report] = []
    fit(assemble(config, torch.device("cpu")), batches, reports.append, Trackers([]))
    assert [report.step for report in reports] == [20, 40, 60]
    assert reports[-1].metrics["val/psnr"] > reports[0].metrics["val/psnr"]
