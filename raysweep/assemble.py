"""RunConfig -> built parts."""

from collections.abc import Mapping
from functools import partial

import torch

from raysweep.config import RunConfig
from raysweep.features.inception import Inception, inception
from raysweep.losses import LossConfig
from raysweep.losses.perceptual import LogitLoss, PerceptualLoss
from raysweep.metrics import Metric, direction
from raysweep.metrics.codes import Codes
from raysweep.metrics.fid import RFID
from raysweep.metrics.flicker import Flicker
from raysweep.metrics.lpips import LPIPS
from raysweep.metrics.psnr import PSNR
from raysweep.metrics.ssim import SSIM
from raysweep.models import Tokenizer
from raysweep.models.published.fitting import open_checkpoint
from raysweep.search.objective import Goal, Objective
from raysweep.search.ranking import improves
from raysweep.training.checkpoint import Improves
from raysweep.training.compiled import compile_tokenizer
from raysweep.training.loop import LATEST, Parts
from raysweep.training.recompute import recompute_blocks
from raysweep.training.start import begin
from raysweep.training.state import TrainState
from raysweep.training.step import PerceptualTerms, Step, Weighted
from raysweep.training.validation_loss import ValidationLoss

KEPT_BEST = ("psnr", "lpips", "lpips_random")
"""Metrics whose best checkpoint every run keeps, besides the best by what it is ranked by."""
BY_PSNR = Objective((Goal("val/psnr", "max"),))


def assemble(config: RunConfig, device: torch.device, ranked_by: Objective = BY_PSNR) -> Parts:
    """Builds a run on `device`; its weights depend on the seed, or on `model.checkpoint`, alone."""
    torch.manual_seed(config.seed)
    tokenizer = config.model.build()
    discriminator = config.discriminator.build()
    resolution = config.data.resolution
    tokenizer.check_size(resolution, resolution)
    layout = torch.channels_last if config.training.channels_last else torch.contiguous_format
    state = TrainState.start(
        tokenizer.to(device).to(memory_format=layout),
        discriminator.to(device).to(memory_format=layout),
        config.training,
    )
    if config.model.checkpoint is not None:
        start = open_checkpoint(config.model, tokenizer, discriminator)
        begin(state, start, config.data.batch_size * config.data.clip_length, resolution)
    if config.training.checkpoint_activations:
        recompute_blocks(tokenizer)
    if config.training.compile:
        compile_tokenizer(tokenizer)
    return Parts(
        state=state,
        step=Step(state, config.loss, config.training, _perceptual(config.loss, device)),
        new_metrics=lambda: build_metrics(tokenizer, config, device),
        config=config.training,
        loss=config.loss,
        seed=config.seed,
        device=device,
        kept_best=_kept_best(config, ranked_by),
        settings=config.model_dump(mode="json"),
    )


def build_metrics(
    tokenizer: Tokenizer, run: RunConfig, device: torch.device
) -> Mapping[str, Metric]:
    """Fresh accumulators for one validation; LPIPS where the settings name a network."""
    metrics: dict[str, Metric] = {
        "psnr": PSNR(),
        "ssim": SSIM(),
        "codes": Codes(tokenizer.codebook_sizes),
        "flicker": Flicker(),
        "loss": ValidationLoss(run.loss),
    }
    loss, rfid = run.loss, str(run.training.rfid)
    if loss.perceptual_net != "none":
        metrics["lpips"] = LPIPS(loss.perceptual_net, str(loss.perceptual_init), device)
    if rfid != "off":
        metrics["rfid"] = RFID(inception(rfid, device), Inception.features)
    return metrics


def _kept_best(run: RunConfig, ranked_by: Objective) -> Mapping[str, Improves]:
    if run.data.split == "none":
        return {LATEST: partial(improves, Objective((Goal(LATEST, "max"),)))}
    always = (Objective((Goal(f"val/{name}", direction(name)),)) for name in KEPT_BEST)
    return {each.kept_as: partial(improves, each) for each in (*always, ranked_by)}


def _perceptual(loss: LossConfig, device: torch.device) -> PerceptualTerms:
    """The weighted terms that compare deep features."""
    terms: PerceptualTerms = {}
    if loss.perceptual_net != "none" and loss.perceptual_weight > 0:
        net, init = loss.perceptual_net, str(loss.perceptual_init)
        terms["perc_loss"] = Weighted(loss.perceptual_weight, PerceptualLoss(net, init, device))
    if loss.logit_weight > 0:
        logits = LogitLoss(str(loss.logit_init), device)
        terms["logit_loss"] = Weighted(loss.logit_weight, logits)
    return terms
