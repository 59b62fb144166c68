"""What a prepare would read, and about how large its store would be."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from raysweep.commands.console import say, title
from raysweep.data import DEMO, DataConfig
from raysweep.data.decoding.decode import (
    IMAGE_READERS,
    READERS,
    DecodeError,
    claimed_frames,
    is_readable,
    read_frames,
)
from raysweep.data.decoding.fit import fit
from raysweep.data.index.clips import spread
from raysweep.data.sources.discover import Source, discover_for
from raysweep.data.sources.places import File
from raysweep.data.storing.encoding import encode
from raysweep.data.storing.manifest import is_finished
from raysweep.spelling import in_bytes

SAMPLE = 64
"""Files that are opened, spread evenly over all there are."""


class Estimate(NamedTuple):
    frames: int
    """As the files claim."""
    store_bytes: int
    """With frames like the first of each file."""


def print_estimate(data: DataConfig, store: Path) -> None:
    title("what would be read")
    if data.source == DEMO:
        say("videos that are generated first, a few seconds each")
    else:
        _print_footage(data)
    title("where the store would lie")
    say(f"{store}{' (it is there, finished)' if is_finished(store) else ''}")


def estimate(sources: Sequence[Source], data: DataConfig) -> Estimate | None:
    """From a sample of the files; None where none of it opens."""
    files = [file for source in sources for file in source.files]
    opened = spread(files, SAMPLE)
    seen = [each for file in opened if (each := _of_file(file, data)) is not None]
    if not seen:
        return None
    times = len(files) / len(opened)
    return Estimate(
        round(times * sum(of.frames for of in seen)),
        round(times * sum(of.store_bytes for of in seen)),
    )


def _print_footage(data: DataConfig) -> None:
    assert data.source is not None
    sources = discover_for(data, data.source)
    suffixes = Counter(file.path.suffix.lower() for source in sources for file in source.files)
    total = sum(source.size for source in sources)
    for suffix, count in suffixes.most_common():
        say(f"{count:,} files {suffix}")
    say(f"{in_bytes(total)} in all, {_splits(sources)}")
    found = estimate(sources, data)
    if found is not None:
        of = "images" if data.images else f"frames, as {min(SAMPLE, suffixes.total())} files claim"
        say(f"about {found.frames:,} {of}; a store of about {in_bytes(found.store_bytes)}")


def _of_file(file: File, data: DataConfig) -> Estimate | None:
    is_image = is_readable(file.path, IMAGE_READERS)
    try:
        with file.local() as path:
            first_HWC = next(read_frames(path, IMAGE_READERS if is_image else READERS))
            frames = 1 if is_image else claimed_frames(path, data.fps)
    except DecodeError:
        return None
    stored = encode([fit(first_HWC, data)], data)
    return Estimate(frames, frames * stored.data.nbytes)


def _splits(sources: Sequence[Source]) -> str:
    files: Counter[str] = Counter()
    for source in sources:
        files[source.split or "no folder says what for"] += len(source.files)
    return ", ".join(f"{split}: {count:,}" for split, count in sorted(files.items()))
