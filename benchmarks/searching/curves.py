"""Synthetic learning curves of VQ-GANs: settings -> val/psnr and val/lpips over the steps.

A world is a piece of footage: which settings suit it, how much each matters and how noisy its validations are
is drawn once, from the ranges of `Traits`, by the world's seed. Without noise,

    psnr(step)  = end - rise (1 + step / scale)^-exponent - what the discriminator costs
    lpips(step) = the same falling, times what the discriminator wins, plus what it costs at first

The ranges were settled with random search, Ray Tune's and Optuna's alone, before raysweep's own was tried on it, and
have not changed since.
"""

import json
import math
import zlib
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from searching import space
from searching.space import Settings

STEPS, VALIDATE_EVERY = 20_000, 1000
"""Of every trial; the first look of search_spaces/families.py has as many."""
VALIDATIONS = STEPS // VALIDATE_EVERY
ONSET_STEPS = 150
"""A new discriminator needs some hundred updates before it tells real from reconstructed."""
FASTEST = 0.3
"""Decades above the best learning rate at which training is fastest: beyond, steps overshoot."""
LPIPS_START = 0.6
"""Of an untrained model above its best: the LPIPS of unrelated images is 0.6 to 0.8."""


def drawn(low: float, high: float) -> Any:
    """A trait's range; worlds are uniform in it."""
    return field(metadata={"range": (low, high)})


@dataclass(frozen=True)
class Traits:
    """Ranges, and their reasons. Octaves and decades are of the setting over its best value here."""

    ceiling: float = drawn(20.5, 27.0)
    """dB that 10 bits of used codes come to: f16 models of ImageNet have 20 to 22, smoother footage more."""
    rise: float = drawn(7.0, 12.0)
    """dB from an untrained model, which is about as good as the mean colour (12 to 15 dB), to the end."""
    scale: float = drawn(50.0, 250.0)
    """Steps of the power law's knee: the first hundreds of steps bring most of the PSNR."""
    exponent: float = drawn(0.4, 0.7)
    """With these a run's last half still brings 0.1 to 0.5 dB, as VQGANs' logs do."""
    lpips_exponent: float = drawn(0.4, 0.65)
    """LPIPS, of fine texture, falls for longer."""

    bit_gain: float = drawn(0.2, 0.4)
    """dB per bit of used codes: 2^18 codes against 2^14 (Open-MAGVIT2, LlamaGen) are 1.1 dB for 4 bits."""
    capacity: float = drawn(9.5, 14.0)
    """Bits of codes that get used at best: from taming's 16384, of which about 1000 are, to nearly all."""
    unused_cost: float = drawn(0.05, 0.2)
    """dB per bit of unused codes: taming's PSNR is 0.25 dB lower with 16384 codes than with 1024."""
    size_slows: float = drawn(0.0, 0.12)
    """Octaves of `scale` per bit of codebook: each code is hit more rarely."""
    ema_gain: float = drawn(-0.5, 1.5)
    """Bits of capacity that moving averages, which revive dead codes, have over gradients."""
    decay_best: float = drawn(-2.7, -1.5)
    """log10(1 - decay); published codes have 0.99, which is -2."""
    decay_cost: float = drawn(0.3, 1.2)
    """Bits of capacity per decade squared: of 1024 codes 44 to 235 lived, by how averages start and decay."""
    beta_best: float = drawn(-3.0, -1.0)
    """log2; the published 0.25 is -2."""
    beta_cost: float = drawn(0.1, 0.4)
    """Bits of capacity per octave squared; van den Oord et al. 2017 found little between 0.1 and 2."""

    rate_best: float = drawn(-4.4, -3.4)
    """log10 of the learning rate; recipes train with 5e-5 to 4e-4. In a short run a little more is best."""
    rate_cost: float = drawn(0.8, 2.0)
    """dB per decade squared above it: a constant high rate ends in noise."""
    rate_lpips: float = drawn(0.03, 0.07)
    """LPIPS for the same, beside what the dB bring with them: fine texture goes first."""
    rate_speed: float = drawn(0.5, 0.9)
    """Decades of `scale` per decade of the rate: nearly in proportion, up to FASTEST above the best one."""
    diverges_at: float = drawn(-2.8, -2.2)
    """log10 of the rate at which half of the runs diverge: Adam in mixed precision without clipping."""
    diverges_anyway: float = drawn(0.0, 0.03)
    """Share of all runs: bad batches, hardware."""

    codebook_best: float = drawn(-1.0, 1.0)
    """log2 of loss.codebook_weight; the published one is 1."""
    codebook_cost: float = drawn(0.01, 0.04)
    """dB per octave squared: latent and pixels pull at each other."""
    codebook_bits: float = drawn(0.05, 0.25)
    """Bits of capacity per octave squared: a latent that is held too loosely or tightly leaves its codes."""
    perceptual_cost: float = drawn(0.1, 0.5)
    """dB of a perceptual loss that outweighs pixels: models without one have that much more PSNR."""
    perceptual_best: float = drawn(-1.0, 0.7)
    """log2 of the weight with the best LPIPS; the published one is 1."""
    perceptual_octave: float = drawn(0.0005, 0.003)
    """LPIPS per octave squared: a tenth of it lost at a tenth of the weight."""

    lpips: float = drawn(0.13, 0.24)
    """Of 10 bits without a GAN; taming's with one has 0.177."""
    lpips_per_db: float = drawn(0.012, 0.022)
    """Better autoencoders have both: from taming to OptVQ 0.10 for 6.6 dB."""

    drop: float = drawn(0.8, 2.4)
    """dB of PSNR lost when the discriminator joins with the published weight of 0.8."""
    drop_power: float = drawn(0.5, 0.7)
    """Of the weight: from 0.05 to 1.5 the drop is 0.3 to 3 dB."""
    drop_kept: float = drawn(0.1, 0.3)
    """Share that never comes back: texture that is invented costs PSNR."""
    recovery: float = drawn(0.03, 0.1)
    """Of a run: time constant in which the rest comes back."""
    jump: float = drawn(0.005, 0.025)
    """LPIPS lost at first: the checkered patterns of a fresh discriminator."""
    jump_time: float = drawn(0.01, 0.03)
    """Of a run: time constant in which they go."""
    gan_gain: float = drawn(0.12, 0.3)
    """Share of LPIPS that a GAN takes away in the end."""
    gan_time: float = drawn(0.08, 0.25)
    """Of a run: time constant of that."""
    gan_best: float = drawn(-2.5, 0.0)
    """log2 of the weight that wins most; recipes have 0.02 (fixed) to 0.8 (adaptive)."""
    gan_width: float = drawn(1.2, 2.4)
    """Octaves: standard deviation of the gain's bell."""
    early_cost: float = drawn(1.0, 4.0)
    """dB for a start on a model that has learned nothing, by the square of what is left to learn."""
    early_lpips: float = drawn(0.05, 0.2)
    """LPIPS for the same: recipes wait 10 to 50 thousand steps, since generators started early keep artefacts."""
    rate_unsettles: float = drawn(0.0, 0.8)
    """Share by which the drop grows per decade of the rate above its best."""

    noise: float = drawn(0.03, 0.08)
    """dB, standard deviation of a validation around its curve: weights jitter at a constant rate."""
    run_noise: float = drawn(0.02, 0.06)
    """dB, of a whole run around the curve of its settings: another seed's weights and batches."""


