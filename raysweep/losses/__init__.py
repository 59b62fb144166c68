"""What a reconstruction is judged by, and how much each term counts."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from raysweep.losses.timing import GanTiming
from raysweep.schema import Config

GanKind = Literal["hinge", "vanilla", "non_saturating"]


class LossConfig(Config):
    """Defaults: VQGAN's terms, with the discriminator updated every third step."""

    preset: Literal["taming", "classic", "vqgan_plus", "open_magvit2", "llamagen"] | None = None
    """A published recipe, laid under the settings given here: `raysweep/presets.py` has them."""
    pixel: Literal["l1", "l2", "l1+l2"] = "l1"
    """Mean absolute error, mean squared error, or their sum, of values in [-1, 1]."""
    pixel_weight: float = Field(default=1.0, ge=0)
    """Of that error."""
    perceptual_net: Literal["vgg", "alex", "squeeze", "none"] = "vgg"
    """Network of LPIPS, as a loss and as a metric; `none`: neither."""
    perceptual_init: Literal["pretrained", "random"] | Path = "pretrained"
    """Its weights: fetched by torchvision, untrained, or a state dict's file."""
    perceptual_weight: float = Field(default=1.0, ge=0)
    """Of LPIPS in the loss; 0: it is measured and not learned from."""
    logit_weight: float = Field(default=0.0, ge=0)
    """Of the distance between ResNet50's logits, beside LPIPS or in its place; 0: none."""
    logit_init: Literal["pretrained", "random"] | Path = "pretrained"
    """ResNet50's weights, as `perceptual_init`."""
    codebook_weight: float = Field(default=1.0, ge=0)
    """Of the quantizer's own loss."""
    gan: GanKind = "hinge"
    """What the discriminator learns by, and the tokenizer against it (losses/adversarial.py)."""
    generator_gan: GanKind | None = None
    """The tokenizer's side of the GAN, where it differs from the discriminator's; None: `gan`."""
    disc_start: int | float = Field(default=10_000, ge=0)
    """First step with a discriminator; a float in (0, 1) is a fraction of training.steps."""
    disc_warmup_steps: int = Field(default=0, ge=0)
    """Steps from `disc_start` on in which the discriminator learns and the tokenizer does not hear of it."""
    disc_every: int = Field(default=3, ge=1)
    """The discriminator learns on every n-th step from `disc_start` on."""
    disc_weight: float = Field(default=0.8, ge=0)
    """Multiplies the (adaptive) GAN weight; 0: no GAN at all."""
    disc_factor: float = Field(default=1.0, ge=0)
    """Multiplies the GAN term and the discriminator's loss."""
    disc_ramp: int | float = Field(default=0, ge=0)
    """Steps over which the GAN weight rises from zero; a float is a multiple of `disc_start`; 0: none."""
    disc_noise: float = Field(default=0.0, ge=0)
    """Standard deviation of noise on the frames that the discriminator learns from, of values in [-1, 1];
    it falls to zero at half of training.steps."""
    adaptive: bool = True
    """Scale the GAN term by the ratio of gradient norms at the last layer; False: disc_weight alone."""
    adaptive_cap: float = Field(default=1e4, gt=0)
    """Upper bound of that ratio."""
    lecam_weight: float = Field(default=0.0, ge=0)
    """Of LeCAM, which keeps logits near their averages; 0: none."""
    lecam_decay: float = Field(default=0.999, ge=0, lt=1)
    """Of the averages of the logits, per update of the discriminator."""
    r1_weight: float = Field(default=0.0, ge=0)
    """Gamma of the penalty on the discriminator's slope at real frames; 0: none."""
    r1_every: int = Field(default=16, ge=1)
    """Updates of the discriminator between penalties; each then counts this many times."""

    def disc_start_step(self, steps: int) -> int:
        """`disc_start` as a step of a run of `steps`."""
        fraction = isinstance(self.disc_start, float) and 0 < self.disc_start < 1
        return round(self.disc_start * steps) if fraction else int(self.disc_start)

    def gan_timing(self, steps: int) -> GanTiming:
        """When the GAN does what, in a run of `steps`."""
        start = self.disc_start_step(steps)
        ramp = self.disc_ramp * (start if isinstance(self.disc_ramp, float) else 1)
        return GanTiming(
            start=start if self.has_gan else None,
            every=self.disc_every,
            joins=start + self.disc_warmup_steps,
            ramp=round(ramp),
            noise_ends=steps / 2,
            r1_every=self.r1_every if self.r1_weight > 0 else None,
        )

    @property
    def has_gan(self) -> bool:
        return self.disc_weight > 0 and self.disc_factor > 0
