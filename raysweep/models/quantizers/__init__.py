"""The quantizers, one file each: `model.quantizer.kind` chooses."""

from typing import Annotated

from pydantic import Field

from raysweep.models.quantizers.base import Quantized, Quantizer, perplexity
from raysweep.models.quantizers.ema import EMAConfig
from raysweep.models.quantizers.gradient import GradientConfig

QuantizerConfig = Annotated[GradientConfig | EMAConfig, Field(discriminator="kind")]

__all__ = ["EMAConfig", "GradientConfig", "Quantized", "Quantizer", "QuantizerConfig", "perplexity"]
