"""Footage: found, decoded once into a prepared store, cut into clips, put in order."""

import os
from typing import Literal, Self

from pydantic import Field, model_validator

from raysweep.data.augment import AugmentConfig
from raysweep.data.preprocessing import Preprocessing

MAX_PIXELS = 2**27
"""Of a frame before it is resized, 11,585 a side: 0.4 GB. Larger ones are bad files, refused by their header."""
# OpenCV reads these once, as it is loaded: no module of ours may do so before this one.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET: bad files are ours to report

SourcePaths = str | tuple[str, ...]
"""A folder, a file, a list of files, or a pattern with `*`, each as a path or a URI; or several of these."""
DEMO = "demo"
"""As a source: videos made from the photographs of scikit-image."""
FOOTAGE = ("source", "validation_source", "split", "store", "reading", *Preprocessing.model_fields)
"""Settings that all trials of an experiment share: they read the same frames, from the same place."""
SCORED_ON = (
    "clip_length",
    "stride",
    "avoid_cuts",
    "valid_fraction",
    "test_fraction",
    "gap",
    "max_validation_frames",
)
"""Settings that all trials of an experiment share: they choose the frames that validate, and that test."""


class DataConfig(Preprocessing):
    """Where frames come from and how clips are cut from them."""

    source: SourcePaths | None = None
    """Folder of videos, one video, a pattern such as `clips/**/*.mp4`, a `.txt`, `.csv`, `.jsonl` or
    `.parquet` list of files (lists.py says how), an address such as `s3://bucket/folder`, a list of these,
    or the word `demo` for generated videos; prepared into `store` where that is not done yet."""
    validation_source: SourcePaths | None = None
    """The same, to validate on; all of `source` then trains. None: `split` sets frames of `source` apart."""
    store: str | None = None
    """Prepared store to read, a folder; None: beside the experiment, made from `source`."""
    max_bad_fraction: float = Field(default=0.5, ge=0, le=1)
    """Share of the files that may fail to decode before preparing is refused; the bad ones are skipped."""
    clip_length: int = Field(default=8, ge=1)
    """Frames per clip."""
    stride: int = Field(default=1, ge=1)
    """Source frames from one frame of a clip to the next."""
    random_start: bool = False
    """A training clip starts anywhere in its source, anew in every epoch; False: clips stand back to back."""
    avoid_cuts: bool = False
    """No clip reaches over a hard cut between scenes."""
    max_clips_per_source: int | None = Field(default=None, ge=1)
    """Training clips taken of one source (of images: of one file of the store), spread evenly over it, so
    that one long film does not drown the rest; None: all."""
    batch_size: int = Field(default=8, ge=1)
    """Clips per optimizer step over all workers."""
    augment: AugmentConfig = AugmentConfig()
    """How training clips are varied; validation's never are."""
    split: Literal["auto", "folders", "source", "time", "none"] = "auto"
    """How validation frames are set apart: `train`, `valid` (and `test`) folders, or a list's column
    `split`; whole sources (of images: images); the end of each source in time, with a gap; `none`: all train.
    `auto`: folders if they exist, sources from ten on and for images, time below that."""
    valid_fraction: float = Field(default=0.1, gt=0, lt=1)
    """Share of the sources (of images: of all images), or of each source's frames, that validates."""
    test_fraction: float = Field(default=0.0, ge=0, lt=1)
    """The same, for a final score on what no trial has seen; 0: nothing but what a `test` folder holds."""
    gap: float = Field(default=1.0, ge=0)
    """Seconds between frames of one source that serve different splits; at least a clip's span, which alone
    holds where a source does not say its frame rate."""
    max_validation_frames: int | None = Field(default=None, ge=1)
    """Frames a validation scores, counted in whole clips spread evenly over all there are; None: all."""
    reading: Literal["auto", "shared_memory", "memory_map", "direct"] = "auto"
    """How trials read: the frames in Ray's shared memory, once per node; the store's files mapped into
    memory, which all processes of a machine share; `direct`: no store, all footage is counted by decoding at
    every start, and each clip is sought in its video. `auto`: shared memory where the store takes at most 30%
    of the smallest node's, the files otherwise."""
    prefetch: int = Field(default=2, ge=0)
    """Batches read ahead of the training step, by a thread; 0: read when the step asks."""

    @property
    def scored_on(self) -> tuple[str, ...]:
        """SCORED_ON, but for what does not matter here: images validate one by one."""
        if self.split == "none":
            return ()
        return tuple(name for name in SCORED_ON if not (self.images and name == "clip_length"))

    @property
    def clips_per_step(self) -> int:
        """Of the index, over all workers: there, an image is a clip of its own."""
        return self.batch_size * (self.clip_length if self.images else 1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for named in (self.source, self.validation_source):
            if named in ((), "") or (isinstance(named, tuple) and "" in named):
                raise ValueError("data.source must name something, got nothing. Name a folder")
        if self.store is not None and "://" in self.store:
            raise ValueError(
                "data.store must be a folder, since its files are mapped into memory, got "
                f"{self.store}. Name a folder that all nodes share"
            )
        if self.validation_source is not None and self.source is None:
            raise ValueError(
                "data.validation_source goes with data.source, which is missing. Set both"
            )
        if self.validation_source is not None and self.split != "auto":
            raise ValueError(
                "data.validation_source says what validates, and data.split says it too, got "
                f"{self.split}. Leave one of them out"
            )
        if self.valid_fraction + self.test_fraction >= 1:
            raise ValueError(
                "data.valid_fraction and data.test_fraction must leave frames to train on, got "
                f"{self.valid_fraction} and {self.test_fraction}. Lower one of them"
            )
        if self.augment.max_stride is not None and self.augment.max_stride < self.stride:
            raise ValueError(
                f"data.augment.max_stride must be at least data.stride {self.stride}, got "
                f"{self.augment.max_stride}. Raise it, or leave it out"
            )
        about_videos = {
            "data.source demo": self.source == DEMO,
            "data.stride": self.stride > 1,
            "data.random_start": self.random_start,
            "data.avoid_cuts": self.avoid_cuts,
            "data.fps": self.fps is not None,
            "data.frame_folders": self.frame_folders,
            "data.augment.max_stride": self.augment.max_stride is not None,
            "data.split time": self.split == "time",
        }
        given = [setting for setting, is_set in about_videos.items() if is_set]
        if self.images and given:
            raise ValueError(
                f"data.images makes every frame independent, and {given[0]} is about videos. "
                "Leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _read_as_it_can_be(self) -> Self:
        needs_a_store = {
            "data.store": self.store is not None,
            "data.avoid_cuts": self.avoid_cuts,
            "data.fps": self.fps is not None,
            "data.frame_folders": self.frame_folders,
            f"data.encoding {self.encoding}": self.encoding != "raw",
            "data.keep_partial": self.keep_partial,
        }
        given = [setting for setting, is_set in needs_a_store.items() if is_set]
        if self.reading == "direct" and given:
            raise ValueError(
                f"data.reading direct makes no store, and {given[0]} is about one. Leave one of them out"
            )
        return self
