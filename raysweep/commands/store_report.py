"""What is said of a store: what it costs, what is not in it, what is wrong with it."""

from pathlib import Path

from raysweep.commands.console import say
from raysweep.data import DataConfig
from raysweep.data.index.splits import split_rule
from raysweep.data.storing.encoding import psnr
from raysweep.data.storing.manifest import Manifest, is_finished, parse_manifest
from raysweep.data.storing.upkeep import checked
from raysweep.errors import DataError

NAMED = 20
"""Files that are named, at most."""


def describe(manifest: Manifest, data: DataConfig) -> str:
    """What it holds, in a line."""
    frames = manifest.counts.frames
    skipped = f", {len(manifest.skipped)} skipped" if manifest.skipped else ""
    size, rule = f"{manifest.settings.resolution} px", split_rule(manifest, data)
    if manifest.settings.images:
        return f"{frames:,} images{skipped} of {size}, split by {rule}"
    return f"{len(manifest.good)} videos{skipped}, {frames:,} frames of {size}, split by {rule}"


def say_cost(manifest: Manifest) -> None:
    """What the encoding loses and saves, in a line; nothing of raw frames."""
    settings, good = manifest.settings, manifest.good
    if settings.encoding == "raw":
        return
    error = sum(record.frames * _squared_error(record.psnr) for record in good)
    lost = psnr(error / manifest.counts.frames)
    smaller = sum(record.frame_bytes for record in good) / manifest.counts.shard_bytes
    costs = (
        f"{settings.encoding} costs nothing"
        if lost is None
        else f"{settings.encoding} {settings.quality} costs: {lost:.1f} dB"
    )
    say(f"  {costs}, {smaller:.1f} times smaller")


def say_skipped(manifest: Manifest, file: str = "manifest.json") -> None:
    """The files that are not in the store, or not all of them, by name; `file` has them all."""
    lines = [f"skipped {skipped.name}: {skipped.error}" for skipped in manifest.skipped]
    partial = [record for record in manifest.good if record.lacks is not None]
    lines += [f"kept {record.name} in part: {record.lacks}" for record in partial]
    for line in lines[:NAMED]:
        say(f"  {line}")
    if (more := len(lines) - NAMED) > 0:
        say(f"  ... and {more:,} more, all in {file}")


def say_neighbours(store: Path, manifest: Manifest) -> None:
    """Stores of the same footage beside a new one, and what of them differs."""
    for folder in sorted(store.parent.iterdir()):
        if folder == store or not is_finished(folder):
            continue
        try:
            other = parse_manifest(folder / "manifest.json")
        except DataError:  # of another version
            continue
        if other.source == manifest.source:
            differences = other.settings.differences(manifest.settings)
            told = ", ".join(f"{of.setting} ({of.stored} there)" for of in differences)
            say(f"  made beside {folder}, which differs in {told or 'its validation source'}")


def verify(folder: Path, manifest: Manifest) -> None:
    """Reads all shards again; DataError, naming them, where some are not as they were written."""
    damaged = [of.record for of in checked(folder, manifest) if not of.is_whole]
    if damaged:
        named = ", ".join(f"{of.name} ({of.shard})" for of in damaged[:NAMED])
        more = f" and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
        raise DataError(
            f"every shard of a store must be as it was written, and {len(damaged)} of "
            f"{len(manifest.good)} are not: {named}{more}. Delete these files in {folder / 'frames'} and "
            "run raysweep prepare --update."
        )
    say(f"all {len(manifest.good):,} shards of {folder} are as they were written")


def _squared_error(decibels: float | None) -> float:
    return 0.0 if decibels is None else float(255**2 / 10 ** (decibels / 10))
