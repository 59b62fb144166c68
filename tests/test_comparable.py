"""Scores compare where they were measured on the same frames and, by this metric, with the same weights."""

from pathlib import Path

import pytest

from raysweep.comparable import Fingerprint, require_same, weights_of
from raysweep.config import RunConfig, run_config
from raysweep.errors import ConfigError

ONE = Fingerprint(frames="1" * 64, weights={"val/lpips": "alex 00ff"})


def run_with(net: str, init: str | Path, rfid: str | Path = "off") -> RunConfig:
    loss = {"perceptual_net": net, "perceptual_init": str(init)}
    return run_config({"loss": loss, "training": {"rfid": str(rfid)}})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Three files of weights; the second holds what the first does."""
    for name, text in {"one": "1", "same": "1", "other": "2"}.items():
        (tmp_path / name).write_text(text)
    return {name: tmp_path / name for name in ("one", "same", "other")}


@pytest.mark.parametrize("metric", ["val/psnr", "val/ssim", "val/code_usage", "val/flicker"])
def test_a_metric_without_a_network_has_no_weights(metric):
    assert weights_of(metric, run_with("alex", "random")) == ""


def test_weights_are_what_the_files_hold_and_not_where_they_lie(files):
    def lpips(net: str, init: str) -> str:
        return weights_of("val/lpips", run_with(net, files[init]))

    assert lpips("alex", "one") == lpips("alex", "same") != ""
    assert len({lpips("alex", "one"), lpips("alex", "other"), lpips("vgg", "one")}) == 3
    one, same, other = (weights_of("val/rfid", run_with("none", "random", files[f])) for f in files)
    assert one == same != other


def test_weights_are_of_the_metric_that_the_run_measures(files):
    random, trained = run_with("alex", "random"), run_with("alex", files["one"])
    assert weights_of("val/lpips", random) == weights_of("val/lpips_random", trained) == ""
    assert weights_of("val/lpips_random", random) != weights_of("val/lpips", trained)
    assert weights_of("val/lpips", run_with("none", files["one"])) == ""
    assert weights_of("val/rfid", trained) == ""


def test_the_same_compares_and_so_do_other_weights_that_the_metric_does_not_use():
    require_same(ONE, ONE, ["val/psnr", "val/lpips"])
    require_same(ONE, Fingerprint(frames=ONE.frames, weights={"val/lpips": "vgg"}), ["val/psnr"])


@pytest.mark.parametrize(
    ("found", "pieces"),
    [
        (Fingerprint(frames="2" * 64, weights=ONE.weights), ["frames", "111111111111", "222"]),
        (Fingerprint(frames=ONE.frames, weights={"val/lpips": "vgg"}), ["alex 00ff", "vgg"]),
        (Fingerprint(frames=ONE.frames), ["val/lpips", "alex 00ff"]),
    ],
    ids=["frames", "weights", "none"],
)
def test_what_does_not_compare_is_refused(found, pieces):
    with pytest.raises(ConfigError, match=r"or start another experiment\.$") as refused:
        require_same(ONE, found, ["val/psnr", "val/lpips"])
    assert [piece for piece in pieces if piece not in str(refused.value)] == []
