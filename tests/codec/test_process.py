"""In a process of its own: without Ray, from the exported folder alone, and in memory that does not grow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import raysweep
from tests.data.media import write_video

THERE_AND_BACK = """
import resource, sys
sys.modules["ray"] = None  # as where it is not installed
from raysweep.cli import main
model, video, tokens, back = sys.argv[1:]
assert main(["encode", model, video, tokens, "--no-compare", "--device", "cpu"]) == 0
assert main(["decode", model, tokens, back, "--device", "cpu"]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
FRAMES, TIMES = 40, 10
WIDTH, HEIGHT = 192, 128
SLACK_BYTES = 20 * 2**20
"""The frames that the longer video has more take 26 million bytes."""


def _peak_bytes(model: Path, folder: Path, frames: int) -> int:
    folder.mkdir()
    write_video(folder / "video.mp4", frames=frames, width=WIDTH, height=HEIGHT)
    words = [str(model), "video.mp4", "tokens.rsv", "back.mp4"]
    done = subprocess.run(
        [sys.executable, "-c", THERE_AND_BACK, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(raysweep.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return int(done.stdout.splitlines()[-1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted in kilobytes on Linux")
def test_a_longer_video_takes_no_more_memory(folder, tmp_path) -> None:
    short = _peak_bytes(folder, tmp_path / "short", FRAMES)
    long = _peak_bytes(folder, tmp_path / "long", FRAMES * TIMES)
    assert long < short + SLACK_BYTES
