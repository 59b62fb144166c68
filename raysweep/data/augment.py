"""How a training clip is varied, anew in every epoch: a function of (seed, epoch, clip) alone."""

from pydantic import Field

from raysweep.schema import Config


class AugmentConfig(Config):
    """Off by default: the model sees the footage as it is."""

    flip: float = Field(default=0.0, ge=0, le=1)
    """Probability that a clip is mirrored left to right."""
    max_stride: int | None = Field(default=None, ge=1)
    """A clip's stride is drawn from those from `data.stride` to this that end it before its training frames
    (with `data.avoid_cuts`: its scene) end; None: always `data.stride`."""
    brightness: float = Field(default=0.0, ge=0, lt=1)
    """A clip's brightness is multiplied by a number from 1 - this to 1 + this."""
    contrast: float = Field(default=0.0, ge=0, lt=1)
    """The same of its contrast, about its mean grey."""
    saturation: float = Field(default=0.0, ge=0, lt=1)
    """The same of its saturation: 0 would be grey."""
    hue: float = Field(default=0.0, ge=0, le=0.5)
    """A clip's hue is turned by up to this part of the colour circle, either way."""
