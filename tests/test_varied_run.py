"""A run whose store keeps whole frames and whose training clips are varied in every way there is."""

import math
from pathlib import Path

from raysweep.assemble import assemble
from raysweep.config import RunConfig
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.reader import ClipReader
from raysweep.data.storing.store import prepare
from raysweep.training.loop import Report, fit
from tests.data.media import write_video
from tests.data.stores import read_shards
from tests.tiny import CPU, NO_TRACKER, tiny_run

WHOLE = {"data.shortest_side": 40, "data.crop": "random", "data.gap": 0.0}
AUGMENT = {"flip": 0.5, "max_stride": 3, "brightness": 0.2, "contrast": 0.2, "hue": 0.05}


def _batches(folder: Path, config: RunConfig) -> Batches:
    manifest = prepare(folder / "videos", folder / config.data.crop, config.data)
    tables = read_shards(folder / config.data.crop, manifest)
    return Batches(ClipReader(tables, config.data.resolution), manifest, config.data, seed=0)


def test_it_trains_and_validates_on_what_a_run_without_variation_does(tmp_path: Path) -> None:
    for seed, (width, height) in enumerate([(64, 48), (48, 80)]):
        write_video(tmp_path / "videos" / f"{seed}.mp4", 40, width, height, seed)
    config = tiny_run({**WHOLE, "data.augment": AUGMENT, "training.pictures_every": 3})
    varied = _batches(tmp_path, config)
    plain = _batches(tmp_path, tiny_run({**WHOLE, "data.crop": "center"}))
    for ours, theirs in zip(varied.validation(), plain.validation(), strict=True):
        apart = (ours.float() - theirs.float()).abs().mean()
        assert apart < 3, "levels of 255: the same window, cut out before or after resizing"
    reports: list[Report] = []
    fit(assemble(config, CPU), varied, reports.append, NO_TRACKER)
    assert [report.step for report in reports] == [3, 6]
    assert all(math.isfinite(report.metrics["val/psnr"]) for report in reports)
