"""What a reconstruction is judged by, and how much each term counts."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from raysweep.schema import Config, Tree

PRESETS: dict[str, Tree] = {
    # Esser et al. 2021 as published: VQLPIPSWithDiscriminator.
    "taming": {
        "pixel": "l1",
        "perceptual_net": "vgg",
        "perceptual_weight": 1.0,
        "codebook_weight": 1.0,
        "gan": "hinge",
        "disc_weight": 0.8,
        "disc_factor": 1.0,
        "disc_every": 1,
    },
}
"""`loss.preset` -> settings of this section; the config file, the search space and --set lie above them."""


class LossConfig(Config):
    """Defaults: VQGAN's terms, with the discriminator updated every third step."""

    preset: Literal["taming"] | None = None
    """Named settings laid under the ones given here."""
    pixel: Literal["l1", "l2", "l1+l2"] = "l1"
    pixel_weight: float = Field(default=1.0, ge=0)
    perceptual_net: Literal["vgg", "alex", "squeeze", "none"] = "vgg"
    """Network of LPIPS, as a loss and as a metric; `none`: neither."""
    perceptual_init: Literal["pretrained", "random"] | Path = "pretrained"
    """Its weights: fetched by torchvision, untrained, or a state dict's file."""
    perceptual_weight: float = Field(default=1.0, ge=0)
    codebook_weight: float = Field(default=1.0, ge=0)
    """Of the quantizer's own loss."""
    gan: Literal["hinge", "vanilla"] = "hinge"
    disc_start: int | float = Field(default=10_000, ge=0)
    """First step with a discriminator; a float in (0, 1) is a fraction of training.steps."""
    disc_every: int = Field(default=3, ge=1)
    """The discriminator learns on every n-th step from `disc_start` on."""
    disc_weight: float = Field(default=0.8, ge=0)
    """Multiplies the (adaptive) GAN weight; 0: no GAN at all."""
    disc_factor: float = Field(default=1.0, ge=0)
    """Multiplies the GAN term and the discriminator's loss."""
    adaptive: bool = True
    """Scale the GAN term by the ratio of gradient norms at the last layer; False: disc_weight alone."""

    def disc_start_step(self, steps: int) -> int:
        """`disc_start` as a step of a run of `steps`."""
        fraction = isinstance(self.disc_start, float) and 0 < self.disc_start < 1
        return round(self.disc_start * steps) if fraction else int(self.disc_start)

    @property
    def has_gan(self) -> bool:
        return self.disc_weight > 0 and self.disc_factor > 0
