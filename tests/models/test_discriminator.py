"""PatchGAN: the published size and names, the frames it takes, and batch statistics over all workers."""

import pytest
import torch
from torch import nn

from raysweep.errors import ConfigError
from raysweep.models.discriminator import DiscriminatorConfig
from raysweep.models.norm import GlobalBatchNorm2d
from tests.tiny import frames


def test_the_default_is_the_published_discriminator() -> None:
    discriminator = DiscriminatorConfig().build()
    assert sum(p.numel() for p in discriminator.parameters()) == 2_765_633
    layers = {int(name.split(".")[1]) for name in discriminator.state_dict()}
    assert layers == {0, 2, 3, 5, 6, 8, 9, 11}
    assert discriminator.main[2].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert discriminator.main[3].weight.mean().item() == pytest.approx(1, abs=0.01)
    assert discriminator.main[2].bias is None


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize(("pixels", "logits"), [(32, 2), (48, 4), (64, 6)])
def test_a_logit_per_patch(norm, pixels, logits) -> None:
    discriminator = DiscriminatorConfig(ch=4, norm=norm).build()
    assert discriminator(frames(2, pixels)).shape == (2, 1, logits, logits)


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5])
def test_the_smallest_frame_is_taken_and_a_smaller_one_refused_with_its_size(layers) -> None:
    config = DiscriminatorConfig(ch=4, layers=layers)
    smallest = config.smallest_frame
    config.check_frame_size(smallest)
    assert config.build()(torch.zeros(2, 3, smallest, smallest)).numel()
    with pytest.raises(
        ConfigError, match=f"at least {smallest} px, got data.resolution {smallest - 1}"
    ):
        config.check_frame_size(smallest - 1)


def test_with_group_norm_a_frame_is_judged_by_itself() -> None:
    discriminator = DiscriminatorConfig(ch=8, norm="group").build()
    together = discriminator(frames(3))
    torch.testing.assert_close(together[1:2], discriminator(frames(3)[1:2]))


def test_one_worker_has_torchs_own_batch_norm() -> None:
    ours, theirs = GlobalBatchNorm2d(4), nn.BatchNorm2d(4)
    x = torch.randn(3, 4, 5, 5)
    assert torch.equal(ours(x), theirs(x))
    assert all(torch.equal(ours.state_dict()[k], v) for k, v in theirs.state_dict().items())
