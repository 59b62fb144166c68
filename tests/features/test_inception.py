"""Inception's loading, with untrained weights; its numbers are torch-fidelity's own."""

from pathlib import Path

import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from raysweep.errors import WeightsError
from raysweep.features.inception import Inception, inception, inception_file
from tests.tiny import CPU


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A state dict of the network's own names and shapes, which its constructor would fetch."""
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda network, state: None)
        torch.save({}, path)
        network = FeatureExtractorInceptionV3("inception", ["2048"], str(path))
    torch.save(network.state_dict(), path)
    return path


def test_a_file_of_weights_gives_features(weights: Path) -> None:
    network = inception(str(weights), CPU)
    features = network(torch.randint(256, (2, 3, 40, 56), dtype=torch.uint8))
    assert features.shape == (2, Inception.features)
    assert features.isfinite().all()
    assert not any(p.requires_grad for p in network.parameters())
    assert not any(module.training for module in network.children())


@pytest.mark.parametrize("content", [b"", b"no weights"])
def test_a_file_that_is_no_state_dict_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights.pth must be torch-fidelity's state dict"):
        Inception(tmp_path / "weights.pth")


def test_an_absent_file_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="off, pretrained or a file; there is no file"):
        inception_file(str(tmp_path / "nowhere.pth"))
