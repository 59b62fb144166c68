"""Validation: every frame once, whatever the batch or the number of workers."""

from collections.abc import Iterable, Mapping

import torch
from einops import rearrange
from torch import Tensor

from raysweep import parallel
from raysweep.metrics import Metric, Scored
from raysweep.metrics.psnr import PSNR
from raysweep.models import Tokenizer


def to_frames(clips_BTHWC: Tensor, device: torch.device) -> Tensor:
    """uint8 clips -> float32 frames (B*T, C, H, W) in [-1, 1] on `device`; the transfer is uint8."""
    frames = rearrange(clips_BTHWC.to(device, non_blocking=True), "b t h w c -> (b t) c h w")
    return frames.float().div_(127.5).sub_(1.0).contiguous()


def scored(tokenizer: Tokenizer, clips_BTHWC: Tensor, device: torch.device) -> Scored:
    """uint8 clips beside what the tokenizer makes of them."""
    frames = to_frames(clips_BTHWC, device)
    decoded = tokenizer(frames)
    return Scored(
        frames, decoded.frames_NCHW, decoded.codes, clips_BTHWC.shape[1], decoded.codebook_loss
    )


@torch.no_grad()
def evaluate(
    tokenizer: Tokenizer,
    metrics: Mapping[str, Metric],
    batches: Iterable[Tensor],
    device: torch.device,
) -> dict[str, float]:
    """Scores this rank's `batches` of uint8 clips and sums over ranks -> `val/...` of the whole set."""
    training = tokenizer.training
    tokenizer.eval()
    for clips_BTHWC in batches:
        batch = scored(tokenizer, clips_BTHWC, device)
        for metric in metrics.values():
            metric.update(batch)
    tokenizer.train(training)
    values: dict[str, float] = {}
    for metric in metrics.values():
        totals = parallel.total(metric.totals().to(device))
        values |= metric.values(totals.cpu())
    return {f"val/{name}": value for name, value in values.items()}


def mean_colour_psnr(batches: Iterable[Tensor], device: torch.device) -> float:
    """dB of predicting each frame by its own mean colour: what a tokenizer that learned nothing scores."""
    metric = PSNR()
    for clips_BTHWC in batches:
        frames = to_frames(clips_BTHWC, device)
        flat = frames.mean((2, 3), keepdim=True).expand_as(frames)
        metric.update(Scored(frames, flat, (), clips_BTHWC.shape[1]))
    return metric.values(metric.totals())["psnr"]
