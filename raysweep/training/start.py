"""The start of a run from somebody's weights, or from an earlier run's."""

import torch
from torch import nn
from torch.optim import Optimizer

from raysweep.models import Tokenizer
from raysweep.models.published.fitting import Moments, Start
from raysweep.models.quantizers.ema import EMAEmbedding
from raysweep.training.state import TrainState


def begin(state: TrainState, start: Start, frames_per_step: int, resolution: int) -> None:
    """Puts `start` into a new run, whose step stays 0; frames are counted over all workers."""
    state.tokenizer.load_state_dict(start.tokenizer)
    weigh_statistics(state.tokenizer, frames_per_step, resolution)
    if start.discriminator:
        state.discriminator.load_state_dict(start.discriminator)
    if state.averaged is not None:
        state.averaged.load_state_dict(state.tokenizer.state_dict())
    _go_on(state.optimizer, state.tokenizer, start.moments)
    _go_on(state.disc_optimizer, state.discriminator, start.disc_moments)


@torch.no_grad()
def weigh_statistics(tokenizer: Tokenizer, frames_per_step: int, resolution: int) -> None:
    """Brings moving-average codebooks to the number of vectors that a step has here, codes unchanged.

    Cluster sizes count vectors per step: before a larger batch, the averages would forget what was loaded.
    """
    for quantizer, downsampling in tokenizer.levels:
        vectors = frames_per_step * (resolution // downsampling) ** 2
        for book in quantizer.modules():
            if isinstance(book, EMAEmbedding) and book.cluster_size.sum() > 0:
                scale = vectors / book.cluster_size.sum()
                book.cluster_size *= scale
                book.embed_avg *= scale


def _go_on(optimizer: Optimizer, network: nn.Module, moments: Moments) -> None:
    """Gives the optimizer the state of each parameter; rates and the like stay those of the settings."""
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    order = [
        names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]
    ]
    state = {number: moments[name] for number, name in enumerate(order) if name in moments}
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
