"""The footage that `evaluate` scores models on."""

from collections.abc import Sequence
from math import lcm
from pathlib import Path
from typing import NamedTuple, cast

from raysweep.commands.models import Named
from raysweep.commands.validation import validation_batches
from raysweep.config import RunConfig
from raysweep.data import DataConfig
from raysweep.data.index.clips import Clip, index_clips
from raysweep.data.reading.reader import MappedReader, Reader
from raysweep.data.sources.labels import Split
from raysweep.data.sources.places import shown
from raysweep.data.storing.manifest import Manifest, is_finished, read_manifest
from raysweep.errors import ConfigError
from raysweep.evaluation.files import Files, as_trained, items_of, native
from raysweep.evaluation.passes import Footage, StoredClips
from raysweep.features.backbones import ARCHITECTURES, check_frame_size

SPLITS = ("train", "valid", "test", "all")


class Wanted(NamedTuple):
    """What a person wrote; None: nothing."""

    data: str | None
    split: str | None
    """Of SPLITS."""
    native: bool


def footage_for(wanted: Wanted, named: Sequence[Named], measured: RunConfig) -> Footage:
    """As the first of the models was trained to see it; `measured` names the network of LPIPS.

    UserError where there is none, or where a model or LPIPS cannot take it.
    """
    config = named[0].model.config
    if wanted.data is not None and not is_finished(Path(wanted.data)):
        return _files(wanted, config.data, named, measured)
    if wanted.native:
        raise ConfigError(
            "--native is about files, and a prepared store holds frames as they were prepared. Name the files with --data."
        )
    if wanted.data is None:
        manifest, reader = _of_the_experiment(named[0])
    else:
        manifest = read_manifest(Path(wanted.data))
        reader = MappedReader(Path(wanted.data), manifest)
    side = manifest.settings.resolution
    _require_size(side, named, measured)
    data = config.data.model_copy(update=dict(manifest.settings))
    split = wanted.split or "valid"
    title = f"{split} frames of {side}x{side} px from {wanted.data or named[0].name}"
    return StoredClips(reader, _clips(manifest, split, data), side, title)


def _of_the_experiment(named: Named) -> tuple[Manifest, Reader]:
    if named.experiment is None:
        raise ConfigError(
            f"there must be footage to evaluate on, and {named.name} was exported without any. Give --data FOLDER."
        )
    batches = validation_batches(named.model.config, named.experiment)
    return batches.manifest, batches.reader


def _clips(manifest: Manifest, split: str, data: DataConfig) -> list[Clip]:
    if split == "all":
        whole = data.model_copy(update={"split": "none", "max_clips_per_source": None})
        return index_clips(manifest, "train", whole)
    clips = index_clips(manifest, cast("Split", split), data)
    if not clips:
        raise ConfigError(
            f"--split {split} must hold frames, and the store sets none apart. Choose another of "
            f"{', '.join(SPLITS)}."
        )
    return clips


def _files(
    wanted: Wanted, data: DataConfig, named: Sequence[Named], measured: RunConfig
) -> Footage:
    if wanted.split is not None:
        raise ConfigError(
            f"--split chooses from a prepared store, and {wanted.data} is none. Name the folder of what you want."
        )
    assert wanted.data is not None
    items = items_of(wanted.data, data.frame_folders)
    title, length = shown(wanted.data), 1 if data.images else data.clip_length
    if wanted.native:
        multiple = lcm(*(factor for one in named for factor in one.model.tokenizer.downsampling))
        net = measured.loss.perceptual_net
        least = max(multiple, 0 if net == "none" else ARCHITECTURES[net].smallest_frame)
        title = f"{title}, in its own size"
        return Files(items, native(multiple, least), None, length, 0, title)
    side = data.resolution
    _require_size(side, named, measured)
    title = f"{title}, at {side}x{side} px"
    return Files(items, as_trained(data), data.fps, length, side, title)


def _require_size(side: int, named: Sequence[Named], measured: RunConfig) -> None:
    for one in named:
        one.model.tokenizer.check_size(side, side)
    if measured.loss.perceptual_net != "none":
        check_frame_size(measured.loss.perceptual_net, side, side)
