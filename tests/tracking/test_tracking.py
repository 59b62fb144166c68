"""All trackers together: what the settings say is there, and nothing else."""

from pathlib import Path

import pytest

from raysweep.tracking import TrackingConfig
from tests.tracking.made import opened, some_picture


@pytest.mark.parametrize("tensorboard", [True, False])
def test_a_trials_folder_holds_what_the_settings_say(tensorboard: bool, tmp_path: Path) -> None:
    with opened(TrackingConfig(tensorboard=tensorboard), tmp_path) as tracker:
        tracker.scalars(10, {"val/psnr": 20.0})
        tracker.image(10, "val/pictures", some_picture())
    names = {path.name for path in tmp_path.iterdir()}
    always = {"metrics.jsonl", "training.log", "reconstructions"}
    assert names == (always | {"tensorboard"} if tensorboard else always)
