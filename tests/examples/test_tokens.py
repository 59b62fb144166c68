"""The example runs on a model and a video, and says what it says it would."""

import os
import subprocess
import sys
from pathlib import Path

from tests.codec.models import CONV, export_untrained
from tests.data.media import write_video

ROOT = Path(__file__).parents[2]


def test_the_example_runs(tmp_path) -> None:
    model = export_untrained(tmp_path / "model", CONV)
    video = write_video(tmp_path / "video.mp4", frames=20, width=50, height=34)
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "tokens.py"), str(model), str(video)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    usage, quality = done.stdout.splitlines()
    assert usage.startswith("map 0: (20, 8, 8) ids, ")
    assert quality.startswith("16 frames of 48x32 px come back at ")
