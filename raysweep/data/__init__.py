"""Footage: found, decoded once into a prepared store, cut into clips, put in order."""

from typing import Literal

from pydantic import Field

from raysweep.schema import Config


class DataConfig(Config):
    """Where frames come from and how clips are cut from them."""

    source: str | None = None
    """Folder of videos, one video, a .txt list of paths, or the word `demo` for generated videos; prepared
    into `store` where that is not done yet."""
    store: str | None = None
    """Prepared store to read; None: beside the experiment, made from `source`."""
    resolution: int = Field(default=128, ge=8)
    """Pixels, height and width: the shortest side is resized to it, the longer one centre-cropped."""
    clip_length: int = Field(default=8, ge=1)
    """Frames per clip."""
    stride: int = Field(default=1, ge=1)
    """Source frames from one frame of a clip to the next."""
    batch_size: int = Field(default=8, ge=1)
    """Clips per optimizer step over all workers."""
    split: Literal["auto", "folders", "source", "time"] = "auto"
    """How validation frames are set apart: `train` and `valid` folders; whole sources; the end of each
    source in time, with a gap. `auto`: folders if they exist, sources from ten on, time below that."""
    valid_fraction: float = Field(default=0.1, gt=0, lt=1)
    """Share of the sources, or of each source's frames, that validates."""
    max_validation_frames: int | None = Field(default=None, ge=1)
    """Frames a validation scores, counted in whole clips from the first; None: all."""
