"""SwanLab, by a fake that hears what it is told."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from raysweep.errors import ConfigError
from raysweep.tracking import TrackingConfig
from raysweep.tracking.base import Picture
from raysweep.tracking.swanlab import URL_FILE
from tests.tracking.made import opened, some_picture


class FakeSwanLab(ModuleType):
    """Remembers what it was told; the real package needs a network."""

    def __init__(self) -> None:
        super().__init__("swanlab")
        self.told: list[tuple[str, object]] = []
        self.url = "https://swanlab.example/@me/p/runs/1"

    def login(self, **words: object) -> None:
        self.told.append(("login", words))

    def init(self, **words: object) -> "FakeSwanLab":
        self.told.append(("init", words))
        return self

    def log(self, values: dict[str, object], step: int) -> None:
        self.told.append(("log", (values, step)))

    def finish(self) -> None:
        self.told.append(("finish", None))

    def Image(self, picture: Picture) -> tuple[int, ...]:
        return picture.shape


@pytest.fixture
def swanlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSwanLab:
    fake = FakeSwanLab()
    monkeypatch.setitem(sys.modules, "swanlab", fake)
    monkeypatch.delenv("SWANLAB_API_KEY", raising=False)
    monkeypatch.setenv("SWANLAB_ROOT", str(tmp_path / "nobody"))
    return fake


SWANLAB = TrackingConfig(
    tensorboard=False,
    swanlab=True,
    swanlab_project="p",
    swanlab_experiment="first",
    swanlab_tags=("a", "b"),
    swanlab_notes="n",
    swanlab_host="https://own.example",
)


def test_swanlab_is_told_all_and_leaves_its_address(
    swanlab: FakeSwanLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWANLAB_API_KEY", "k")
    for _ in range(2):  # the second goes on with the first's experiment
        with opened(SWANLAB, tmp_path) as tracker:
            tracker.scalars(10, {"val/psnr": 20.0})
            tracker.image(10, "val/pictures", some_picture())
    login, init, scalars, image, finish = swanlab.told[:5]
    assert login == ("login", {"api_key": "k", "host": "https://own.example"})
    asked = dict(init[1])  # type: ignore[call-overload]
    assert asked == dict(swanlab.told[6][1])  # type: ignore[call-overload]
    expected = {"project": "p", "name": "first-0000", "group": "e", "tags": ["a", "b"]}
    expected |= {"description": "n", "config": {"seed": 0}, "mode": "online", "resume": "allow"}
    assert {name: asked[name] for name in expected} == expected
    assert scalars == ("log", ({"val/psnr": 20.0}, 10))
    assert image == ("log", ({"val/pictures": (12, 20, 3)}, 10))
    assert finish == ("finish", None)
    assert (tmp_path / URL_FILE).read_text() == swanlab.url


def test_swanlab_without_a_key_stays_here(swanlab: FakeSwanLab, tmp_path: Path) -> None:
    opened(SWANLAB, tmp_path).close()
    ((told, asked), _) = swanlab.told
    assert told == "init"
    assert dict(asked)["mode"] == "offline"  # type: ignore[call-overload]
    assert not (tmp_path / URL_FILE).exists()


def test_swanlab_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install swanlab"):
        SWANLAB.check()
    TrackingConfig().check()
