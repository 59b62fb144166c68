"""Both optimizers, from the settings."""

from torch import nn
from torch.optim import Adam, AdamW

from raysweep.training import TrainingConfig

KINDS: dict[str, type[Adam]] = {"adam": Adam, "adamw": AdamW}
SHARED = ("optimizer", "learning_rate", "betas", "weight_decay")
"""Settings that the discriminator's optimizer may have of its own, with `disc_` before them."""


def for_discriminator(config: TrainingConfig) -> TrainingConfig:
    """The settings with the discriminator's in the autoencoder's place, where it has any."""
    own = {name: getattr(config, f"disc_{name}") for name in SHARED}
    return config.model_copy(update={name: v for name, v in own.items() if v is not None})


def build(network: nn.Module, config: TrainingConfig) -> Adam:
    """Of a network that lies where it will be trained."""
    on_cuda = next(network.parameters()).is_cuda
    return KINDS[config.optimizer](
        network.parameters(),
        config.learning_rate,
        config.betas,
        weight_decay=config.weight_decay,
        fused=(on_cuda if config.fused is None else config.fused) or None,
    )
