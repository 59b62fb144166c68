"""Seconds per training step: ours against the step of the public VQGAN code, on the same networks.

The peer is restated below as that code runs it: a whole forward pass, LPIPS included, for each of the two
optimizers, and three backward passes for the first (two for the adaptive weight, one to learn).
Both run in turn on copies of one state, so that what else the machine does meets both.
Control: before `disc_start`, on LPIPS-free settings, there is nothing to save, and the ratio should be 1.
"""

import copy
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, autograd

from raysweep.assemble import assemble
from raysweep.config import RunConfig, run_config
from raysweep.losses.adversarial import adaptive_weight, discriminator_loss, generator_loss
from raysweep.losses.perceptual import PerceptualLoss
from raysweep.losses.pixel import pixel_loss
from raysweep.training.loop import Parts
from raysweep.training.step import frozen

FRAMES, RESOLUTION, STEPS = 16, 64, 6
MODELS = {
    "0.6 M": {"ch": 32, "ch_mult": [1, 2], "z_channels": 64},
    "5 M": {"ch": 64, "ch_mult": [1, 2, 2], "z_channels": 128, "num_res_blocks": 2},
}
"""Parameters of the tokenizer, about -> settings."""


class Case(NamedTuple):
    model: str
    perceptual: str
    gan: bool


CASES = [
    *(Case(model, net, gan=True) for model in MODELS for net in ("vgg", "alex", "none")),
    *(Case(model, "none", gan=False) for model in MODELS),
]


class PublicStep:
    """The published loss and its two optimizers, as its trainer calls them."""

    def __init__(self, parts: Parts, config: RunConfig) -> None:
        self.state, self.loss = parts.state, config.loss
        init = str(config.loss.perceptual_init)
        net = config.loss.perceptual_net
        self.perceptual = None if net == "none" else PerceptualLoss(net, init, "cpu")

    def __call__(self, frames: Tensor) -> float:
        total = self._tokenizer_pass(frames)
        if self.loss.has_gan:
            self._discriminator_pass(frames)
        return float(total)

    def _nll(self, reconstruction: Tensor, frames: Tensor) -> Tensor:
        nll = pixel_loss(self.loss.pixel, reconstruction, frames)
        if self.perceptual is None:
            return nll
        return nll + self.loss.perceptual_weight * self.perceptual(reconstruction, frames).mean()

    def _tokenizer_pass(self, frames: Tensor) -> Tensor:
        decoded = self.state.tokenizer(frames)
        nll = self._nll(decoded.frames_NCHW, frames)
        total = nll + self.loss.codebook_weight * decoded.codebook_loss
        self.state.optimizer.zero_grad(set_to_none=True)
        with frozen(self.state.discriminator):
            if self.loss.has_gan:
                g_loss = generator_loss(
                    self.loss.gan, self.state.discriminator(decoded.frames_NCHW)
                )
                last = self.state.tokenizer.last_layer
                both = [autograd.grad(x, last, retain_graph=True)[0] for x in (nll, g_loss)]
                total = (
                    total
                    + self.loss.disc_weight
                    * adaptive_weight(*both, self.loss.adaptive_cap)
                    * g_loss
                )
            total.backward()
        self.state.optimizer.step()
        return total.detach()

    def _discriminator_pass(self, frames: Tensor) -> None:
        reconstruction = self.state.tokenizer(frames).frames_NCHW
        self._nll(reconstruction, frames)
        discriminator = self.state.discriminator
        real, fake = discriminator(frames), discriminator(reconstruction.detach())
        self.state.disc_optimizer.zero_grad(set_to_none=True)
        discriminator_loss(self.loss.gan, real, fake).backward()
        self.state.disc_optimizer.step()


def settings(case: Case) -> RunConfig:
    quantizer = {"kind": "gradient", "codebook_size": 512, "embedding_dim": 32}
    model = {"attn_resolutions": [], "resolution": RESOLUTION, "num_res_blocks": 1}
    return run_config(
        {
            "data": {"resolution": RESOLUTION},
            "model": {**model, **MODELS[case.model], "quantizer": quantizer},
            "loss": {
                "preset": "taming",
                "perceptual_net": case.perceptual,
                "perceptual_init": "random",
                "disc_start": 0,
                "disc_weight": 0.8 if case.gan else 0.0,
            },
        }
    )


def seconds(step: Callable[[Tensor], object], frames: Tensor) -> float:
    start = time.perf_counter()
    step(frames)
    return time.perf_counter() - start


def measure(case: Case) -> dict[str, float]:
    """Medians over STEPS steps of each, taken in turn, and both losses of the first step."""
    config = settings(case)
    ours = assemble(config, torch.device("cpu"))
    public = PublicStep(copy.deepcopy(assemble(config, torch.device("cpu"))), config)
    frames = torch.rand(FRAMES, 3, RESOLUTION, RESOLUTION) * 2 - 1
    first = {"our_loss": float(ours.step(frames)["total_loss"]), "public_loss": public(frames)}
    pairs = [(seconds(ours.step, frames), seconds(public, frames)) for _ in range(STEPS)]
    our_seconds, public_seconds = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        **first,
        "ours": our_seconds,
        "public": public_seconds,
        "ratio": public_seconds / our_seconds,
    }


def main() -> None:
    torch.manual_seed(0)
    print(
        f"{FRAMES} frames of {RESOLUTION} px, fp32, {torch.get_num_threads()} threads; seconds per step"
    )
    print(
        f"{'tokenizer':<10}{'LPIPS':<7}{'GAN':<5}{'ours':>8}{'public':>9}{'ratio':>7}{'frames/s':>10}   first losses"
    )
    results = []
    for case in CASES:
        result = measure(case)
        results.append({**case._asdict(), **result})
        print(
            f"{case.model:<10}{case.perceptual:<7}{'on' if case.gan else 'off':<5}{result['ours']:>8.3f}"
            f"{result['public']:>9.3f}{result['ratio']:>7.2f}{FRAMES / result['ours']:>10.1f}"
            f"   {result['our_loss']:.6f} {result['public_loss']:.6f}{'' if case.gan else '   control: about 1'}"
        )
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
