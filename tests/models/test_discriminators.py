"""The discriminators: published sizes and names, the frames they take, and their normalizations."""

import pytest
import torch
from torch import nn

from raysweep.errors import ConfigError
from raysweep.models.discriminators import BlurConfig, DiscriminatorConfig, PatchConfig
from raysweep.models.discriminators.blur import BlurPool
from raysweep.models.norm import ActNorm, GlobalBatchNorm2d
from tests.tiny import frames


def test_the_default_is_the_published_discriminator() -> None:
    discriminator = PatchConfig().build()
    assert sum(p.numel() for p in discriminator.parameters()) == 2_765_633
    layers = {int(name.split(".")[1]) for name in discriminator.state_dict()}
    assert layers == {0, 2, 3, 5, 6, 8, 9, 11}
    assert discriminator.main[2].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert discriminator.main[3].weight.mean().item() == pytest.approx(1, abs=0.01)
    assert discriminator.main[2].bias is None


@pytest.mark.parametrize("norm", ["batch", "group", "actnorm"])
@pytest.mark.parametrize(("pixels", "logits"), [(32, 2), (48, 4), (64, 6)])
def test_a_logit_per_patch(norm, pixels, logits) -> None:
    discriminator = PatchConfig(ch=4, norm=norm).build()
    assert discriminator(frames(2, pixels)).shape == (2, 1, logits, logits)


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", [PatchConfig, BlurConfig])
def test_the_smallest_frame_is_taken_and_a_smaller_one_refused_with_its_size(kind, layers) -> None:
    config: DiscriminatorConfig = kind(ch=4, layers=layers)
    smallest = config.smallest_frame
    config.check_frame_size(smallest)
    assert config.build()(torch.zeros(2, 3, smallest, smallest)).numel()
    with pytest.raises(
        ConfigError, match=f"at least {smallest} px, got data.resolution {smallest - 1}"
    ):
        config.check_frame_size(smallest - 1)


def test_the_blur_discriminator_is_that_of_the_paper() -> None:
    discriminator = BlurConfig().build()
    sizes = [tuple(v.shape[:2]) for k, v in discriminator.state_dict().items() if v.dim() == 4]
    convolutions = [(128, 3), (128, 128), (256, 128), (512, 256), (1024, 512)]
    assert sizes == [*convolutions, (1024, 1024), (1, 1024)]
    assert BlurConfig(ch=8).build()(frames(2, 64)).shape == (2, 1, 4, 4)


def test_the_blur_halves_and_keeps_a_constant() -> None:
    x = torch.full((1, 2, 8, 8), 3.0)
    halved = BlurPool()(x)
    assert halved.shape == (1, 2, 4, 4)
    torch.testing.assert_close(halved[:, :, 1:-1, 1:-1], x[:, :, :2, :2])


def test_the_blur_leaves_nothing_of_the_highest_frequency() -> None:
    stripes = torch.tensor([1.0, -1.0]).repeat(8).expand(1, 1, 16, 16)
    assert BlurPool()(stripes)[:, :, 1:-1, 1:-1].abs().max() < 1e-6


@pytest.mark.parametrize("config", [PatchConfig(ch=8, norm="group"), BlurConfig(ch=8, layers=2)])
def test_with_group_norm_a_frame_is_judged_by_itself(config) -> None:
    discriminator = config.build()
    together = discriminator(frames(3))
    torch.testing.assert_close(together[1:2], discriminator(frames(3)[1:2]))


def test_one_worker_has_torchs_own_batch_norm() -> None:
    ours, theirs = GlobalBatchNorm2d(4), nn.BatchNorm2d(4)
    x = torch.randn(3, 4, 5, 5)
    assert torch.equal(ours(x), theirs(x))
    assert all(torch.equal(ours.state_dict()[k], v) for k, v in theirs.state_dict().items())


def test_activation_normalization_starts_from_the_first_batch_and_is_learned_from_then_on() -> None:
    layer, x = ActNorm(4), torch.randn(3, 4, 5, 5) * 7 + 2
    assert torch.equal(layer.eval()(x), x)
    y = layer.train()(x)
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.std((0, 2, 3)), torch.ones(4), atol=1e-5, rtol=0)
    assert torch.equal(layer(2 * x), layer.scale * (2 * x + layer.loc))


def test_activation_normalization_that_was_loaded_starts_no_more() -> None:
    first, again, x = ActNorm(4), ActNorm(4), torch.randn(3, 4, 5, 5)
    first(x)
    again.load_state_dict(first.state_dict())
    again(5 * x)
    assert torch.equal(again.scale, first.scale)
    assert set(again.state_dict()) == {"loc", "scale", "initialized"}
