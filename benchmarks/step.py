"""Seconds per training step: ours against the step of the public VQGAN code, on the same networks.

The peer is restated below as that code runs it: a whole forward pass, LPIPS included, for each of the two
optimizers, and three backward passes for the first (two for the adaptive weight, one to learn).
Both run in turn on copies of one state, so that what else the machine does meets both. The dearer the
tokenizer beside LPIPS, the less there is to save: its models differ in that, at about equal weights.
Control: before `disc_start`, on LPIPS-free settings, there is nothing to save, and the ratio should be 1.
"""

import json
import multiprocessing
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, autograd, nn

from raysweep.assemble import assemble
from raysweep.config import RunConfig, run_config
from raysweep.losses.adversarial import adaptive_weight, discriminator_loss, generator_loss
from raysweep.losses.perceptual import PerceptualLoss
from raysweep.losses.pixel import pixel_loss
from raysweep.schema import Tree
from raysweep.training.loop import Parts
from raysweep.training.step import frozen

FRAMES, RESOLUTION, STEPS = 16, 64, 5
_VQGAN: Tree = {
    "attn_resolutions": [],
    "resolution": RESOLUTION,
    "quantizer": {"kind": "gradient", "codebook_size": 512, "embedding_dim": 32},
}
MODELS: dict[str, Tree] = {
    "0.7M f2": {**_VQGAN, "ch": 32, "ch_mult": [1, 2], "num_res_blocks": 1, "z_channels": 64},
    "5M f4": {**_VQGAN, "ch": 64, "ch_mult": [1, 2, 2], "z_channels": 128},
    "5M f8": {**_VQGAN, "ch": 32, "ch_mult": [1, 2, 4, 4], "z_channels": 128},
    "4M f8 vq-vae-2": {"kind": "hierarchical", "scaling_rates": [8, 4, 2]},
}
"""Parameters of the tokenizer and pixels per code along one axis -> settings."""


class Case(NamedTuple):
    model: str
    perceptual: str
    gan: bool


CASES = [
    *(Case(model, net, gan=True) for net in ("vgg", "alex", "none") for model in MODELS),
    *(Case(model, "none", gan=False) for model in MODELS),
]
LAYOUTS = {"ours": False, "ours, NHWC": True}
"""Step -> training.channels_last."""


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


def settings(case: Case, channels_last: bool = False) -> RunConfig:
    return run_config(
        {
            "data": {"resolution": RESOLUTION},
            "training": {"channels_last": channels_last},
            "model": MODELS[case.model],
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


def steps_of(case: Case) -> dict[str, Callable[[Tensor], object]]:
    """Each on networks of its own, which start alike."""
    cpu = torch.device("cpu")
    made: dict[str, Callable[[Tensor], object]] = {
        name: assemble(settings(case, channels_last), cpu).step
        for name, channels_last in LAYOUTS.items()
    }
    config = settings(case)
    return {**made, "public": PublicStep(assemble(config, cpu), config)}


def batch() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(FRAMES, 3, RESOLUTION, RESOLUTION, generator=generator) * 2 - 1


def measure(case: Case) -> dict[str, Any]:
    """Seconds of each step, medians over STEPS taken in turn, and the losses of the first."""
    steps, frames = steps_of(case), batch()
    losses = {name: _loss(step(frames)) for name, step in steps.items()}
    rounds = [{name: seconds(step, frames) for name, step in steps.items()} for _ in range(STEPS)]
    medians = {name: statistics.median(one[name] for one in rounds) for name in steps}
    ratios = {name: medians["public"] / medians[name] for name in LAYOUTS}
    return {"losses": losses, "seconds": medians, "ratios": ratios}


def _loss(result: Any) -> float:
    return float(result["total_loss"] if isinstance(result, dict) else result)


def shares(case: Case) -> dict[str, float]:
    """Seconds of our step's parts, each by itself: what the networks and LPIPS take."""
    parts, frames = assemble(settings(case), torch.device("cpu")), batch()
    tokenizer, discriminator = parts.state.tokenizer, parts.state.discriminator
    ((_, distance),) = parts.step.perceptual.values()
    leaf = tokenizer(frames).frames_NCHW.detach().requires_grad_()

    def backward(network: nn.Module, x: Tensor) -> None:
        made = network(x)
        (made.frames_NCHW if network is tokenizer else made).sum().backward()

    def of(work: Callable[[], object]) -> float:
        work()
        return min(seconds(lambda _: work(), frames) for _ in range(3))

    return {
        "tokenizer": of(lambda: backward(tokenizer, frames)),
        "LPIPS": of(lambda: autograd.grad(distance(leaf, frames).mean(), leaf)),
        "discriminator": 2 * of(lambda: backward(discriminator, frames)),
        "step": of(lambda: parts.step(frames)),
    }


def peak_gigabytes(case: Case, name: str) -> float:
    """Of a process that takes three such steps and nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (case, name))


def _peak(case: Case, name: str) -> float:
    """Linux's own count, in GiB."""
    step, frames = steps_of(case)[name], batch()
    for _ in range(3):
        step(frames)
    status = Path("/proc/self/status").read_text()  # getrusage's figure has the parent's in it
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kilobytes) / 2**20


def print_ratios() -> list[dict[str, Any]]:
    print("seconds per step; ratio: the public step's over ours")
    print(
        f"{'tokenizer':<16}{'LPIPS':<7}{'GAN':<5}{'public':>8}{'ours':>8}{'ratio':>7}{'NHWC':>8}{'ratio':>7}"
        f"{'frames/s':>10}   first losses"
    )
    results = []
    for case in CASES:
        result = measure(case)
        results.append({**case._asdict(), **result})
        taken, ratios = result["seconds"], result["ratios"]
        row = f"{case.model:<16}{case.perceptual:<7}{'on' if case.gan else 'off':<5}{taken['public']:>8.3f}"
        for name in LAYOUTS:
            row += f"{taken[name]:>8.3f}{ratios[name]:>7.2f}"
        losses = " ".join(f"{loss:.6f}" for loss in result["losses"].values())
        control = "" if case.gan else "   control: about 1"
        print(f"{row}{FRAMES / taken['ours']:>10.1f}   {losses}{control}", flush=True)
    return results


def print_parts() -> list[dict[str, Any]]:
    print("\nwith VGG: share of our step in its parts, and peak memory of the process in GiB")
    results = []
    for model in MODELS:
        case = Case(model, "vgg", gan=True)
        parts = shares(case)
        whole = parts.pop("step")
        memory = {name: peak_gigabytes(case, name) for name in ("ours", "public")}
        results.append({"model": model, "seconds": {**parts, "step": whole}, "memory": memory})
        share = ", ".join(f"{name} {taken / whole:.0%}" for name, taken in parts.items())
        print(
            f"{model:<16}{share}; ours {memory['ours']:.2f}, public {memory['public']:.2f}",
            flush=True,
        )
    return results


def main() -> None:
    print(f"{FRAMES} frames of {RESOLUTION} px, fp32, {torch.get_num_threads()} threads")
    results = {"ratios": print_ratios(), "parts": print_parts()}
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
