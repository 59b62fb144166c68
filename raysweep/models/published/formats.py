"""Our weights as public code loads them: the tree to save, by the format's name."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from raysweep.errors import ConfigError
from raysweep.models import HierarchicalConfig, ModelConfig, TamingConfig
from raysweep.models.published.naming import IN_VQVAE2, State

Checkpoint = dict[str, Any]
"""What torch.save writes: tensors by name, in the places where the code looks for them."""


def as_taming(config: ModelConfig, tokenizer: State, discriminator: State) -> Checkpoint:
    """For VQModel, and EMAVQ, of taming-transformers and of latent diffusion.

    The discriminator goes along where it is theirs, whose normalization is of the batch.
    """
    if not isinstance(config, TamingConfig) or config.quantizer.kind not in ("gradient", "ema"):
        raise _no_such_model("taming", "taming_vqgan with a gradient or an ema quantizer", config)
    if config.double_z or any(config.ch * multiplier % 32 for multiplier in (1, *config.ch_mult)):
        raise _no_such_model(
            "taming", "channels in multiples of 32 at every level and without double_z", config
        )
    state = {name: tensor for name, tensor in tokenizer.items() if name != "quantize.updates"}
    if "main.3.running_mean" in discriminator:
        state |= {f"loss.discriminator.{name}": value for name, value in discriminator.items()}
    return {"state_dict": state}


def as_vqvae2(config: ModelConfig, tokenizer: State, discriminator: State) -> Checkpoint:
    """For VQVAE of github.com/vvvm23/vqvae-2, which keeps no discriminator."""
    if not isinstance(config, HierarchicalConfig) or config.quantizer.kind != "ema":
        raise _no_such_model("vqvae2", "hierarchical with an ema quantizer", config)
    if config.wide_decoder:
        raise _no_such_model("vqvae2", "model.wide_decoder false", config)
    return dict(_to_vqvae2(n, t) for n, t in tokenizer.items() if not n.endswith(".updates"))


FORMATS: dict[str, Callable[[ModelConfig, State, State], Checkpoint]] = {
    "taming": as_taming,
    "vqvae2": as_vqvae2,
}


def _to_vqvae2(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    for theirs, ours in IN_VQVAE2.items():
        if name.endswith(f".{ours}"):
            there = f"{name.removesuffix(ours)}{theirs}"
            return there, (tensor.t() if tensor.ndim == 2 else tensor).contiguous()
    return name, tensor


def _no_such_model(name: str, rule: str, config: ModelConfig) -> ConfigError:
    return ConfigError(
        f"the {name} format holds models of {rule}, got {config.kind} with {config.quantizer.kind}. "
        "Export it without --format, as a folder."
    )
