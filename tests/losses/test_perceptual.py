"""LPIPS as a loss: parity with the package, and a network that nobody saves, trains or switches."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import transforms

from raysweep.errors import ConfigError, WeightsError
from raysweep.features.backbones import ARCHITECTURES, _backbone
from raysweep.features.lpips import _lpips
from raysweep.features.resnet import _resnet
from raysweep.losses.perceptual import LogitLoss, PerceptualLoss
from tests.features.lpips_reference import reference_lpips

NETS = sorted(ARCHITECTURES)


def _pair(pixels: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(3, 3, pixels, pixels, generator=generator) * 2 - 1
    frames = target + 0.3 * torch.randn(target.shape, generator=generator)
    return frames.clamp(-1, 1), target


class _Holder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1)
        self.perceptual = PerceptualLoss("alex", "random", "cpu")


@pytest.mark.parametrize("net", NETS)
def test_equals_the_lpips_package_in_value_and_gradient(net: str) -> None:
    frames, target = _pair()
    ours, theirs = frames.clone().requires_grad_(), frames.clone().requires_grad_()
    distance = PerceptualLoss(net, "random", "cpu")(ours, target)
    wanted = reference_lpips(net)(theirs, target).flatten()
    torch.testing.assert_close(distance, wanted, atol=1e-5, rtol=0)
    (gradient,) = torch.autograd.grad(distance.sum(), ours)
    (wanted_gradient,) = torch.autograd.grad(wanted.sum(), theirs)
    torch.testing.assert_close(gradient, wanted_gradient, atol=1e-6, rtol=1e-3)


def test_a_holder_neither_saves_nor_trains_it_and_cannot_switch_it() -> None:
    holder = _Holder()
    before = holder.perceptual(*_pair())
    assert set(holder.state_dict()) == {"layer.weight", "layer.bias"}
    assert len(list(holder.parameters())) == 2
    assert torch.equal(holder.train().perceptual(*_pair()), before)


def test_computes_in_float32_under_autocast() -> None:
    loss = PerceptualLoss("alex", "random", "cpu")
    frames, target = _pair()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = loss(frames, target)
    assert within.dtype == torch.float32
    assert torch.equal(within, loss(frames, target))


@pytest.mark.parametrize("net", NETS)
def test_features_that_are_all_zero_give_no_gradient_instead_of_nan(net: str) -> None:
    # The image that ImageNet's normalisation maps to zero: without biases every feature of it is zero.
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
    frames = shift.expand(1, 3, 40, 40).clone().requires_grad_()
    distance = PerceptualLoss(net, "random", "cpu")(frames, _pair(40)[1][:1])
    (gradient,) = torch.autograd.grad(distance.sum(), frames)
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_identical_frames_are_at_distance_zero_with_no_gradient() -> None:
    frames = _pair()[0].requires_grad_()
    distance = PerceptualLoss("alex", "random", "cpu")(frames, frames.detach())
    (gradient,) = torch.autograd.grad(distance.sum(), frames)
    assert torch.equal(distance, torch.zeros(3))
    assert gradient.isfinite().all()


def test_a_network_first_used_in_an_evaluation_still_gives_gradients() -> None:
    _lpips.cache_clear()
    _backbone.cache_clear()
    with torch.inference_mode():
        PerceptualLoss("alex", "random", "cpu")(*_pair())
    frames = _pair()[0].requires_grad_()
    PerceptualLoss("alex", "random", "cpu")(frames, _pair()[1]).sum().backward()
    assert frames.grad is not None


def test_the_target_gets_no_gradient() -> None:
    frames, target = _pair()
    target.requires_grad_()
    assert not PerceptualLoss("alex", "random", "cpu")(frames, target).requires_grad


@pytest.mark.parametrize("net", NETS)
def test_takes_frames_of_32_pixels(net: str) -> None:
    assert PerceptualLoss(net, "random", "cpu")(*_pair(32)).isfinite().all()


def test_refuses_frames_too_small() -> None:
    with pytest.raises(ConfigError, match="at least 31 pixels, got 16 x 16"):
        PerceptualLoss("alex", "random", "cpu")(*_pair(16))


# --- a classifier's logits


def test_the_distance_of_logits_is_the_published_one() -> None:
    """Restated with torchvision's own preprocessing: resized to 224, ImageNet's mean and deviation."""
    frames, target = _pair()
    normalize = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    resize = transforms.Resize((224, 224), antialias=True)
    network = _resnet("random", torch.device("cpu"))._network
    seen, wanted = (network(normalize(resize((x + 1) / 2))) for x in (frames, target))
    distance = LogitLoss("random", "cpu")(frames, target)
    assert distance.shape == (3,)
    torch.testing.assert_close(distance.mean(), F.mse_loss(seen, wanted), rtol=1e-4, atol=1e-7)


def test_logits_give_a_gradient_to_the_reconstruction_alone_and_in_float32() -> None:
    frames, target = (x.requires_grad_() for x in _pair())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        distance = LogitLoss("random", "cpu")(frames, target).sum()
    (gradient,) = torch.autograd.grad(distance, frames, retain_graph=True)
    assert distance.dtype == torch.float32
    assert gradient.isfinite().all()
    assert gradient.any()
    assert torch.autograd.grad(distance, target, allow_unused=True) == (None,)


def test_weights_that_are_not_there_or_not_of_a_resnet_are_refused(tmp_path) -> None:
    with pytest.raises(WeightsError, match=r"there is no file .*none\.pth"):
        LogitLoss(str(tmp_path / "none.pth"), "cpu")
    torch.save({"features": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="must be torchvision's state dict of ResNet50"):
        LogitLoss(str(tmp_path / "other.pth"), "cpu")