class Kind(NamedTuple):
    metric: str
    """What trials are ranked by."""
    direction: str
    has_gan: bool
    noise_times: float

    @property
    def sign(self) -> int:
        return 1 if self.direction == "max" else -1

    @property
    def space(self) -> Any:
        return space.gan if self.has_gan else space.autoencoder


KINDS = {
    "gan": Kind("val/lpips", "min", True, 1),
    "psnr": Kind("val/psnr", "max", True, 1),
    "plain": Kind("val/psnr", "max", False, 1),
    "flat-noise": Kind("val/psnr", "max", False, 4),
}
"""The last two are the controls: no discriminator, and in the last validations that say little."""


class Shape(NamedTuple):
    """What a trial's settings come to in a world."""

    psnr: float
    """dB after endless training without a discriminator."""
    lpips: float
    """The same of LPIPS."""
    scale: float
    """Steps."""
    decades: float
    """By which the learning rate is above its best."""


@dataclass(frozen=True)
class World:
    kind_name: str
    seed: int

    @property
    def kind(self) -> Kind:
        return KINDS[self.kind_name]

    @cached_property
    def traits(self) -> Traits:
        random = np.random.default_rng([self.seed, zlib.crc32(self.kind_name.encode())])
        return Traits(
            **{one.name: random.uniform(*one.metadata["range"]) for one in fields(Traits)}
        )

    def final(self, settings: Settings) -> float:
        """Noise-free score of the whole run, higher is better; a divergence is noise."""
        return self.kind.sign * self.curves(settings, STEPS)[self.kind.metric]

    def curves(self, settings: Settings, step: int) -> dict[str, float]:
        """Without noise."""
        traits, shape = self.traits, _shape(self.traits, settings)
        left = _left(step, shape.scale, traits.exponent)
        lpips_left = _left(step, shape.scale, traits.lpips_exponent)
        psnr = shape.psnr - traits.rise * left
        lpips = shape.lpips + LPIPS_START * lpips_left
        if self.kind.has_gan:
            gan = _gan(traits, settings, shape, step)
            psnr, lpips = psnr - gan.psnr_cost, lpips * gan.lpips_factor + gan.lpips_cost
        return {"val/psnr": psnr, "val/lpips": lpips}

    def run(self, number: int, settings: Settings) -> "Run":
        """The world's `number`-th trial: its curves with noise."""
        return Run(self, number, settings)


