"""A whole run that takes milliseconds a step: tiny networks, and clips that lie in memory.

Shapes: B clips, T frames, H height, W width, C channels.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from raysweep.assemble import assemble
from raysweep.config import RunConfig, run_config
from raysweep.data.index.order import train_visits, validation_indices
from raysweep.schema import Tree, override
from raysweep.tracking import Trackers
from raysweep.training.loop import Parts

SETTINGS: Tree = {
    "data": {"resolution": 32, "clip_length": 2, "batch_size": 4},
    "model": {
        "kind": "taming_vqgan",
        "ch": 8,
        "ch_mult": [1, 2, 2],
        "num_res_blocks": 1,
        "attn_resolutions": [8],
        "resolution": 32,
        "z_channels": 16,
        "quantizer": {"kind": "gradient", "codebook_size": 32, "embedding_dim": 8},
    },
    "discriminator": {"kind": "patch", "ch": 8, "layers": 2, "norm": "group"},
    "loss": {"perceptual_net": "squeeze", "perceptual_init": "random", "disc_start": 2},
    "training": {"steps": 6, "learning_rate": 1e-3, "validate_every": 3, "log_every": 1},
}
EMA: Tree = {"kind": "ema", "codebook_size": 32, "embedding_dim": 8}
QUANTIZERS: dict[str, Tree] = {"gradient": SETTINGS["model"]["quantizer"], "ema": EMA}
NO_EFFECT = ".k.bias"
"""Softmax ignores a constant added to all keys: the gradient of this bias is zero but for rounding."""
CPU = torch.device("cpu")
NO_TRACKER = Trackers([])


def tiny_run(changes: Tree | None = None, **sections: Any) -> RunConfig:
    """SETTINGS under `changes`, by dotted path, and whole sections."""
    return run_config(override(SETTINGS, {**sections, **(changes or {})}))


def tiny_parts(changes: Tree | None = None) -> Parts:
    return assemble(tiny_run(changes), CPU)


def clips(count: int, frames: int = 2, pixels: int = 32, seed: int = 0) -> Tensor:
    """uint8 (B, T, H, W, C): smooth colour waves that drift, different for every clip."""
    generator = torch.Generator().manual_seed(seed)
    slope, phase, speed = torch.randn(3, count, 1, 1, 1, 3, generator=generator).unbind(0)
    t = torch.arange(frames).view(1, frames, 1, 1, 1)
    y = torch.linspace(-2, 2, pixels).view(1, 1, pixels, 1, 1)
    x = torch.linspace(-2, 2, pixels).view(1, 1, 1, pixels, 1)
    wave = torch.sin(slope * 3 * x + (1 - slope) * 2 * y + 3 * phase + 0.3 * speed * t)
    return ((wave + 1) * 127.5).round().to(torch.uint8)


def frames(count: int, pixels: int = 32, seed: int = 0) -> Tensor:
    """float (N, 3, H, W) in [-1, 1]."""
    moving = clips(count, 1, pixels, seed)[:, 0]
    return moving.permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


class MemoryBatches:
    """A rank's share of clips in memory, in the order of the real thing."""

    def __init__(self, config: RunConfig, rank: int = 0, workers: int = 1) -> None:
        self.config, self.rank, self.workers = config, rank, workers
        self.train_clips = clips(12, config.data.clip_length, config.data.resolution)
        self.valid_clips = clips(5, config.data.clip_length, config.data.resolution, seed=1)

    def train(self, step: int) -> Iterator[Tensor]:
        while True:
            batch, seed = self.config.data.batch_size, self.config.seed
            visits = train_visits(step, len(self.train_clips), batch, seed, self.rank, self.workers)
            yield self.train_clips[[visit.clip for visit in visits]]
            step += 1

    def validation(self) -> Iterator[Tensor]:
        share = validation_indices(len(self.valid_clips), self.rank, self.workers)
        yield from self.valid_clips[list(share)].split(2)

    def preview(self) -> Tensor:
        return self.valid_clips[:2]
