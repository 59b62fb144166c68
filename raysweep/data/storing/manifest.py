"""What a store holds and how it was made: `manifest.json`, which is written when all else is there."""

import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from raysweep.data.preprocessing import Preprocessing
from raysweep.data.sources.labels import Split
from raysweep.data.storing.shards import whole_file
from raysweep.errors import DataError
from raysweep.schema import Config

VERSION = 2
"""Of the store's format."""


class Skipped(NamedTuple):
    """A video or image that is not in the store."""

    name: str
    """File.name."""
    error: str
    """Why."""


class SourceRecord(Config):
    """What became of one source."""

    name: str
    """Source.name."""
    split: Split | None
    """Source.split."""
    source_bytes: int
    """Size of the source's files, by which a replaced file is noticed."""
    shard: str | None = None
    """File name in `frames/`; None for a source that was skipped."""
    sha256: str | None = None
    """Of the shard."""
    shard_bytes: int = 0
    """Size of the shard."""
    frames: int = 0
    """Frames in the shard."""
    frame_bytes: int = 0
    """Size of its frames, raw."""
    width: int = 0
    """Pixels of the first frame before it was resized."""
    height: int = 0
    """Pixels of the first frame before it was resized."""
    fps: float | None = None
    """Frames per second: `data.fps`, or as a video claims; None where it claims nothing usable, and for
    images."""
    lacks: str | None = None
    """What a source lacks that `data.keep_partial` has kept; None: nothing."""
    cuts: tuple[int, ...] = ()
    """Frames of the shard that begin a new scene; none for images."""
    psnr: float | None = None
    """dB of stored frames against what was encoded, by the mean squared error of one in each segment; None:
    nothing is lost."""
    error: str | None = None
    """Why the source was skipped; None: it was not."""
    skipped_files: dict[str, str] = Field(default_factory=dict)
    """File.name of those without a frame -> why."""

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Its files that are not in the store."""
        if self.error is not None and not self.skipped_files:
            return (Skipped(self.name, self.error),)
        return tuple(Skipped(name, error) for name, error in self.skipped_files.items())


def versions() -> dict[str, str]:
    """Of what a store is made with."""
    packages = ("raysweep", "opencv-python-headless", "pyarrow")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


class Counts(Config):
    """What a store holds, in numbers."""

    sources: int
    """That were decoded."""
    skipped_files: int
    """Videos or images that were not."""
    frames: int
    shard_bytes: int


class Manifest(Config):
    """What a store holds."""

    version: int = VERSION
    """Of the store's format."""
    source: str
    """Where the footage was found."""
    settings: Preprocessing
    """How it was made."""
    versions: dict[str, str] = Field(default_factory=versions)
    """Package -> version that it was made with."""
    records: tuple[SourceRecord, ...]
    """One per source, sorted by name."""
    counts: Counts = Field(default_factory=lambda so_far: _counts(so_far["records"]))
    """Of the records."""

    @property
    def good(self) -> tuple[SourceRecord, ...]:
        """The sources that were decoded."""
        return _good(self.records)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The files that were not."""
        return tuple(skipped for record in self.records for skipped in record.skipped)


def _good(records: Iterable[SourceRecord]) -> tuple[SourceRecord, ...]:
    return tuple(record for record in records if record.error is None)


def _counts(records: Sequence[SourceRecord]) -> Counts:
    good = _good(records)
    return Counts(
        sources=len(good),
        skipped_files=sum(len(record.skipped) for record in records),
        frames=sum(record.frames for record in good),
        shard_bytes=sum(record.shard_bytes for record in good),
    )


def shard_path(folder: Path, record: SourceRecord) -> Path:
    """Of a good source."""
    return folder / "frames" / str(record.shard)


def read_manifest(folder: Path) -> Manifest:
    """DataError when `folder` is not a finished store of this version."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise DataError(
            f"data.store must be a finished store, {path} does not exist. Run raysweep prepare."
        )
    return parse_manifest(path)


def parse_manifest(path: Path) -> Manifest:
    """DataError when the file is no manifest of this version."""
    remedy = f"Delete {path.parent} and run raysweep prepare."
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError:
        raise DataError(
            f"a manifest must have format {VERSION}, {path} has not. {remedy}"
        ) from None
    if manifest.version != VERSION:
        raise DataError(
            f"a manifest must have format {VERSION}, {path} has {manifest.version}. {remedy}"
        )
    return manifest


def save_manifest(manifest: Manifest, path: Path, parts: Path | None = None) -> None:
    """Whole or not at all; `parts` as in `whole_file`."""
    with whole_file(path, parts) as part:
        part.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")


def is_finished(folder: Path) -> bool:
    """Whether `folder` is a store that a prepare has completed."""
    return (folder / "manifest.json").is_file()


def require_good(manifest: Manifest, max_bad_fraction: float) -> None:
    """DataError when no file decoded, or too many did not: of videos, a folder of frames being one, or of images."""
    if not manifest.good:
        raise DataError(none_decodes(manifest.skipped))
    if manifest.settings.images:
        bad = len(manifest.skipped)
        files = bad + manifest.counts.frames
    else:
        bad, files = len(manifest.records) - len(manifest.good), len(manifest.records)
    if bad > max_bad_fraction * files:
        first = manifest.skipped[0]
        raise DataError(
            f"data.max_bad_fraction lets {max_bad_fraction:g} of the files be bad, got {bad} of {files}, first "
            f"{first.name!r}: {first.error}. Mend or remove them, or raise it; what decoded is kept."
        )


def none_decodes(skipped: Sequence[Skipped]) -> str:
    """What to tell where every file was skipped."""
    first = skipped[0]
    return (
        f"data.source needs a file that decodes, got {len(skipped)} that do not, first {first.name!r}: "
        f"{first.error}. Point it at videos that play, or at whole images."
    )


def require_settings(manifest: Manifest, asked: Preprocessing) -> None:
    """DataError, saying what differs, unless the store's frames were made as is asked."""
    differences = list(manifest.settings.differences(asked))
    if differences:
        told = "; ".join(
            f"{of.setting} stored {_word(of.stored)}, asked {_word(of.asked)}" for of in differences
        )
        kept = " and ".join(f"{of.setting} to {_word(of.stored)}" for of in differences)
        raise DataError(
            f"a store keeps how its frames were made: {told}. Set {kept}, or data.store to a new folder."
        )


def _word(value: object) -> str:
    """As it is written in a YAML file."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)