class Run:
    def __init__(self, world: World, number: int, settings: Settings) -> None:
        self.world, self.settings = world, settings
        text = json.dumps([world.kind_name, dict(settings)], sort_keys=True)
        random = np.random.default_rng([world.seed, number, zlib.crc32(text.encode())])
        traits, times = world.traits, world.kind.noise_times
        self.step_seconds = random.uniform(0.9, 1.1)
        """Trials differ by as much in speed; a second is a step's mean."""
        self.diverges_from = _diverges_from(traits, settings, random)
        whole, single = random.normal(size=2), random.normal(size=(VALIDATIONS, 2))
        self.noise_dB = times * (traits.run_noise * whole + traits.noise * single)
        """By validation: of PSNR, and of LPIPS, whose dB are `lpips_per_db` each."""

    def metrics(self, step: int) -> dict[str, float]:
        """What the validation at `step` reports; NaN once the run has diverged."""
        if step >= self.diverges_from:
            return {"val/psnr": math.nan, "val/lpips": math.nan}
        curves = self.world.curves(self.settings, step)
        of_psnr, of_lpips = self.noise_dB[step // VALIDATE_EVERY - 1]
        lpips = curves["val/lpips"] + self.world.traits.lpips_per_db * of_lpips
        return {
            "val/psnr": float(curves["val/psnr"] + of_psnr),
            "val/lpips": float(max(0.0, lpips)),
        }


def _left(step: float, scale: float, exponent: float) -> float:
    """Share of the way that is still to go."""
    return (1 + step / scale) ** -exponent


def _shape(traits: Traits, settings: Settings) -> Shape:
    bits = math.log2(settings["model.quantizer.codebook_size"])
    used = bits - math.log2(1 + 2 ** (bits - _capacity(traits, settings)))
    decades = math.log10(settings["training.learning_rate"]) - traits.rate_best
    perceptual = settings["loss.perceptual_weight"]
    quality = (
        traits.bit_gain * (used - 10)
        - traits.unused_cost * (bits - used)
        - traits.rate_cost * max(0.0, decades) ** 2
        - traits.codebook_cost * _codebook_octaves(traits, settings) ** 2
    )
    octaves = math.log2(perceptual) - traits.perceptual_best
    blur = traits.perceptual_octave * octaves**2 + traits.rate_lpips * max(0.0, decades) ** 2
    return Shape(
        psnr=traits.ceiling + quality - traits.perceptual_cost * perceptual / (perceptual + 0.5),
        lpips=traits.lpips - traits.lpips_per_db * quality + blur,
        scale=traits.scale * 2 ** (traits.size_slows * (bits - 10)) * 10 ** (-traits.rate_speed * min(FASTEST, decades)),
        decades=decades,
    )  # fmt: skip


def _capacity(traits: Traits, settings: Settings) -> float:
    """Bits of codes that these settings keep alive."""
    capacity = traits.capacity - traits.codebook_bits * _codebook_octaves(traits, settings) ** 2
    if settings["model.quantizer.kind"] == "ema":
        decades = math.log10(1 - settings["model.quantizer.decay"]) - traits.decay_best
        return capacity + traits.ema_gain - traits.decay_cost * decades**2
    octaves = math.log2(settings["model.quantizer.beta"]) - traits.beta_best
    return capacity - traits.beta_cost * octaves**2


def _codebook_octaves(traits: Traits, settings: Settings) -> float:
    return math.log2(settings["loss.codebook_weight"]) - traits.codebook_best


def _diverges_from(traits: Traits, settings: Settings, random: np.random.Generator) -> float:
    """The step; infinity where the run does not. Half of those that do, do so in the first quarter."""
    decades = math.log10(settings["training.learning_rate"]) - traits.diverges_at
    by_rate = 1 / (1 + math.exp(-decades / 0.15))
    chance, when = random.random(2)
    return STEPS * when**2 if chance < max(by_rate, traits.diverges_anyway) else math.inf


class Gan(NamedTuple):
    """What the discriminator does to the curves at a step."""

    psnr_cost: float = 0.0
    lpips_factor: float = 1.0
    lpips_cost: float = 0.0


def _gan(traits: Traits, settings: Settings, shape: Shape, step: int) -> Gan:
    start = round(settings["loss.disc_start"] * STEPS)
    if step <= start:
        return Gan()
    run, joined = (step - start) / STEPS, 1 - math.exp(-(step - start) / ONSET_STEPS)
    weight = settings["loss.disc_weight"] / 0.8
    unsettled = 1 + traits.rate_unsettles * max(0.0, shape.decades)
    drop = traits.drop * weight**traits.drop_power * unsettled
    not_back = traits.drop_kept + (1 - traits.drop_kept) * math.exp(-run / traits.recovery)
    early = math.sqrt(weight) * _left(start, shape.scale, traits.exponent) ** 2
    octaves = math.log2(settings["loss.disc_weight"]) - traits.gan_best
    gain = traits.gan_gain * math.exp(-0.5 * (octaves / traits.gan_width) ** 2)
    jump = traits.jump * math.sqrt(weight) * unsettled * math.exp(-run / traits.jump_time)
    return Gan(
        psnr_cost=joined * (drop * not_back + traits.early_cost * early),
        lpips_factor=1 - gain * (1 - math.exp(-run / traits.gan_time)),
        lpips_cost=joined * (jump + traits.early_lpips * early),
    )
