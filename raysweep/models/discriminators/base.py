"""What every discriminator's settings have in common."""

from raysweep.errors import ConfigError


def check_frame_size(layers: int, smallest: int, resolution: int) -> None:
    """Raises ConfigError for frames, in pixels, that a discriminator of `layers` cannot take."""
    if resolution < smallest:
        raise ConfigError(
            f"a discriminator of {layers} layers needs frames of at least {smallest} px, "
            f"got data.resolution {resolution}. Set data.resolution to {smallest} or more, "
            "discriminator.layers lower, or loss.disc_weight to 0."
        )
