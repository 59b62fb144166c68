"""Two processes that read a store by mapping its files take little more memory than one."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.data.footprint import FRAMES, SOURCES, cost, make_store, require_shared

READ = """
import sys
from pathlib import Path
import torch
from raysweep.data.storing.manifest import read_manifest
from raysweep.data.reading.reader import MappedReader
from tests.data.footprint import read_everything
manifest = read_manifest(Path(sys.argv[1]))
reader = MappedReader(Path(sys.argv[1]), manifest)
print("ready", flush=True)
for line in sys.stdin:
    print(read_everything(reader, manifest), flush=True)
"""


@pytest.fixture
def processes(tmp_path):
    """Two that are ready to read the store at `tmp_path`, and read it when they are told to."""
    make_store(tmp_path)
    command = [sys.executable, "-c", READ, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, cwd=Path(__file__).parents[3], **pipes) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    yield both
    for process in both:
        process.communicate()


def test_a_second_process_maps_the_same_memory(processes, tmp_path):
    def read(process):
        process.stdin.write("read\n")
        process.stdin.flush()
        assert int(process.stdout.readline()) == SOURCES * FRAMES

    first, second = (cost(p.pid, str(tmp_path), partial(read, p)) for p in processes)
    require_shared(first, second)
