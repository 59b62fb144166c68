"""Footage: found, decoded once into a prepared store, cut into clips, put in order."""

from typing import Literal, Self

from pydantic import Field, model_validator

from raysweep.schema import Config

Footage = str | tuple[str, ...]
"""A folder, a file, a .txt list of paths, or a pattern with `*`; or several of these."""
DEMO = "demo"
"""As a source: videos made from the photographs of scikit-image."""
FOOTAGE = ("source", "validation_source", "images", "split", "store", "resolution")
"""Settings that all trials of an experiment share: they read one store."""


class DataConfig(Config):
    """Where frames come from and how clips are cut from them."""

    source: Footage | None = None
    """Folder of videos, one video, a .txt list of paths, a pattern such as `clips/**/*.mp4`, a list of
    these, or the word `demo` for generated videos; prepared into `store` where that is not done yet."""
    validation_source: Footage | None = None
    """The same, to validate on; all of `source` then trains. None: `split` sets frames of `source` apart."""
    images: bool = False
    """The source is of images, each independent of the others: a clip is `clip_length` of them, drawn
    together anew in every epoch. Validation takes each image once, by itself."""
    store: str | None = None
    """Prepared store to read; None: beside the experiment, made from `source`."""
    resolution: int = Field(default=128, ge=8)
    """Pixels, height and width: the shortest side is resized to it, the longer one centre-cropped."""
    clip_length: int = Field(default=8, ge=1)
    """Frames per clip."""
    stride: int = Field(default=1, ge=1)
    """Source frames from one frame of a clip to the next."""
    random_start: bool = False
    """A training clip starts anywhere in its source, anew in every epoch; False: clips stand back to back."""
    batch_size: int = Field(default=8, ge=1)
    """Clips per optimizer step over all workers."""
    split: Literal["auto", "folders", "source", "time", "none"] = "auto"
    """How validation frames are set apart: `train` and `valid` folders; whole sources (of images: images);
    the end of each source in time, with a gap; `none`: all train. `auto`: folders if they exist, sources
    from ten on and for images, time below that."""
    valid_fraction: float = Field(default=0.1, gt=0, lt=1)
    """Share of the sources (of images: of all images), or of each source's frames, that validates."""
    max_validation_frames: int | None = Field(default=None, ge=1)
    """Frames a validation scores, counted in whole clips spread evenly over all there are; None: all."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if () in (self.source, self.validation_source):
            raise ValueError("data.source must name something, got an empty list. Name a folder")
        if self.validation_source is not None and self.source is None:
            raise ValueError(
                "data.validation_source goes with data.source, which is missing. Set both"
            )
        if self.validation_source is not None and self.split != "auto":
            raise ValueError(
                "data.validation_source says what validates, and data.split says it too, got "
                f"{self.split}. Leave one of them out"
            )
        about_videos = {
            "data.source demo": self.source == DEMO,
            "data.stride": self.stride > 1,
            "data.random_start": self.random_start,
            "data.split time": self.split == "time",
        }
        given = [setting for setting, is_set in about_videos.items() if is_set]
        if self.images and given:
            raise ValueError(
                f"data.images makes every frame independent, and {given[0]} is about videos. "
                "Leave one of them out"
            )
        return self
