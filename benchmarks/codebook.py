"""Codes in use after a short training: our moving-average codebook against the public codes' starts.

A cloud of standard normal vectors, fresh at every step, stands for latents that lie in many dimensions.
`zeros` is the start of the public EMAVQ and VQ-VAE-2 codes, `ones` the same with cluster sizes at one;
neither revives. Control: few codes in two dimensions, where none dies; revival should change nothing.
"""

import json
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch

from raysweep.models.quantizers import EMAConfig
from raysweep.schema import Tree

SEEDS, STEPS, VECTORS, FRESH = range(5), 50, 4096, 32768
DESIGNS: dict[str, Tree] = {
    "zeros (public)": {"start": "zeros", "revive_below": 0},
    "ones": {"start": "normal", "revive_below": 0},
    "ours": {},
    "ours, no revival": {"revive_below": 0},
}


class Cloud(NamedTuple):
    """Standard normal vectors of `dim` dimensions, and the codes to quantize them with."""

    name: str
    codes: int
    dim: int


CLOUDS = [Cloud("cloud", 1024, 64), Cloud("control", 32, 2)]


class Outcome(NamedTuple):
    used: int
    """Distinct codes over FRESH fresh vectors, in evaluation."""
    perplexity: float
    error: float
    """Mean squared error over the vectors' variance."""
    seconds: float


def measure(cloud: Cloud, settings: Tree, seed: int) -> Outcome:
    torch.manual_seed(seed)
    quantizer = EMAConfig(codebook_size=cloud.codes, embedding_dim=cloud.dim, **settings).build()
    start = time.perf_counter()
    for _ in range(STEPS):
        quantizer(torch.randn(VECTORS, cloud.dim, 1, 1))
    seconds = time.perf_counter() - start
    fresh = torch.randn(FRESH, cloud.dim, 1, 1)
    quantized = quantizer.eval()(fresh)
    shares = torch.bincount(quantized.codes[0].flatten(), minlength=cloud.codes) / FRESH
    return Outcome(
        int((shares > 0).sum()),
        torch.special.entr(shares).sum().exp().item(),
        ((quantized.latent_NDhw - fresh).square().mean() / fresh.var()).item(),
        seconds,
    )


def main() -> None:
    results = []
    for cloud in CLOUDS:
        print(
            f"{cloud.name}: {cloud.codes} codes, {cloud.dim} dimensions, {STEPS} steps of {VECTORS} vectors"
        )
        print(f"  {'codes in use, seeds 0 to 4':<30}{'perplexity':>12}{'error':>9}{'s/step':>9}")
        for design, settings in DESIGNS.items():
            outcomes = [measure(cloud, settings, seed) for seed in SEEDS]
            used = " ".join(f"{outcome.used:>5}" for outcome in outcomes)
            perplexity, error, seconds = (
                statistics.mean(column)
                for column in ([getattr(o, n) for o in outcomes] for n in Outcome._fields[1:])
            )
            print(f"  {used}{perplexity:>12.0f}{error:>9.4f}{seconds / STEPS:>9.4f}   {design}")
            results += [
                {"cloud": cloud.name, "design": design, "seed": seed, **outcome._asdict()}
                for seed, outcome in zip(SEEDS, outcomes, strict=True)
            ]
    print("control: with and without revival about equal")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
