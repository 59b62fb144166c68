"""The discriminators, one file each: `discriminator.kind` chooses. They give logits, several a frame."""

from typing import Annotated

from pydantic import Field

from raysweep.models.discriminators.blur import BlurConfig
from raysweep.models.discriminators.patch import PatchConfig

DiscriminatorConfig = Annotated[PatchConfig | BlurConfig, Field(discriminator="kind")]

__all__ = ["BlurConfig", "DiscriminatorConfig", "PatchConfig"]
