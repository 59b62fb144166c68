"""What the model will see of a store, chosen for a person: clips from all over each split."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import Frames
from raysweep.data.index.clips import Clip, index_clips, middles
from raysweep.data.index.order import Visit
from raysweep.data.reading.colour import AS_FILMED, Colour
from raysweep.data.reading.reader import Reader
from raysweep.data.reading.sampling import Sample, Sampler, read_samples
from raysweep.data.sources.labels import Split
from raysweep.data.storing.manifest import Manifest

ROWS: dict[Split, int] = {"train": 4, "valid": 2, "test": 1}
"""At most, by split."""
FRAMES = 12
"""Of a clip, at most."""
IMAGES = 8
"""In a row, at most."""


class Row(NamedTuple):
    """Frames to stand beside one another: of a clip, or as many images."""

    label: Sequence[str]
    """Lines, the most telling first."""
    frames_THWC: Frames
    captions: Sequence[str]
    """One per frame."""


class Section(NamedTuple):
    """Rows of one split."""

    split: Split
    title: str
    rows: Sequence[Row]


class Preview(NamedTuple):
    """All that a contact sheet shows."""

    title: str
    facts: str
    sections: Sequence[Section]


def preview(manifest: Manifest, reader: Reader, config: DataConfig, seed: int) -> Preview:
    """Training clips as the first epoch of a run with this seed shows them; splits without any are left out."""
    splits = {split: index_clips(manifest, split, config) for split in ROWS}
    sections = [
        _section(split, clips, _samples(manifest, config, seed, split, clips), reader, config)
        for split, clips in splits.items()
        if clips
    ]
    return Preview(_title(config, manifest), _facts(config, manifest), sections)


def _samples(
    manifest: Manifest, config: DataConfig, seed: int, split: Split, clips: Sequence[Clip]
) -> list[Sample]:
    places = middles(len(clips), ROWS[split] * IMAGES if config.images else ROWS[split])
    if split != "train":
        return [Sample(clips[place]) for place in places]
    sampler = Sampler(clips, manifest, config, seed)
    return [sampler.sample(Visit(0, place)) for place in places]


def _section(
    split: Split,
    clips: Sequence[Clip],
    samples: Sequence[Sample],
    reader: Reader,
    config: DataConfig,
) -> Section:
    what = "images" if config.images else "clips"
    title = f"{split}: {len(samples)} of {len(clips):,} {what}"
    if config.images:
        rows = [samples[at : at + IMAGES] for at in range(0, len(samples), IMAGES)]
        return Section(split, title, [_images(row, reader) for row in rows])
    return Section(split, title, [_clip(sample, reader) for sample in samples])


def _clip(sample: Sample, reader: Reader) -> Row:
    clip = sample.clip
    shown = np.linspace(0, clip.length - 1, min(clip.length, FRAMES)).round().astype(int).tolist()
    numbers = [clip.first_frame + at * clip.stride for at in shown]
    label = [clip.source, f"from frame {clip.first_frame:,}", *_differently(sample)]
    frames_THWC = read_samples(reader, [sample])[0][shown]
    return Row(label, frames_THWC, [f"{number:,}" for number in numbers])


def _images(samples: Sequence[Sample], reader: Reader) -> Row:
    first = samples[0].clip
    label = [first.source, f"from image {first.first_frame:,}"]
    captions = [f"{sample.clip.first_frame:,}" for sample in samples]
    return Row(label, read_samples(reader, samples)[:, 0], captions)


def _differently(sample: Sample) -> Iterator[str]:
    """How it is shown where that is not as filmed, two to a line."""
    stride = [f"every {sample.clip.stride} frames"] if sample.clip.stride > 1 else []
    mirrored = ["mirrored"] if sample.view.mirrored else []
    colours = [
        f"{name} {value:.2f}"
        for name, value, filmed in zip(Colour._fields, sample.colour, AS_FILMED, strict=True)
        if value != filmed
    ]
    for line in ([*stride, *mirrored], colours[:2], colours[2:]):
        yield from [", ".join(line)] if line else []


def _title(config: DataConfig, manifest: Manifest) -> str:
    size = f"{config.resolution} x {config.resolution} pixels"
    if config.images:
        return f"Images of {size}"
    most = config.augment.max_stride
    stride = config.stride if most is None else f"{config.stride} to {most}"
    return (
        f"Clips of {config.clip_length} frames, stride {stride}, {size}, {_fps(config, manifest)}"
    )


def _fps(config: DataConfig, manifest: Manifest) -> str:
    filmed = {record.fps for record in manifest.good if record.fps is not None}
    rates = sorted({config.fps} if config.fps is not None else filmed)
    if not rates:
        return "fps unknown"
    low, high = f"{rates[0]:.4g}", f"{rates[-1]:.4g}"
    return f"{low} fps" if low == high else f"{low} to {high} fps"


def _facts(config: DataConfig, manifest: Manifest) -> str:
    frames = manifest.counts.frames
    held = (
        f"{frames:,} images"
        if config.images
        else f"{len(manifest.good):,} videos, {frames:,} frames"
    )
    varied = [
        f"{name} {value}"
        for name, value in config.augment.model_dump(exclude_defaults=True).items()
    ]
    if config.crop == "random":
        varied.insert(0, f"random crop (shorter side {config.side} pixels)")
    return f"{held}. In training: {', '.join(varied) or 'as filmed'}."
