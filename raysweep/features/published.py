"""Weights that were trained by others, and where each is fetched from."""

from raysweep.features.backbones import ARCHITECTURES
from raysweep.features.inception import URL

PUBLISHED: dict[str, str] = {
    **{f"LPIPS {net}": str(of.weights.url) for net, of in ARCHITECTURES.items()},
    "Inception": URL,
}
"""What `loss.perceptual_net` and `training.rfid` may need: a name for people -> an address, which ends in the
file's name."""
