"""Which footage there is: folders, files, patterns and lists of paths become sorted, named sources."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, get_args

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import IMAGE_READERS, READERS, is_readable
from raysweep.data.sources.labelling import by_folder, by_setting, once
from raysweep.data.sources.labels import Split
from raysweep.data.sources.listing import (
    EVERYTHING,
    Entry,
    Named,
    list_entries,
    named,
    suffixes_read,
)
from raysweep.data.sources.places import File, Paths, shown
from raysweep.data.sources.sequences import sequences
from raysweep.errors import DataError

IMAGES_PER_SOURCE = 512
"""Images that lie together in one shard, at most: 25 MB at 128 pixels."""


@dataclass(frozen=True)
class Source:
    """Files whose frames lie together in one shard: one video, or many images."""

    name: str
    """What the store and the clips call it: the name of the one video, or of the folder of its frames; for
    images what they are for, a number and a hash of their names."""
    files: tuple[File, ...]
    split: Split | None
    """By its folder, where `train` and a validation folder stand side by side, or by the list or the setting
    that named it; None otherwise."""
    frames: bool = False
    """The files are images, and in this order the frames of one video."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


Result = TypeVar("Result")
Run = Callable[[Callable[[Source], Result], Iterable[Source]], Iterable[Result]]
"""Applies a picklable function to every source, in any order and anywhere: `map`, or a cluster."""


def discover(
    source: Paths,
    split: str = "auto",
    *,
    validation: Paths | None = None,
    images: bool = False,
    frame_folders: bool = False,
) -> list[Source]:
    """The videos of `source`, each a source, or its images, many to a source; sorted by name. With
    `frame_folders` numbered images are videos too.

    `split` is DataConfig.split. "folders" takes only files below `train`, `valid` (or `vaild`, `val`) and
    `test`, or that a list has a split for, and needs the first two; "auto" does the same where both exist;
    otherwise all files are taken. With `validation`, everything in `source` trains and everything there
    validates. Hidden files are passed over, links followed; a file with several names is taken once.
    Raises DataError when nothing is found.
    """
    found = _footage(source, "data.source", images, frame_folders)
    if validation is None:
        labelled = by_folder(named(found), split, source)
    else:
        apart = _footage(validation, "data.validation_source", images, frame_folders)
        labelled = by_setting(named([*found, *apart]), found, apart)
    files: _Labelled = [(_file(file), label) for file, label in once(labelled)]
    if images:
        return _together(files)
    sources = [*_videos(files, frame_folders), *(_sequences(files) if frame_folders else ())]
    return sorted(sources, key=lambda source: source.name)


def discover_for(config: DataConfig, source: Paths) -> list[Source]:
    """What `source` holds, as the settings say to take it."""
    return discover(
        source,
        config.split,
        validation=config.validation_source,
        images=config.images,
        frame_folders=config.frame_folders,
    )


def footage_files(source: Paths, setting: str) -> list[File]:
    """Every video and image of `source`, each by itself; DataError, about `setting`, when there is none."""
    found = named(list_entries(source, setting, EVERYTHING))
    if not found:
        raise DataError(
            f"{setting} holds no video or image: {shown(source)}. {suffixes_read(EVERYTHING)}"
        )
    return [_file(file) for file, _ in once([(file, None) for file in found])]


_Labelled = list[tuple[File, Split | None]]


def _footage(source: Paths, setting: str, images: bool, frame_folders: bool) -> list[Entry]:
    """What the entries hold, if any of it can be read as is asked."""
    readers = IMAGE_READERS if images else EVERYTHING if frame_folders else READERS
    found = list_entries(source, setting, readers)
    usable, names = IMAGE_READERS if images else READERS, [file.name for file in named(found)]
    if any(is_readable(name, usable) for name in names):
        return found
    if frame_folders and sequences(_pictures(names)):
        return found
    others = [file.name for file in named(list_entries(source, setting, EVERYTHING))]
    if any(is_readable(name, EVERYTHING) for name in others):
        raise DataError(f"{setting} {_instead(others, images, frame_folders, shown(source))}")
    if names:  # listed by hand: each is tried, skipped and named
        return found
    wanted = "image" if images else "video"
    raise DataError(f"{setting} holds no {wanted}: {shown(source)}. {suffixes_read(readers)}")


def _instead(names: Sequence[str], images: bool, frame_folders: bool, where: str) -> str:
    """What there is in place of what is asked, and the settings that take it."""
    if images:
        return f"holds no image, but videos: {where}. Set data.images=false for those."
    if frame_folders:
        return (
            f"holds no video and no two images that differ in their number alone: {where}. Number a video's "
            "images in order, or set data.images=true, data.frame_folders=false where each stands alone."
        )
    if sequences(_pictures(names)):
        return (
            f"holds no video, but images: {where}. Set data.frame_folders=true, since they are numbered as a "
            "video's frames are, or data.images=true where each stands alone."
        )
    return (
        f"holds no video, but images: {where}. Set data.images=true for those; data.frame_folders takes "
        "numbered ones alone."
    )


def _pictures(names: Iterable[str]) -> list[str]:
    return [name for name in names if is_readable(name, IMAGE_READERS)]


def _file(file: Named) -> File:
    _, found = file
    return File(file.name, Path(found.path), found.size, found.remote)


def _videos(labelled: _Labelled, frame_folders: bool) -> Iterator[Source]:
    """Files of a list whose suffix nothing reads count as videos: they are skipped and named."""
    for file, split in labelled:
        if not (frame_folders and is_readable(file.name, IMAGE_READERS)):
            yield Source(file.name, (file,), split)


def _sequences(labelled: _Labelled) -> Iterator[Source]:
    by_name = {file.name: (file, split) for file, split in labelled}
    for name, frames in sequences(_pictures(by_name)).items():
        files, splits = zip(*(by_name[frame] for frame in frames), strict=True)
        if len(set(splits)) > 1:
            raise DataError(
                f"the frames of a video serve one split, those of {name!r} are to serve several. Correct the "
                "column split of the list."
            )
        yield Source(name, files, splits[0], frames=True)


def _together(labelled: _Labelled) -> list[Source]:
    """Images in the order of a hash, so that any stretch of a source is a fair sample of it."""
    sources = []
    for split in (*get_args(Split), None):
        files = [file for file, label in labelled if label == split]
        files.sort(key=lambda file: sha256(file.name.encode()).digest())
        for start in range(0, len(files), IMAGES_PER_SOURCE):
            part = tuple(files[start : start + IMAGES_PER_SOURCE])
            digest = sha256("\n".join(file.name for file in part).encode()).hexdigest()[:8]
            number = start // IMAGES_PER_SOURCE
            sources.append(Source(f"{split or 'images'}-{number:05d}-{digest}", part, split))
    return sorted(sources, key=lambda source: source.name)
