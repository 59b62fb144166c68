import pytest

from raysweep.codec.network import Network
from raysweep.pretrained import load
from tests.codec.models import CONV, TWO_LEVELS, export_untrained
from tests.data.media import write_video


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Of a quick model, at four pixels a position."""
    return export_untrained(tmp_path_factory.mktemp("models") / "conv", CONV)


@pytest.fixture(scope="session")
def network(folder) -> Network:
    return load(folder).network


@pytest.fixture(scope="session")
def two_levels(tmp_path_factory) -> Network:
    return load(export_untrained(tmp_path_factory.mktemp("models") / "two", TWO_LEVELS)).network


@pytest.fixture
def video(tmp_path):
    """Ten frames of 50 x 34 px, which no level divides."""
    return write_video(tmp_path / "video.mkv", frames=10, width=50, height=34, codec="FFV1")
