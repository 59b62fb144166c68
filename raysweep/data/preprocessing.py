"""What becomes of a frame between its file and the store: the settings that a store is of."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from raysweep.schema import Config


class Difference(NamedTuple):
    """A setting in which a store is not what is asked."""

    setting: str
    """`data.resolution`."""
    stored: object
    asked: object


class Preprocessing(Config):
    """Settings of `data` that decide which frames a store holds; changing one asks for another store."""

    images: bool = False
    """The source is of images, each independent of the others: a clip is `clip_length` of them, drawn
    together anew in every epoch. Validation takes each image once, by itself."""
    frame_folders: bool = False
    """A folder of numbered images (`0001.png`, `0002.png`, ...) is a video too, its images in order."""
    resolution: int = Field(default=128, ge=8)
    """Pixels, height and width of what the model sees."""
    shortest_side: int | None = Field(default=None, ge=8)
    """Pixels that a frame's shorter side is resized to before `crop`; None: `resolution`."""
    crop: Literal["center", "random"] = "center"
    """What of the resized frame is seen: its centre; `random`: in training a window drawn anew in every
    epoch, for which the store keeps the whole frame, in validation the centre."""
    fps: float | None = Field(default=None, gt=0)
    """Frames per second to resample videos to, by their timestamps (which folders of frames have not);
    None: every frame, as filmed."""
    encoding: Literal["raw", "jpeg", "webp", "png"] = "raw"
    """How the store holds a frame: its bytes, or compressed, which is smaller and slower to read."""
    quality: int = Field(default=95, ge=1, le=100)
    """Of `jpeg` and `webp` alone, higher is nearer; its cost in PSNR is written into the manifest."""
    keep_partial: bool = False
    """A video that breaks off before its end, or of whose folder of frames one is bad, gives the frames that
    it has; False: it is bad as a whole."""

    @model_validator(mode="after")
    def _side_holds_resolution(self) -> Self:
        if self.shortest_side is not None and self.shortest_side < self.resolution:
            raise ValueError(
                f"data.shortest_side must be at least data.resolution {self.resolution}, got "
                f"{self.shortest_side}. Raise it, or leave it out"
            )
        return self

    @property
    def side(self) -> int:
        """Pixels of the shorter side after resizing."""
        return self.shortest_side or self.resolution

    @property
    def preprocessing(self) -> "Preprocessing":
        """These settings alone; of ways to say the same, one."""
        said = {name: getattr(self, name) for name in Preprocessing.model_fields}
        if self.encoding not in ("jpeg", "webp"):
            said["quality"] = Preprocessing.model_fields["quality"].default
        if self.shortest_side == self.resolution:
            said["shortest_side"] = None
        return Preprocessing(**said)

    def differences(self, asked: "Preprocessing") -> Iterator[Difference]:
        """In which settings a store made with these is not what is asked."""
        for name in Preprocessing.model_fields:
            stored, wanted = getattr(self, name), getattr(asked, name)
            if stored != wanted:
                yield Difference(f"data.{name}", stored, wanted)
