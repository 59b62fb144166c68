"""The quantizers, one file each: `model.quantizer.kind` chooses."""

from typing import Annotated

from pydantic import Field

from raysweep.models.quantizers.base import Quantized, Quantizer, perplexity
from raysweep.models.quantizers.cosine import CosineConfig
from raysweep.models.quantizers.ema import EMAConfig
from raysweep.models.quantizers.fsq import FSQConfig
from raysweep.models.quantizers.gradient import GradientConfig
from raysweep.models.quantizers.lfq import LFQConfig
from raysweep.models.quantizers.optvq import OptVQConfig
from raysweep.models.quantizers.residual import ResidualConfig
from raysweep.models.quantizers.simvq import SimVQConfig

QuantizerConfig = Annotated[
    GradientConfig
    | EMAConfig
    | OptVQConfig
    | CosineConfig
    | ResidualConfig
    | SimVQConfig
    | FSQConfig
    | LFQConfig,
    Field(discriminator="kind"),
]

__all__ = [
    "CosineConfig",
    "EMAConfig",
    "FSQConfig",
    "GradientConfig",
    "LFQConfig",
    "OptVQConfig",
    "Quantized",
    "Quantizer",
    "QuantizerConfig",
    "ResidualConfig",
    "SimVQConfig",
    "perplexity",
]
