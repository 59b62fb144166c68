"""One Ray cluster for the whole session, with its dashboard, on the CPUs this machine has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from raysweep.cluster.runtime import connected
from raysweep.data.demo import make_demo_videos
from raysweep.experiment.mirror import CACHE
from tests.s3_server import KEYS


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The cluster's address; its processes know the keys of the S3 server, and mirror in a folder of the session."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**KEYS, CACHE: str(cache)}.items():
            patch.setenv(name, value)
        yield from _cluster()


def _cluster() -> Iterator[str]:
    import ray

    with connected():
        yield ray.get_runtime_context().gcs_address


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("videos")
    make_demo_videos(folder, train=4, valid=2, frames=16, size=48)
    return folder
