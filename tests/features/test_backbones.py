"""Frozen networks: the same numbers everywhere, and weights from torchvision's files."""

from pathlib import Path

import pytest
import torch
import torchvision

from raysweep.errors import ConfigError, WeightsError
from raysweep.features.backbones import ARCHITECTURES, Backbone, _backbone, backbone, weights_file

CPU = torch.device("cpu")
NETS = sorted(ARCHITECTURES)


def _images(pixels: int = 40) -> torch.Tensor:
    return torch.randn(2, 3, pixels, pixels, generator=torch.Generator().manual_seed(1))


def _made_anew(net: str) -> Backbone:
    _backbone.cache_clear()
    return backbone(net, "random", CPU)


@pytest.mark.parametrize("net", NETS)
def test_random_networks_hold_the_same_numbers_and_leave_the_global_state_alone(net: str) -> None:
    torch.manual_seed(5)
    first = _made_anew(net).activations(_images())
    untouched = torch.get_rng_state()
    torch.manual_seed(6)
    second = _made_anew(net).activations(_images())
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    torch.manual_seed(5)
    assert torch.equal(untouched, torch.get_rng_state())


def test_one_network_per_process() -> None:
    assert backbone("alex", "random", CPU) is backbone("alex", "random", CPU)


def test_pretrained_weights_are_torchvisions_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        reference = torchvision.models.squeezenet1_1(weights=None).eval()
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    file = folder / "squeezenet1_1-b8a52dc0.pth"
    torch.save(reference.state_dict(), file)
    _backbone.cache_clear()
    for init in ("pretrained", str(file)):
        last = backbone("squeeze", init, CPU).activations(_images())[-1]
        assert torch.equal(last, reference.features(_images()))
    _backbone.cache_clear()


def _absent(path: Path) -> None:
    del path


def _text(path: Path) -> None:
    path.write_text("not weights")


def _another_net(path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(1)}, path)


def _a_list(path: Path) -> None:
    torch.save([1, 2], path)


@pytest.mark.parametrize("write", [_absent, _text, _another_net, _a_list])
def test_a_file_that_does_not_serve_is_refused_by_name(write, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    write(path)
    with pytest.raises(WeightsError, match=r"net\.pth"):
        backbone("alex", str(path), CPU)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="resnet"):
        backbone("resnet", "random", CPU)


def test_what_will_be_loaded_is_known_beforehand(tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.touch()
    assert weights_file("alex", "random") is None
    assert weights_file("alex", str(own)) == own
    with pytest.raises(WeightsError, match="absent"):
        weights_file("alex", str(tmp_path / "absent.pth"))


@pytest.mark.parametrize("net", NETS)
def test_frames_too_small_are_refused_and_the_smallest_is_taken(net: str) -> None:
    smallest = ARCHITECTURES[net].smallest_frame
    network = backbone(net, "random", CPU)
    assert all(min(tap.shape) > 0 for tap in network.activations(_images(smallest)))
    with pytest.raises(ConfigError, match=rf"{net}.*{smallest} pixels"):
        network.activations(_images(smallest - 1))
